package streamend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// engine answers for every room; what it may fail with is given by room, or by account.
type engine struct{ failures map[string]giftstats.Code }

func (e engine) err(what string) error {
	if code, ok := e.failures[what]; ok {
		return giftstats.Errorf(code, "as told")
	}
	return nil
}

func (e engine) GiftCount(_ context.Context, q giftstats.Query) (giftstats.Stats, error) {
	if q.Account == "panic" {
		panic("bug")
	}
	return giftstats.Stats{RoomID: q.RoomID, Account: q.Account, TotalCount: 1, TotalCoins: int64(len(q.RoomID)), GiftSenderCount: 1, FetchedAt: now}, e.err(q.Account)
}

func (e engine) RoomStats(_ context.Context, roomID string) (giftstats.RoomStats, error) {
	return giftstats.RoomStats{RoomID: roomID, RoomTotals: giftstats.RoomTotals{TotalGiftCoins: int64(len(roomID))}, FetchedAt: now}, e.err("stats")
}

func (e engine) RoomInfo(_ context.Context, roomID string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{RoomID: roomID, OwnerAccount: "owner"}, e.err("info")
}

// box keeps what is delivered.
type box struct {
	mu       sync.Mutex
	messages []delivery.Message
	err      error
}

func (b *box) Deliver(_ context.Context, m delivery.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	return b.err
}

func processor(e giftstats.Engine, d delivery.Deliverer) *streamend.Processor {
	return logging(e, d, io.Discard)
}

func logging(e giftstats.Engine, d delivery.Deliverer, log io.Writer) *streamend.Processor {
	return streamend.NewProcessor(streamend.Config{
		Service: giftstats.NewService(e), Deliver: d, WaitIdle: func(context.Context) {}, Meter: new(telemetry.Meter), Now: func() time.Time { return now },
		Logger: slog.New(telemetry.Handler{Handler: slog.NewJSONHandler(log, nil)}),
	})
}

func TestParse(t *testing.T) {
	full := `{"event_id":"e-1","room_id":"r","accounts":["a","b"],"ended_at":"2026-11-23T13:00:00+01:00","reason":"x","source":"trtc","room_totals":{"total_viewers":1,"total_messages":2},"more":1}`
	event, err := streamend.Parse([]byte(full), "m")
	if err != nil {
		t.Fatal(err)
	}
	encoded, _ := json.Marshal(event)
	if want := `{"event_id":"e-1","room_id":"r","accounts":["a","b"],"ended_at":"2026-11-23T12:00:00Z","reason":"x","source":"trtc","room_totals":{"total_viewers":1,"total_gifts_sent":0,"total_gift_coins":0,"total_unique_gift_senders":0,"total_likes_received":0,"total_messages":2}}`; string(encoded) != want {
		t.Errorf("\n got %s\nwant %s", encoded, want)
	}
	parse := func(text, messageID string) streamend.Event {
		event, err := streamend.Parse([]byte(text), messageID)
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
	byTime := parse(`{"room_id":"r","ended_at":"2026-11-23T12:00:00Z"}`, "m1")
	if byTime.Source != streamend.SourceDirect || byTime.EventID != parse(`{"room_id":"r","ended_at":"2026-11-23T13:00:00+01:00"}`, "m2").EventID {
		t.Errorf("the same end has two ids: %+v", byTime)
	}
	first, repeat, other := parse(`{"room_id":"r"}`, "m1"), parse(`{"room_id":"r"}`, "m1"), parse(`{"room_id":"r"}`, "m2")
	if first.EventID != repeat.EventID || first.EventID == other.EventID {
		t.Error("without a time, the message does not tell ends apart")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "no JSON object",
		"nonsense":                           "no JSON object",
		"[]":                                 "no JSON object",
		"{}":                                 "room_id is missing or empty",
		`{"room_id":7}`:                      "the event's room_id has the wrong type",
		`{"room_id":"r","ended_at":"today"}`: "ended_at must be like",
		`{"room_id":"r","ended_at":"9999-12-31T23:59:59-10:00"}`:              "after 9999",
		`{"room_id":"r","source":"tv"}`:                                       "source must be live, trtc, css or direct",
		`{"room_id":"r","accounts":[""]}`:                                     "account is missing or empty",
		`{"room_id":"r","accounts":["a"` + strings.Repeat(`,"a"`, 100) + `]}`: "it names 101 accounts",
		`{"room_id":"r","reason":"` + strings.Repeat("x", 201) + `"}`:         "reason must have at most 200 bytes",
		"{\"room_id\":\"\xff\"}":                                              "not valid UTF-8",
	} {
		if event, err := streamend.Parse([]byte(text), "m"); !permanent.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %+v, %v; want a final error with %q", text, event, err, want)
		}
	}
}

func TestSummaries(t *testing.T) {
	const room = `{"total_viewers":0,"total_gifts_sent":0,"total_gift_coins":1,"total_unique_gift_senders":0,"total_likes_received":0}`
	stats := func(account string) string {
		return `{"room_id":"r","account":"` + account + `","total_count":1,"total_coins":1,"gift_sender_count":1,"fetched_at":"2026-11-23T12:00:00Z"}`
	}
	failed := func(account, code, title string, status int) string {
		return fmt.Sprintf(`{"account":"%s","error":{"type":"about:blank","title":"%s","status":%d,"detail":"as told","code":"%s","retryable":false}}`, account, title, status, code)
	}
	for _, test := range []struct {
		name, event string
		failures    map[string]giftstats.Code
		want        string // data, after the event's own fields
	}{
		{"accounts named", `{"event_id":"e","room_id":"r","accounts":["a","b"]}`, nil, `"room":` + room + `,"room_from":"upstream","accounts":[` + stats("a") + `,` + stats("b") + `],"complete":true`},
		{"the owner's", `{"event_id":"e","room_id":"r"}`, nil, `"room":` + room + `,"room_from":"upstream","accounts":[` + stats("owner") + `],"complete":true`},
		{"totals brought", `{"event_id":"e","room_id":"r","room_totals":{"total_gift_coins":1}}`, map[string]giftstats.Code{"stats": giftstats.CodeUpstreamUnavailable}, `"room":` + room + `,"room_from":"webhook","accounts":[` + stats("owner") + `],"complete":true`},
		{"room dissolved", `{"event_id":"e","room_id":"r","accounts":["a"]}`, map[string]giftstats.Code{"stats": giftstats.CodeRoomNotFound, "a": giftstats.CodeRoomNotFound}, `"room":null,"room_from":"none","accounts":[` + failed("a", "room_not_found", "Not Found", 404) + `],"complete":false`},
		{"room dissolved, owner not known", `{"event_id":"e","room_id":"r"}`, map[string]giftstats.Code{"stats": giftstats.CodeRoomNotFound, "info": giftstats.CodeRoomNotFound}, `"room":null,"room_from":"none","accounts":[],"complete":false`},
		{"room dissolved, totals brought", `{"event_id":"e","room_id":"r","room_totals":{"total_gift_coins":1}}`, map[string]giftstats.Code{"info": giftstats.CodeRoomNotFound}, `"room":` + room + `,"room_from":"webhook","accounts":[],"complete":false`},
		{"one account unknown", `{"event_id":"e","room_id":"r","accounts":["a","b"]}`, map[string]giftstats.Code{"b": giftstats.CodeAccountNotFound}, `"room":` + room + `,"room_from":"upstream","accounts":[` + stats("a") + `,` + failed("b", "account_not_found", "Not Found", 404) + `],"complete":false`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &box{}
			event, err := streamend.Parse([]byte(test.event), "")
			if err != nil {
				t.Fatal(err)
			}
			if err := processor(engine{test.failures}, b).Process(t.Context(), event); err != nil {
				t.Fatal(err)
			}
			want := `{"type":"stream.summary","timestamp":"2026-11-23T12:00:00Z","data":{"event_id":"e","room_id":"r","source":"direct",` + test.want + `}}`
			if m := b.messages[0]; m.ID != "e" || m.Type != streamend.SummaryType || !m.At.Equal(now) || string(m.Body) != want {
				t.Errorf("\n got %s\nwant %s", m.Body, want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	event := streamend.Event{EventID: "e", RoomID: "r", Source: streamend.SourceDirect}
	for _, what := range []string{"info", "owner", "stats"} {
		for _, code := range giftstats.Codes() {
			b := &box{}
			err := processor(engine{map[string]giftstats.Code{what: code}}, b).Process(t.Context(), event)
			_, settled := map[giftstats.Code]bool{giftstats.CodeRoomNotFound: true, giftstats.CodeAccountNotFound: true, giftstats.CodeInvalidRequest: true, giftstats.CodeUpstreamRejected: true}[code]
			if settled != (err == nil) || settled != (len(b.messages) == 1) || permanent.Is(err) {
				t.Errorf("%s fails with %s: %v, %d delivered", what, code, err, len(b.messages))
			}
		}
	}
	down := &box{err: errors.New("down")}
	if err := processor(engine{}, down).Process(t.Context(), event); err == nil || permanent.Is(err) {
		t.Errorf("delivery down: %v", err)
	}
	gone := &box{err: permanent.Error(errors.New("410 Gone"))}
	if err := processor(engine{}, gone).Process(t.Context(), event); !permanent.Is(err) || !strings.Contains(err.Error(), "event e: deliver: 410 Gone") {
		t.Errorf("delivery refused: %v", err)
	}
}

func TestProcessAll(t *testing.T) {
	b := &box{}
	messages := []streamend.Message{
		{ID: "1", Body: []byte(`{"room_id":"r","accounts":["a"]}`)},
		{ID: "2", Body: []byte(`nonsense`)},
		{ID: "3", Body: []byte(`{"room_id":"r","accounts":["unlucky"]}`)},
		{ID: "4", Body: []byte(`{"room_id":"r","accounts":["panic"]}`)},
		{ID: "5", Err: errors.New("no event in it")},
		{ID: "6", Body: []byte(`{"room_id":"r","accounts":["a"]}`)},
	}
	errs := processor(engine{map[string]giftstats.Code{"unlucky": giftstats.CodeUpstreamTimeout}}, b).ProcessAll(t.Context(), messages)
	for i, want := range []string{"", "final", "again", "again", "final", ""} {
		if got := errs[i]; (got == nil) != (want == "") || permanent.Is(got) != (want == "final") {
			t.Errorf("message %d: %v, want %q", i+1, got, want)
		}
	}
	if len(b.messages) != 2 {
		t.Errorf("%d delivered, want 2", len(b.messages))
	}
}

// One line about each event, with a code that says what failed.
func TestLog(t *testing.T) {
	for _, test := range []struct {
		name, body string
		deliver    error
		want       []string
	}{
		{"delivered", `{"event_id":"e-1","room_id":"r","accounts":["a"]}`, nil, []string{`"level":"INFO","msg":"event processed"`, `"message_id":"m-1"`, `"event_id":"e-1","room_id":"r"`, `"requests":1`, `"cold_start":true`, `"request_id":"r-1"`, `"deliveries":1`}},
		{"no event", `nonsense`, nil, []string{`"level":"ERROR","msg":"event given up: no repeat can help"`, `"errors":1,"code":"invalid_request"`}},
		{"upstream", `{"event_id":"e-1","room_id":"r","accounts":["unlucky"]}`, nil, []string{`"level":"WARN","msg":"event failed: it has to come again"`, `"event_id":"e-1","room_id":"r","errors":1,"code":"upstream_timeout"`}},
		{"panic", `{"room_id":"r","accounts":["panic"]}`, nil, []string{`"level":"WARN"`, `"code":"internal"`, "goroutine"}},
		{"receiver down", `{"room_id":"r","accounts":["a"]}`, errors.New("502"), []string{`"level":"WARN"`, `"code":"delivery_failed"`}},
		{"receiver refuses", `{"room_id":"r","accounts":["a"]}`, permanent.Error(errors.New("410")), []string{`"level":"ERROR"`, `"code":"delivery_failed"`}},
	} {
		var log bytes.Buffer
		p := logging(engine{map[string]giftstats.Code{"unlucky": giftstats.CodeUpstreamTimeout}}, &box{err: test.deliver}, &log)
		p.ProcessAll(telemetry.WithRequestID(t.Context(), "r-1"), []streamend.Message{{ID: "m-1", Body: []byte(test.body)}})
		for _, want := range test.want {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: %s is missing in %s", test.name, want, log.String())
			}
		}
	}
}

// slow holds every delivery up, until its context ends.
type slow struct{ took time.Duration }

func (s slow) Deliver(ctx context.Context, _ delivery.Message) error {
	select {
	case <-time.After(s.took):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestProcessAllReportsWhatTheDeadlineLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := make([]streamend.Message, 100)
		for i := range messages {
			messages[i] = streamend.Message{ID: fmt.Sprint(i), Body: []byte(`{"room_id":"r","accounts":["a"]}`)}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun, done := time.Now(), 0
		for _, err := range processor(engine{}, slow{300 * time.Millisecond}).ProcessAll(ctx, messages) {
			if err == nil {
				done++
			} else if permanent.Is(err) {
				t.Errorf("given up: %v", err)
			}
		}
		if took := time.Since(begun); done != 32 || took >= time.Second {
			t.Errorf("%d of 100 done after %v: want two rounds of 16, and the report before the deadline", done, took)
		}
	})
}

func ExampleProcessor_Process() {
	b := &box{}
	event, _ := streamend.Parse([]byte(`{"event_id":"e-1","room_id":"room_id","accounts":["user1"],"room_totals":{"total_gift_coins":7}}`), "")
	err := processor(engine{}, b).Process(context.Background(), event)
	fmt.Println(err, b.messages[0].ID, len(b.messages))
	// Output: <nil> e-1 1
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"event_id":"e-1","room_id":"r","accounts":["a"],"ended_at":"2026-11-23T12:00:00Z","source":"live","room_totals":{"total_viewers":1}}`))
	f.Add([]byte(`{"room_id":"r"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		event, err := streamend.Parse(raw, "m")
		if (err == nil) == permanent.Is(err) {
			t.Fatalf("%v is not final", err)
		}
		if err != nil {
			return
		}
		encoded, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := streamend.Parse(encoded, ""); err != nil || back.EventID != event.EventID {
			t.Fatalf("%s does not survive a queue: %v", encoded, err)
		}
	})
}
