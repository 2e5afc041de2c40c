package streamend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
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
	return giftstats.Stats{
		RoomID: q.RoomID, Account: q.Account, TotalCount: 1, TotalCoins: int64(len(q.RoomID)), GiftSenderCount: 1, FetchedAt: now,
	}, e.err(q.Account)
}

func (e engine) RoomStats(_ context.Context, roomID string) (giftstats.RoomStats, error) {
	totals := giftstats.RoomTotals{TotalGiftCoins: int64(len(roomID))}
	return giftstats.RoomStats{RoomID: roomID, RoomTotals: totals, FetchedAt: now}, e.err("stats")
}

func (e engine) RoomInfo(_ context.Context, roomID string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{RoomID: roomID, OwnerAccount: "owner"}, e.err("info")
}

func (e engine) RoomList(context.Context, string) (giftstats.RoomList, error) {
	return giftstats.RoomList{}, nil
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

func processor(t testing.TB, e giftstats.Engine, d delivery.Deliverer) *streamend.Processor {
	t.Helper()
	return logging(t, e, d, io.Discard)
}

func logging(t testing.TB, e giftstats.Engine, d delivery.Deliverer, log io.Writer) *streamend.Processor {
	t.Helper()
	return newProcessor(t, streamend.Config{
		Service: giftstats.NewService(e), Receivers: []delivery.Receiver{{Name: "box", Deliverer: d}},
		Now:    func() time.Time { return now },
		Logger: slog.New(telemetry.Handler{Handler: slog.NewJSONHandler(log, nil)}),
	})
}

// newProcessor returns a processor with defaults for what config lacks.
func newProcessor(t testing.TB, config streamend.Config) *streamend.Processor {
	t.Helper()
	if config.Rate == 0 {
		config.Rate = 10_000
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	config.WaitIdle, config.Meter = func(context.Context) {}, new(telemetry.Meter)
	p, err := streamend.NewProcessor(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	full := `{"event_id":"e-1","room_id":"r","accounts":["a","b"],"ended_at":"2026-11-23T13:00:00+01:00","reason":"x","source":"trtc",` +
		`"room_totals":{"total_viewers":1,"total_gifts_sent":0,"total_gift_coins":0,"total_unique_gift_senders":0,` +
		`"total_likes_received":0,"total_messages":2,"more":1},"more":1}`
	event, err := streamend.Parse([]byte(full), "m")
	if err != nil {
		t.Fatal(err)
	}
	encoded, _ := json.Marshal(event)
	want := `{"event_id":"e-1","room_id":"r","accounts":["a","b"],"ended_at":"2026-11-23T12:00:00Z","reason":"x","source":"trtc",` +
		`"room_totals":{"total_viewers":1,"total_gifts_sent":0,"total_gift_coins":0,"total_unique_gift_senders":0,` +
		`"total_likes_received":0,"total_messages":2}}`
	if string(encoded) != want {
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
	sameTime := parse(`{"room_id":"r","ended_at":"2026-11-23T13:00:00+01:00","source":"trtc"}`, "m2")
	if byTime.Source != streamend.SourceDirect {
		t.Errorf("the source is %q", byTime.Source)
	}
	if byTime.EventID != sameTime.EventID {
		t.Errorf("the same end has two ids: %+v", byTime)
	}
	first, repeat, other := parse(`{"room_id":"r"}`, "m1"), parse(`{"room_id":"r"}`, "m1"), parse(`{"room_id":"r"}`, "m2")
	if first.EventID != repeat.EventID || first.EventID == other.EventID {
		t.Error("without a time, the message does not tell ends apart")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "must be a JSON object",
		"nonsense":                           "must be a JSON object",
		"[]":                                 "must be a JSON object",
		"{}":                                 "room_id is missing or empty",
		`{"room_id":7}`:                      "the event's room_id has the wrong type",
		`{"room_id":"r","ended_at":"today"}`: "ended_at must be like",
		`{"room_id":"r","ended_at":"9999-12-31T23:59:59-10:00"}`:              "after 9999",
		`{"room_id":"r","source":"tv"}`:                                       "source must be live, trtc, css, direct or sweep",
		`{"room_id":"r","accounts":[""]}`:                                     "account is missing or empty",
		`{"room_id":"r","accounts":["a"` + strings.Repeat(`,"a"`, 100) + `]}`: "accounts has 101 entries",
		`{"room_id":"r","reason":"` + strings.Repeat("x", 201) + `"}`:         "reason must have at most 200 bytes",
		"{\"room_id\":\"\xff\"}":                                              "not valid UTF-8",
	} {
		if event, err := streamend.Parse([]byte(text), "m"); !permanent.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %+v, %v; want a permanent error with %q", text, event, err, want)
		}
	}
}

func TestSummaries(t *testing.T) {
	const (
		room = `{"total_viewers":0,"total_gifts_sent":0,"total_gift_coins":1,"total_unique_gift_senders":0,"total_likes_received":0}`
		both = `"reconciled":false,"unattributed":{"total_count":-2,"total_coins":-1},`
		one  = `"reconciled":false,"unattributed":{"total_count":-1,"total_coins":0},`
	)
	stats := func(account string) string {
		return `{"room_id":"r","account":"` + account + `","total_count":1,"total_coins":1,"gift_sender_count":1,` +
			`"fetched_at":"2026-11-23T12:00:00Z","from":"upstream","as_of":"2026-11-23T12:00:00Z"}`
	}
	failed := func(account string, code giftstats.Code) string {
		return `{"account":"` + account + `","error":{"type":"about:blank","title":"Not Found","status":404,"detail":"as told","code":"` +
			string(code) + `","retryable":false}}`
	}
	const gone, unknown = giftstats.CodeRoomNotFound, giftstats.CodeAccountNotFound
	for _, test := range []struct {
		name     string
		event    string // after its id and room
		failures map[string]giftstats.Code
		want     string // data, after the event's own fields
	}{
		{
			name: "accounts named", event: `,"accounts":["a","b"]`,
			want: `"room":` + room + `,"room_from":"upstream","accounts":[` + stats("a") + `,` + stats("b") + `],` + both + `"complete":true`,
		},
		{
			name: "owner looked up",
			want: `"room":` + room + `,"room_from":"upstream","accounts":[` + stats("owner") + `],` + one + `"complete":true`,
		},
		{
			name: "room dissolved", event: `,"accounts":["a"]`, failures: map[string]giftstats.Code{"info": gone},
			want: `"room":null,"room_from":"none","accounts":[` + failed("a", gone) + `],"complete":false`,
		},
		{
			name: "room dissolved while the numbers were asked for", event: `,"accounts":["a"]`,
			failures: map[string]giftstats.Code{"a": gone, "stats": gone},
			want:     `"room":null,"room_from":"none","accounts":[` + failed("a", gone) + `],"complete":false`,
		},
		{
			name: "room dissolved, owner not known", failures: map[string]giftstats.Code{"info": gone},
			want: `"room":null,"room_from":"none","accounts":[],"complete":false`,
		},
		{
			name: "room dissolved, totals brought", event: `,"room_totals":` + room,
			failures: map[string]giftstats.Code{"info": gone},
			want: `"room":` + room + `,"room_from":"webhook","accounts":[],` +
				`"reconciled":false,"unattributed":{"total_count":0,"total_coins":1},"complete":false`,
		},
		{
			name: "one account unknown", event: `,"accounts":["a","b"]`, failures: map[string]giftstats.Code{"b": unknown},
			want: `"room":` + room + `,"room_from":"upstream","accounts":[` + stats("a") + `,` + failed("b", unknown) + `],` +
				one + `"complete":false`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &box{}
			event, err := streamend.Parse([]byte(`{"event_id":"e","room_id":"r"`+test.event+`}`), "")
			if err != nil {
				t.Fatal(err)
			}
			if err := processor(t, engine{failures: test.failures}, b).Process(t.Context(), event); err != nil {
				t.Fatal(err)
			}
			m := b.messages[0]
			want := `{"type":"stream.summary","timestamp":"2026-11-23T12:00:00Z","data":{"event_id":"e","room_id":"r","source":"direct",` +
				test.want + `}}`
			if string(m.Body) != want {
				t.Errorf("\n got %s\nwant %s", m.Body, want)
			}
			if m.ID != "e" || m.Type != streamend.SummaryType || !m.At.Equal(now) {
				t.Errorf("the message has id %s, type %s and time %v", m.ID, m.Type, m.At)
			}
			var summary streamend.Summary
			if err := json.Unmarshal(m.Body, &summary); err != nil {
				t.Fatal(err)
			}
			if again, err := json.Marshal(summary); err != nil || string(again) != want {
				t.Errorf("decoded and encoded again: %s, %v", again, err)
			}
		})
	}
}

// Without a ledger, the end of an ordinary show has its numbers: in Tencent's kits all gifts go to the owner.
func TestOwnerHasTheTotalsOfTheRoom(t *testing.T) {
	b := &box{}
	raw := `{"room_id":"r","accounts":["owner"],"ended_at":"2026-11-23T12:00:00Z","source":"live",` +
		`"room_totals":{"total_viewers":9,"total_gifts_sent":3,"total_gift_coins":300,"total_unique_gift_senders":2,"total_likes_received":0}}`
	event, err := streamend.Parse([]byte(raw), "")
	if err != nil {
		t.Fatal(err)
	}
	gone := engine{failures: map[string]giftstats.Code{"info": giftstats.CodeRoomNotFound}}
	if err := processor(t, gone, b).Process(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	var summary streamend.Summary
	if err := json.Unmarshal(b.messages[0].Body, &summary); err != nil {
		t.Fatal(err)
	}
	data := summary.Data
	if len(data.Accounts) != 1 || data.Accounts[0].From != streamend.FromRoom {
		t.Fatalf("accounts are %+v", data.Accounts)
	}
	if stats := data.Accounts[0].Stats; stats.TotalCount != 3 || stats.TotalCoins != 300 || stats.GiftSenderCount != 2 {
		t.Errorf("the owner's numbers are %+v", stats)
	}
	if !data.Complete || data.Reconciled == nil || !*data.Reconciled || data.Unattributed != nil {
		t.Errorf("complete %v, reconciled %v, unattributed %v", data.Complete, data.Reconciled, data.Unattributed)
	}
}

// createdAt is an engine whose room was created at given times.
type createdAt struct {
	engine
	at []time.Time // for each question in turn; the last one from then on
	n  *int
}

func (c createdAt) RoomInfo(ctx context.Context, roomID string) (giftstats.RoomInfo, error) {
	info, err := c.engine.RoomInfo(ctx, roomID)
	info.CreatedAt = c.at[min(*c.n, len(c.at)-1)]
	*c.n++
	return info, err
}

// A room that was created again after the end has the coins of another show.
func TestAnotherShowsNumbersAreNotTaken(t *testing.T) {
	before, after := now.Add(-time.Hour), now.Add(time.Second)
	for _, test := range []struct {
		name string
		at   []time.Time
		want bool // the numbers are of this show
	}{
		{name: "the same room", at: []time.Time{before}, want: true},
		{name: "created again before the question", at: []time.Time{after}},
		{name: "created again during the questions", at: []time.Time{before, after}},
		{name: "not known when", at: []time.Time{{}}, want: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &box{}
			event := streamend.Event{EventID: "e", RoomID: "r", Accounts: []string{"a"}, EndedAt: &now, Source: streamend.SourceDirect}
			if err := processor(t, createdAt{at: test.at, n: new(int)}, b).Process(t.Context(), event); err != nil {
				t.Fatal(err)
			}
			var summary streamend.Summary
			if err := json.Unmarshal(b.messages[0].Body, &summary); err != nil {
				t.Fatal(err)
			}
			earning := summary.Data.Accounts[0]
			if got := earning.Stats != nil; got != test.want {
				t.Errorf("has numbers: %v, want %v: %s", got, test.want, b.messages[0].Body)
			}
			if !test.want && summary.Data.Room != nil {
				t.Errorf("the totals are those of another show: %+v", summary.Data.Room)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	event := streamend.Event{EventID: "e", RoomID: "r", Source: streamend.SourceDirect}
	for _, what := range []string{"info", "owner", "stats"} {
		for _, code := range giftstats.Codes() {
			b := &box{}
			err := processor(t, engine{failures: map[string]giftstats.Code{what: code}}, b).Process(t.Context(), event)
			definite := slices.Contains([]giftstats.Code{
				giftstats.CodeRoomNotFound, giftstats.CodeAccountNotFound, giftstats.CodeInvalidRequest, giftstats.CodeUpstreamRejected,
			}, code)
			if definite != (err == nil) || permanent.Is(err) {
				t.Errorf("%s fails with %s: %v", what, code, err)
			}
			if definite != (len(b.messages) == 1) {
				t.Errorf("%s fails with %s: %d delivered", what, code, len(b.messages))
			}
		}
	}
	down := &box{err: errors.New("down")}
	if err := processor(t, engine{}, down).Process(t.Context(), event); err == nil || permanent.Is(err) {
		t.Errorf("delivery down: %v", err)
	}
	gone := &box{err: permanent.Error(errors.New("410 Gone"))}
	err := processor(t, engine{}, gone).Process(t.Context(), event)
	if !permanent.Is(err) || !strings.Contains(err.Error(), "event e: deliver: 410 Gone") {
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
	unlucky := engine{failures: map[string]giftstats.Code{"unlucky": giftstats.CodeUpstreamTimeout}}
	errs := processor(t, unlucky, b).ProcessAll(t.Context(), messages)
	for i, want := range []string{"", "permanent", "retried", "retried", "permanent", ""} {
		if got := errs[i]; (got == nil) != (want == "") || permanent.Is(got) != (want == "permanent") {
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
		{
			name: "delivered", body: `{"event_id":"e-1","room_id":"r","accounts":["a"]}`,
			want: []string{
				`"level":"INFO","msg":"event processed"`, `"message_id":"m-1"`, `"event_id":"e-1","room_id":"r"`, `"requests":1`,
				`"cold_start":true`, `"request_id":"r-1"`, `"deliveries":1`,
			},
		},
		{
			name: "no event", body: `nonsense`,
			want: []string{`"level":"ERROR","msg":"event failed permanently"`, `"errors":1,"code":"invalid_request"`},
		},
		{
			name: "upstream", body: `{"event_id":"e-1","room_id":"r","accounts":["unlucky"]}`,
			want: []string{
				`"level":"WARN","msg":"event failed, will be retried"`, `"event_id":"e-1","room_id":"r","errors":1,"code":"upstream_timeout"`,
			},
		},
		{
			name: "panic", body: `{"room_id":"r","accounts":["panic"]}`,
			want: []string{`"level":"WARN"`, `"code":"internal"`, "goroutine"},
		},
		{
			name: "receiver down", body: `{"room_id":"r","accounts":["a"]}`, deliver: errors.New("502"),
			want: []string{`"level":"WARN"`, `"code":"delivery_failed"`},
		},
		{
			name: "receiver refuses", body: `{"room_id":"r","accounts":["a"]}`, deliver: permanent.Error(errors.New("410")),
			want: []string{`"level":"ERROR"`, `"code":"delivery_failed"`},
		},
	} {
		var log bytes.Buffer
		p := logging(t, engine{failures: map[string]giftstats.Code{"unlucky": giftstats.CodeUpstreamTimeout}}, &box{err: test.deliver}, &log)
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
		started, done := time.Now(), 0
		for _, err := range processor(t, engine{}, slow{300 * time.Millisecond}).ProcessAll(ctx, messages) {
			if err == nil {
				done++
			} else if permanent.Is(err) {
				t.Errorf("permanent failure: %v", err)
			}
		}
		if took := time.Since(started); done != 32 || took >= time.Second {
			t.Errorf("%d of 100 done after %v: want two rounds of 16, and the report before the deadline", done, took)
		}
	})
}

func ExampleProcessor_Process() {
	b := &box{}
	p, err := streamend.NewProcessor(streamend.Config{
		Rate: 10_000, Service: giftstats.NewService(engine{}), Receivers: []delivery.Receiver{{Name: "box", Deliverer: b}},
		WaitIdle: func(context.Context) {}, Meter: new(telemetry.Meter), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	event, err := streamend.Parse([]byte(`{"event_id":"e-1","room_id":"room_id","accounts":["user1"]}`), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = p.Process(context.Background(), event)
	fmt.Println(err, b.messages[0].ID, len(b.messages))
	// Output: <nil> e-1 1
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"event_id":"e-1","room_id":"r","accounts":["a"],"ended_at":"2026-11-23T12:00:00Z","source":"live",` +
		`"room_totals":{"total_viewers":1}}`))
	f.Add([]byte(`{"room_id":"r","accounts":["a","b","a"],"room_totals":{"total_viewers":1,"total_gifts_sent":2,"total_gift_coins":3,` +
		`"total_unique_gift_senders":4,"total_likes_received":5,"total_messages":-6}}`))
	f.Add([]byte(`{"room_id":"r"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		event, err := streamend.Parse(raw, "m")
		if (err == nil) == permanent.Is(err) {
			t.Fatalf("%v is not permanent", err)
		}
		if err != nil {
			return
		}
		wantHonest(t, event)
		encoded, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := streamend.Parse(encoded, ""); err != nil || back.EventID != event.EventID {
			t.Fatalf("%s does not survive a queue: %v", encoded, err)
		}
	})
}
