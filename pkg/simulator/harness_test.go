package simulator_test

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/adler32"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

const (
	appID = 1400000000
	admin = "administrator"
	key   = "not-a-real-key"
)

// start is a second after the official signatures of the tests were made.
var start = time.Unix(1795420130, 0)

// sign makes a UserSig; the description of the format leaves the level of compression open.
func sign(key string, change map[string]any) string {
	return encode(stored(signedText(key, change)))
}

// signedText makes the inner form of a UserSig by the description of the format. It shares nothing with the engine or with the
// official library. Members with a nil value are left out, and the MAC covers the members that remain.
func signedText(key string, change map[string]any) []byte {
	members := map[string]any{
		"TLS.ver": "2.0", "TLS.identifier": admin, "TLS.sdkappid": appID, "TLS.time": start.Unix(), "TLS.expire": 86400,
	}
	maps.Copy(members, change)
	var lines strings.Builder
	for _, name := range []string{"TLS.identifier", "TLS.sdkappid", "TLS.time", "TLS.expire", "TLS.userbuf"} {
		if value := members[name]; value != nil {
			fmt.Fprintf(&lines, "%s:%v\n", name, value)
		}
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(lines.String()))
	if _, given := change["TLS.sig"]; !given {
		members["TLS.sig"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return text
}

// stored makes a zlib stream of one stored block by hand (RFC 1950, RFC 1951 section 3.2.4): at most 65,535 bytes.
func stored(text []byte) []byte {
	n := uint16(len(text))
	packed := binary.LittleEndian.AppendUint16([]byte{0x78, 0x01, 0x01}, n)
	packed = append(binary.LittleEndian.AppendUint16(packed, ^n), text...)
	return binary.BigEndian.AppendUint32(packed, adler32.Checksum(text))
}

func deflate(text []byte) []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write(text)
	w.Close()
	return packed.Bytes()
}

func encode(packed []byte) string {
	return strings.NewReplacer("+", "*", "/", "-", "=", "_").Replace(base64.StdEncoding.EncodeToString(packed))
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// app is an engine with a clock, and a caller with a good signature.
type app struct {
	*simulator.Engine
	clock *clock
	sig   string
}

func newApp(t testing.TB, changes ...func(*simulator.Config)) *app {
	t.Helper()
	c := &clock{now: start}
	config := simulator.Config{SDKAppID: appID, Admin: admin, SecretKey: key, Now: c.Now}
	for _, change := range changes {
		change(&config)
	}
	engine, err := simulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &app{Engine: engine, clock: c, sig: sign(key, nil)}
}

func unlimited(config *simulator.Config) { config.Limits = map[string]int{} }

// gift is one sending of a gift in the room "room_id".
func gift(id string, count int64, sender string, receivers ...string) simulator.SentGift {
	return simulator.SentGift{RoomID: "room_id", GiftID: id, Count: count, Sender: sender, Receivers: receivers}
}

// sendRose is the body of a call of send_gift.
const sendRose = `{"RoomId":"room_id","GiftId":"rose","Count":1,"From_Account":"fan1","ReceiverList_Account":["user1"]}`

// withRoom makes the room of the API page's sample.
func (a *app) withRoom(t testing.TB) *app {
	t.Helper()
	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "room_id", Owner: "user1"}))
	return a
}

type answer struct {
	Status       int    `json:"-"`
	Text         string `json:"-"`
	ActionStatus string
	ErrorCode    int
	ErrorInfo    string
	RequestID    string `json:"RequestId"`
	Response     json.RawMessage
}

func (a *app) query(sig string) url.Values {
	return url.Values{
		"sdkappid": {fmt.Sprint(appID)}, "identifier": {admin}, "usersig": {sig}, "random": {"4294967295"}, "contenttype": {"json"},
	}
}

// call makes a call that is right in all but perhaps its body.
func (a *app) call(t testing.TB, command, body string) answer {
	t.Helper()
	return a.do(t, http.MethodPost, "/v4/live_engine_http_srv/"+command, a.query(a.sig).Encode(), body)
}

func (a *app) withSig(t testing.TB, sig string) answer {
	t.Helper()
	return a.do(t, http.MethodPost, "/v4/live_engine_http_srv/get_room_stats", a.query(sig).Encode(), `{"RoomId":"room_id"}`)
}

func (a *app) do(t testing.TB, method, path, query, body string) answer {
	t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.URL.RawQuery = query
	recorder := httptest.NewRecorder()
	a.ServeHTTP(recorder, request)
	got := answer{Status: recorder.Code, Text: recorder.Body.String()}
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: not JSON: %v: %s", path, err, got.Text)
	}
	return got
}

// expect compares the data of a successful answer with a JSON text.
func (got answer) expect(t testing.TB, want string) {
	t.Helper()
	check(t, got, 0, "")
	if string(got.Response) != want {
		t.Errorf("Response\n got %s\nwant %s", got.Response, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
