//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// A browser signs in at the local server, and looks at every view: e2e/console/console.test.mjs. With SCREENSHOTS=directory it also
// takes a picture of each.
func TestConsole(t *testing.T) {
	t.Parallel()
	inTime(t, testConsole)
}

func testConsole(t *testing.T) {
	stage := newConsoleStage(t)
	demo, output := runLocal(t, nil)
	world, err := json.Marshal(map[string]any{
		"demo":  map[string]string{"url": demo, "key": regexp.MustCompile(`KEY=(\S+)`).FindStringSubmatch(output)[1]},
		"app":   map[string]string{"url": stage.url, "key": fixture.APIKey, "control": stage.control},
		"month": stage.month, "streams": historyStreams, "ofAlice": historyOfAlice,
		"present": time.Now().In(singapore).Format("2006-01"),
		"tools":   filepath.Join(folder(t, "GIFTSTATS_TOOLS"), "console"),
	})
	if err != nil {
		t.Fatal(err)
	}
	browser := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", "console/console.test.mjs")
	browser.Env = append(os.Environ(), "WORLD="+string(world))
	out, err := browser.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// singapore is where the browser is.
var singapore = time.FixedZone("Singapore", 8*60*60)

// The streams of the month before this one.
const (
	historyStreams = 105 // more than a page
	historyOfAlice = 15
)

// consoleStage is an app with a month of streams, and with a local server below a base path.
type consoleStage struct {
	engine  *simulator.Engine
	url     string
	control string // URL: each POST sends a gift
	month   string // like 2026-10

	mu  sync.Mutex
	now time.Time // of the engine; zero: the real time
}

func newConsoleStage(t *testing.T) *consoleStage {
	t.Helper()
	s := &consoleStage{}
	var upstream string
	s.engine, upstream = fixture.Engine(t, func(c *simulator.Config) {
		c.Now = s.clock
		c.Gifts = append(c.Gifts, append(simulator.DefaultGifts(), simulator.Gift{ID: hostileGift, Coins: 7})...)
	})
	s.url, _ = runLocal(t, map[string]string{
		"GIFTSTATS_SECRET": secretFile(t), "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_BASE_PATH": "/prod", "GIFTSTATS_LOG_LEVEL": "error",
	})
	s.addHistory(t)
	s.setClock(time.Time{})
	err := s.engine.SetWebhook(s.url+"/v1/webhooks/live", fixture.LiveToken,
		simulator.AfterCreateRoom, simulator.AfterSeatInfoChanged, simulator.BeforeSendGift, simulator.AfterDestroyRoom)
	if err != nil {
		t.Fatal(err)
	}
	s.addHostile(t)
	s.addLive(t)
	return s
}

func (s *consoleStage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.IsZero() {
		return time.Now()
	}
	return s.now
}

func (s *consoleStage) setClock(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// addHistory adds the streams of last month. In Singapore, that month began 8 hours earlier than in UTC: the first stream is in the month
// before in UTC.
func (s *consoleStage) addHistory(t *testing.T) {
	t.Helper()
	year, month, _ := time.Now().In(singapore).Date()
	first := time.Date(year, month-1, 1, 0, 0, 0, 0, singapore)
	s.month = first.Format("2006-01")
	shows := []string{"friday-show", "morning-talk", "karaoke-night", "cooking-live", "late-talk"}
	for i := range historyStreams {
		began := first.Add(10*time.Minute + time.Duration(i)*6*time.Hour)
		ended := began.Add(time.Duration(50+37*i%90) * time.Minute)
		host := fmt.Sprintf("host-%02d", i%12)
		if i%(historyStreams/historyOfAlice) == 0 {
			host = "alice"
		}
		room := fmt.Sprintf("%s-%d", shows[i%len(shows)], i+1)
		s.setClock(began)
		s.must(t, s.engine.CreateRoom(simulator.RoomInfo{RoomID: room, Owner: host}))
		s.gift(t, room, "rose", int64(20+17*i%300), "carol", host)
		s.gift(t, room, "car", int64(1+7*i%23), "dave", host)
		s.gift(t, room, "rocket", int64(1+5*i%7), "erin", host)
		if i%10 == 3 {
			s.gift(t, room, "car", 2, "frank", "a-guest") // of whom the event says nothing
		}
		s.end(t, room, host, ended)
	}
}

func (s *consoleStage) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *consoleStage) gift(t *testing.T, room, gift string, count int64, sender string, receivers ...string) {
	t.Helper()
	s.must(t, s.engine.SendGift(simulator.SentGift{RoomID: room, GiftID: gift, Count: count, Sender: sender, Receivers: receivers}))
}

// end reports the end of a stream.
func (s *consoleStage) end(t *testing.T, room, host string, ended time.Time) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"room_id": room, "accounts": []string{host}, "ended_at": ended.UTC(), "event_id": "event-" + room[max(0, len(room)-20):],
	})
	s.must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/stream-ends", bytes.NewReader(body))
	s.must(t, err)
	request.Header.Set("Authorization", "Bearer "+fixture.APIKey)
	response, err := http.DefaultClient.Do(request)
	s.must(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %s, want 200", body, response.Status)
	}
}

// Names that would do harm if the page took them for HTML, and names that break lines or turn the direction of the text.
const (
	hostileRoom   = `<img src=x onerror="document.title='taken'">`
	hostileHost   = `"><script>taken=1</script>`
	hostileGift   = `<svg/onload=taken=1>`
	hostileSender = "\u202e\u05d0\u05d1\u05d2 &lt;b&gt;"
	longSender    = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
)

// addHostile adds a live room, and one that has ended, with such names.
func (s *consoleStage) addHostile(t *testing.T) {
	t.Helper()
	for _, room := range []string{hostileRoom, "x" + hostileRoom} {
		s.must(t, s.engine.CreateRoom(simulator.RoomInfo{RoomID: room, Owner: hostileHost}))
		s.gift(t, room, hostileGift, 3, hostileSender, hostileHost)
		s.gift(t, room, "rocket", 123456, longSender, hostileHost)
	}
	_, err := s.engine.DestroyRoom(t.Context(), "x"+hostileRoom)
	s.must(t, err)
}

// addLive adds a live room, and one that has ended, and starts the control, which gives a gift in the live one at each request.
func (s *consoleStage) addLive(t *testing.T) {
	t.Helper()
	for _, room := range []string{"saturday-show", "early-show"} {
		s.must(t, s.engine.CreateRoom(simulator.RoomInfo{RoomID: room, Owner: "alice", IsSeatEnabled: true, MaxSeatCount: 4}))
		s.must(t, s.engine.TakeSeat(room, "bob", 0))
		for i, sender := range []string{"carol", "dave", "erin", "frank", "grace"} {
			s.must(t, s.engine.EnterRoom(room, sender))
			s.must(t, s.engine.Like(room, sender, int64(25+i)))
			s.gift(t, room, "rose", int64(10+7*i), sender, "alice")
			s.gift(t, room, "car", int64(1+i), sender, "alice")
		}
		s.gift(t, room, "rocket", 2, "frank", "bob")
	}
	_, err := s.engine.DestroyRoom(t.Context(), "early-show")
	s.must(t, err)
	gifts := 0
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		gifts++
		gift := []string{"rose", "rose", "car", "rose", "car", "rose", "rocket"}[gifts%7]
		sender := []string{"carol", "dave", "erin", "frank", "grace"}[gifts*3%5]
		sent := simulator.SentGift{RoomID: "saturday-show", GiftID: gift, Count: int64(1 + gifts%4), Sender: sender, Receivers: []string{"alice"}}
		if err := s.engine.SendGift(sent); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(control.Close)
	s.control = control.URL
}
