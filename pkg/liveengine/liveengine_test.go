package liveengine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	fakeKey = "not-a-real-key"
	sample  = `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-8c9858f01e954611ae2d4c1b1ed7d583-O-Seq-52720",
		"Response":{"Sequence":1,"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}`
)

// keyStore is a secret store that holds a bare key.
type keyStore struct {
	mu  sync.Mutex
	key string
	err error
}

func (s *keyStore) set(key string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.err = key, err
}

func (s *keyStore) Fetch(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.key), s.err
}

// upstream is what answers the client: each call gets the next answer, the last one for ever.
type upstream struct {
	answers []answer

	mu    sync.Mutex
	calls []call
}

type answer struct {
	status int // 0 means 200
	header http.Header
	body   string
	err    error // instead of an answer
	delay  time.Duration
}

type call struct {
	path   string
	query  url.Values
	header http.Header
	body   string
	at     time.Time
}

// RoundTrip makes upstream an http.RoundTripper, so that tests can run in fake time.
func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	u.calls = append(u.calls, call{r.Method + " " + r.URL.Path, r.URL.Query(), r.Header, string(body), time.Now()})
	next := u.answers[min(len(u.calls), len(u.answers))-1]
	u.mu.Unlock()
	select {
	case <-time.After(next.delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if next.err != nil {
		return nil, next.err
	}
	recorder := httptest.NewRecorder()
	for name, values := range next.header {
		recorder.Header()[name] = values
	}
	if next.status != 0 {
		recorder.WriteHeader(next.status)
	}
	io.WriteString(recorder, next.body)
	return recorder.Result(), nil
}

func code(code int, info string) answer {
	return answer{body: fmt.Sprintf(`{"ActionStatus":"FAIL","ErrorCode":%d,"ErrorInfo":%q,"RequestId":"Id-1"}`, code, info)}
}

// newClient asks the given upstream and reads its key from the store; change may alter the configuration.
func newClient(t testing.TB, up http.RoundTripper, store *keyStore, change func(*liveengine.Config)) *liveengine.Client {
	t.Helper()
	upstream, err := endpoint.Parse("https://upstream.example/prefix")
	if err != nil {
		t.Fatal(err)
	}
	config := liveengine.Config{
		Endpoint: upstream,
		Secrets: secret.NewCache(secret.Options{
			Store: store, Bare: secret.Bare{SDKAppID: 1400000000, Admin: "administrator"}, TTL: time.Hour, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		}),
		Limiter: giftstats.NewLimiter(100_000), Timeout: time.Second, Attempts: 3, UserAgent: "giftstats/test",
		HTTPClient: &http.Client{Transport: up, CheckRedirect: liveengine.NewHTTPClient().CheckRedirect},
		Logger:     slog.New(slog.DiscardHandler),
		Jitter:     func(limit time.Duration) time.Duration { return limit },
	}
	if change != nil {
		change(&config)
	}
	client, err := liveengine.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func giftCount(t *testing.T, client *liveengine.Client) (giftstats.Stats, error) {
	t.Helper()
	return client.GiftCount(t.Context(), giftstats.Query{RoomID: "room_id", Account: "user1"})
}

func TestSampleOfTheAPIPage(t *testing.T) {
	up := &upstream{answers: []answer{{body: sample}}}
	stats, err := giftCount(t, newClient(t, up, &keyStore{key: fakeKey}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if stats.RoomID != "room_id" || stats.Account != "user1" || stats.TotalCount != 1 || stats.TotalCoins != 1 || stats.GiftSenderCount != 1 ||
		stats.Sequence == nil || *stats.Sequence != 1 || stats.UpstreamRequestID != "Id-8c9858f01e954611ae2d4c1b1ed7d583-O-Seq-52720" ||
		stats.FetchedAt.Location() != time.UTC || time.Since(stats.FetchedAt) > time.Minute {
		t.Errorf("%+v", stats)
	}
	got := up.calls[0]
	if got.path != "POST /prefix/v4/live_engine_http_srv/get_gift_count" || got.body != `{"RoomId":"room_id","From_Account":"user1"}` {
		t.Errorf("sent %s with %s", got.path, got.body)
	}
	if len(got.query) != 5 || got.query.Get("sdkappid") != "1400000000" || got.query.Get("identifier") != "administrator" || got.query.Get("contenttype") != "json" {
		t.Errorf("query %v", got.query)
	}
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Accept") != "application/json" || got.header.Get("User-Agent") != "giftstats/test" {
		t.Errorf("header %v", got.header)
	}
	identity := usersig.Identity{SDKAppID: 1400000000, Account: "administrator", Key: fakeKey}
	if err := usersig.Verify(got.query.Get("usersig"), identity, time.Now()); err != nil {
		t.Errorf("the signature sent: %v", err)
	}
}

func TestRandomIsFresh(t *testing.T) {
	up := &upstream{answers: []answer{{body: sample}}}
	client := newClient(t, up, &keyStore{key: fakeKey}, nil)
	seen := map[string]bool{}
	for range 20 {
		giftCount(t, client)
	}
	for _, call := range up.calls {
		random := call.query.Get("random")
		if _, err := strconv.ParseUint(random, 10, 32); err != nil {
			t.Errorf("random is %q, no uint32", random)
		}
		seen[random] = true
	}
	if len(seen) < 19 {
		t.Errorf("20 calls had %d different values of random", len(seen))
	}
}

func TestRoomStatsAndRoomInfo(t *testing.T) {
	up := &upstream{answers: []answer{
		{body: `{"ActionStatus":"OK","ErrorCode":0,"RequestId":"Id-2","Response":{"TotalViewers":"6","TotalGiftsSent":5,"TotalGiftCoins":9007199254740993,"TotalUniqueGiftSenders":3,"TotalLikesReceived":2,"TotalMsgCount":1}}`},
		{body: `{"ErrorCode":"0","Response":{"RoomInfo":{"RoomId":"r","RoomName":"n","Owner_Account":144115233775727695,"CreateTime":1700000000,"IsMessageDisabled":"false","TakeSeatMode":1}}}`},
		{body: `{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":"10100015411","CreateTime":null}}}`},
	}}
	client := newClient(t, up, &keyStore{key: fakeKey}, nil)
	stats, err := client.RoomStats(t.Context(), "r")
	if err != nil || stats.TotalViewers != 6 || stats.TotalGiftsSent != 5 || stats.TotalGiftCoins != 9007199254740993 ||
		stats.TotalUniqueGiftSenders != 3 || stats.TotalLikesReceived != 2 || *stats.TotalMessages != 1 || stats.UpstreamRequestID != "Id-2" {
		t.Errorf("RoomStats = %+v, %v", stats, err)
	}
	info, err := client.RoomInfo(t.Context(), "r")
	if err != nil || info.OwnerAccount != "144115233775727695" || info.RoomName != "n" || info.CreatedAt != time.Unix(1700000000, 0).UTC() {
		t.Errorf("RoomInfo = %+v, %v", info, err)
	}
	info, err = client.RoomInfo(t.Context(), "r")
	if err != nil || info.OwnerAccount != "10100015411" || !info.CreatedAt.IsZero() {
		t.Errorf("RoomInfo = %+v, %v", info, err)
	}
	for i, want := range []string{"get_room_stats", "get_room_info"} {
		if up.calls[i].path != "POST /prefix/v4/live_engine_http_srv/"+want || up.calls[i].body != `{"RoomId":"r"}` {
			t.Errorf("call %d: %+v", i, up.calls[i])
		}
	}
}

// What is no clean success must be an error: it would be read as "nothing earned".
func TestUnusableAnswers(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answer
		want   giftstats.Code
		text   string
	}{
		{"not JSON", answer{body: "<html>"}, giftstats.CodeUpstreamInvalidResponse, "no JSON from byte 1 on"},
		{"empty", answer{}, giftstats.CodeUpstreamInvalidResponse, "not the documented JSON"},
		{"cut off", answer{body: sample[:60]}, giftstats.CodeUpstreamInvalidResponse, "not the documented JSON"},
		{"an array", answer{body: "[]"}, giftstats.CodeUpstreamInvalidResponse, "is a JSON array"},
		{"no ErrorCode", answer{body: `{"Response":{"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}`}, giftstats.CodeUpstreamInvalidResponse, "it has no ErrorCode"},
		{"ErrorCode null", answer{body: strings.Replace(sample, `"ErrorCode":0`, `"ErrorCode":null`, 1)}, giftstats.CodeUpstreamInvalidResponse, "it has no ErrorCode"},
		{"FAIL with code 0", answer{body: strings.Replace(sample, "OK", "FAIL", 1)}, giftstats.CodeUpstreamInvalidResponse, "its ActionStatus is not OK"},
		{"no totals", answer{body: `{"ActionStatus":"OK","ErrorCode":0}`}, giftstats.CodeUpstreamInvalidResponse, "no usable TotalCount"},
		{"one total missing", answer{body: strings.Replace(sample, `"TotalCoins":1,`, "", 1)}, giftstats.CodeUpstreamInvalidResponse, "no usable TotalCoins"},
		{"a total null", answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":null`, 1)}, giftstats.CodeUpstreamInvalidResponse, "no usable TotalCoins"},
		{"a negative total", answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":-1`, 1)}, giftstats.CodeUpstreamInvalidResponse, "no usable TotalCoins"},
		{"a fraction", answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":1.5`, 1)}, giftstats.CodeUpstreamInvalidResponse, "not a 64-bit integer"},
		{"an overflow", answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":9223372036854775808`, 1)}, giftstats.CodeUpstreamInvalidResponse, "not a 64-bit integer"},
		{"too long", answer{body: strings.Repeat(" ", 1<<20) + sample}, giftstats.CodeUpstreamInvalidResponse, "more than 1048576 bytes"},
		{"500 with a success in it", answer{status: 500, body: sample}, giftstats.CodeUpstreamUnavailable, "HTTP status 500"},
		{"502 of a proxy", answer{status: 502, body: "Bad Gateway"}, giftstats.CodeUpstreamUnavailable, "HTTP status 502"},
		{"408", answer{status: 408}, giftstats.CodeUpstreamUnavailable, "HTTP status 408"},
		{"429", answer{status: 429}, giftstats.CodeRateLimited, "HTTP status 429"},
		{"redirect", answer{status: 302, header: http.Header{"Location": {"https://elsewhere.example/"}}}, giftstats.CodeUpstreamConfig, "check GIFTSTATS_ENDPOINT"},
		{"404", answer{status: 404}, giftstats.CodeUpstreamConfig, "check GIFTSTATS_ENDPOINT"},
		{"403", answer{status: 403}, giftstats.CodeUpstreamRejected, "HTTP status 403"},
		{"a code in a 500", answer{status: 500, body: code(100004, "").body}, giftstats.CodeRoomNotFound, "100004"},
		{"a code beside a wrong shape", answer{body: `{"ErrorCode":70107,"Response":[]}`}, giftstats.CodeAccountNotFound, "70107"},
		{"an unknown code", code(123456, "nonsense"), giftstats.CodeUpstreamRejected, "123456"},
		{"an unknown code that says try again", code(123456, "Internal error, please TRY AGAIN"), giftstats.CodeUpstreamUnavailable, "123456"},
		{"an unknown code that says it in Chinese", code(123456, "系统繁忙，请稍后"), giftstats.CodeUpstreamUnavailable, "123456"},
		{"an unknown code in a 503", answer{status: 503, body: code(123456, "x").body}, giftstats.CodeUpstreamUnavailable, "123456"},
		{"the app's own webhook", code(102150, "x"), giftstats.CodeUpstreamRejected, "102150"},
		{"network", answer{err: errors.New("connection refused")}, giftstats.CodeUpstreamUnavailable, "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := newClient(t, &upstream{answers: []answer{test.answer}}, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 1 })
			stats, err := giftCount(t, client)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %s with %q", err, test.want, test.text)
			}
			if stats != (giftstats.Stats{}) {
				t.Errorf("numbers beside the error: %+v", stats)
			}
		})
	}
}

func TestUnknownCodeKeepsItsNumber(t *testing.T) {
	client := newClient(t, &upstream{answers: []answer{code(123456, "x"+strings.Repeat("é", 400))}}, &keyStore{key: fakeKey}, nil)
	_, err := giftCount(t, client)
	up := giftstats.AsError(err).Upstream
	if up == nil || up.ErrorCode != 123456 || up.RequestID != "Id-1" || len(up.ErrorInfo) > 520 || !strings.HasSuffix(up.ErrorInfo, "…") {
		t.Errorf("upstream is %+v", up)
	}
	if _, err := json.Marshal(up); err != nil {
		t.Error(err)
	}
}

func TestTolerance(t *testing.T) {
	for name, body := range map[string]string{
		"numbers as strings":  `{"ActionStatus":"OK","ErrorCode":"0","Response":{"Sequence":"7","TotalCount":"2","TotalCoins":"30","GiftSenderCount":"1"}}`,
		"no ActionStatus":     `{"ErrorCode":0,"Response":{"TotalCount":2,"TotalCoins":30,"GiftSenderCount":1}}`,
		"odd sequence":        `{"ActionStatus":"ok","ErrorCode":0,"Response":{"Sequence":{"x":1},"TotalCount":2,"TotalCoins":30,"GiftSenderCount":1}}`,
		"new fields anywhere": `{"ActionStatus":"OK","ErrorCode":0,"New":[1],"Response":{"More":{},"TotalCount":2,"TotalCoins":30,"GiftSenderCount":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			stats, err := giftCount(t, newClient(t, &upstream{answers: []answer{{body: body}}}, &keyStore{key: fakeKey}, nil))
			if err != nil || stats.TotalCount != 2 || stats.TotalCoins != 30 || stats.GiftSenderCount != 1 {
				t.Errorf("%+v, %v", stats, err)
			}
			if hasSequence := stats.Sequence != nil; hasSequence != (name == "numbers as strings") {
				t.Errorf("sequence there: %v", hasSequence)
			}
		})
	}
}

func TestNewChecks(t *testing.T) {
	good := liveengine.Config{Secrets: secret.NewCache(secret.Options{}), Limiter: giftstats.NewLimiter(1), Timeout: 1, Attempts: 1}
	good.Endpoint, _ = endpoint.Parse("https://console.tim.qq.com")
	for name, change := range map[string]func(*liveengine.Config){
		"no endpoint":   func(c *liveengine.Config) { c.Endpoint = nil },
		"open endpoint": func(c *liveengine.Config) { c.Endpoint = &url.URL{Scheme: "http", Host: "example.com"} },
		"no secrets":    func(c *liveengine.Config) { c.Secrets = nil },
		"no limiter":    func(c *liveengine.Config) { c.Limiter = nil },
		"no timeout":    func(c *liveengine.Config) { c.Timeout = 0 },
		"no attempts":   func(c *liveengine.Config) { c.Attempts = 0 },
	} {
		config := good
		change(&config)
		if _, err := liveengine.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := liveengine.New(good); err != nil {
		t.Error(err)
	}
}

func ExampleClient_GiftCount() {
	up := &upstream{answers: []answer{{body: sample}}}
	client := newClient(new(testing.B), up, &keyStore{key: fakeKey}, nil)
	stats, err := client.GiftCount(context.Background(), giftstats.Query{RoomID: "room_id", Account: "user1"})
	fmt.Println(stats.TotalCount, stats.TotalCoins, stats.GiftSenderCount, err)
	// Output: 1 1 1 <nil>
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(sample), 200)
	f.Add([]byte(code(100004, "x").body), 200)
	f.Add([]byte(`{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":1}}}`), 200)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		client := newClient(t, &upstream{answers: []answer{{status: status, body: string(body)}}}, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 1 })
		stats, err := client.GiftCount(t.Context(), giftstats.Query{RoomID: "r", Account: "a"})
		if err == nil && (status != 200 || stats.TotalCount < 0 || stats.TotalCoins < 0 || stats.GiftSenderCount < 0) {
			t.Fatalf("status %d and %q were taken as %+v", status, body, stats)
		}
		client.RoomStats(t.Context(), "r")
		if info, err := client.RoomInfo(t.Context(), "r"); err == nil && info.OwnerAccount == "" {
			t.Fatalf("no owner in %q, and no error", body)
		}
	})
}
