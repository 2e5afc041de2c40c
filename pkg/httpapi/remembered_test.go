package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// watchedEngine counts the queries that Tencent is asked. It knows all rooms but those in gone.
type watchedEngine struct {
	engine
	calls atomic.Int64
	gone  []string
}

func (e *watchedEngine) GiftCount(ctx context.Context, query giftstats.Query) (giftstats.Stats, error) {
	e.calls.Add(1)
	if slices.Contains(e.gone, query.RoomID) {
		return giftstats.Stats{}, &giftstats.Error{
			Code: giftstats.CodeRoomNotFound, Detail: "room does not exist", Upstream: &giftstats.Upstream{ErrorCode: 100004},
		}
	}
	return e.engine.GiftCount(ctx, query)
}

func TestMaxAge(t *testing.T) {
	const target = "/v1/gift-stats?room_id=r&account=alice"
	const fromSnapshot = `{"room_id":"r","account":"alice","total_count":1,"total_coins":77,"gift_sender_count":1,` +
		`"upstream_request_id":"Id-0","fetched_at":"2026-11-23T11:59:29.5Z","from":"snapshot","as_of":"2026-11-23T11:59:29.5Z"}`
	for _, test := range []struct {
		name         string
		cacheControl string
		account      string // default: alice
		age          string // empty: Tencent is asked
	}{
		{name: "absent"},
		{name: "older is accepted", cacheControl: "max-age=60", age: "31"},
		{name: "exactly as old", cacheControl: "max-age=30", account: "bob", age: "30"},
		{name: "half a second too old", cacheControl: "max-age=30"},
		{name: "whole seconds round up", cacheControl: "max-age=31", age: "31"},
		{name: "too old", cacheControl: "max-age=5"},
		{name: "zero", cacheControl: "max-age=0", account: "new"},
		{name: "as new as can be", cacheControl: "max-age=1", account: "new", age: "0"},
		{name: "taken by a clock ahead of ours", cacheControl: "max-age=1", account: "ahead", age: "0"},
		{name: "upper case and spaces", cacheControl: " no-transform ,  MAX-AGE=60 ", age: "31"},
		{name: "quoted", cacheControl: `max-age="60"`, age: "31"},
		{name: "very large", cacheControl: "max-age=99999999999999999999999", age: "31"},
		{name: "with no-cache", cacheControl: "max-age=60, no-cache"},
		{name: "twice", cacheControl: "max-age=60, max-age=5"},
		{name: "twice, the lowest first", cacheControl: "max-age=5, max-age=60"},
		{name: "no number", cacheControl: "max-age"},
		{name: "empty number", cacheControl: "max-age="},
		{name: "negative", cacheControl: "max-age=-1"},
		{name: "fraction", cacheControl: "max-age=60.5"},
		{name: "word", cacheControl: "max-age=soon"},
		{name: "another directive", cacheControl: "s-maxage=60, max-stale=60"},
		{name: "account without snapshot", cacheControl: "max-age=60", account: "carol"},
		{name: "unknown account", cacheControl: "max-age=60", account: "zoe"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newLedger(t)
			m.live("r", now.Add(-time.Hour))
			m.snapshot("r", "alice", 77, now.Add(-30_500*time.Millisecond))
			m.snapshot("r", "bob", 5, now.Add(-30*time.Second))
			m.snapshot("r", "new", 5, now)
			m.snapshot("r", "ahead", 5, now.Add(time.Second))
			m.change("r", func(stream *ledger.Stream) { stream.AddAccount("carol", true) })
			upstream := new(watchedEngine)
			h := newHandler(t, upstream, document, io.Discard, withLedger(m))
			request := get(target).withHeader("Cache-Control", test.cacheControl)
			if test.account != "" {
				request.target = "/v1/gift-stats?room_id=r&account=" + test.account
			}
			response := send(h, request)
			if got := response.Header().Get("Age"); got != test.age || response.Code != 200 {
				t.Errorf("%d, Age %q, want %q: %s", response.Code, got, test.age, response.Body)
			}
			if asked := upstream.calls.Load() == 1; asked == (test.age != "") {
				t.Errorf("%d calls of Tencent", upstream.calls.Load())
			}
			if got := strings.TrimSpace(response.Body.String()); test.age == "31" && got != fromSnapshot {
				t.Errorf("%s\nwant\n%s", got, fromSnapshot)
			}
			openAPI(t).check(t, request.request(), response)
		})
	}
}

func TestMaxAgeWithoutLedger(t *testing.T) {
	upstream := new(watchedEngine)
	h := newHandler(t, upstream, document, io.Discard, nil)
	response := send(h, get(oneAccount).withHeader("Cache-Control", "max-age=60"))
	if response.Code != 200 || upstream.calls.Load() != 1 || response.Header().Get("Age") != "" {
		t.Errorf("%d after %d calls, Age %q", response.Code, upstream.calls.Load(), response.Header().Get("Age"))
	}
}

func TestMaxAgeWhileTheLedgerFails(t *testing.T) {
	var log bytes.Buffer
	m := newLedger(t)
	m.store.err = errors.New("table not reachable")
	h := newHandler(t, engine{}, document, &log, withLedger(m))
	response := send(h, get(oneAccount).withHeader("Cache-Control", "max-age=60"))
	if response.Code != 200 || strings.Contains(response.Body.String(), "from") {
		t.Errorf("%d %s", response.Code, response.Body)
	}
	for _, want := range []string{
		`"level":"WARN"`, "ledger not readable; asking Tencent instead", `"code":"ledger_unavailable"`, "table not reachable",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
}

// A room that was created again is another stream, whose numbers are not those of the one before.
func TestMaxAgeOfRoomThatWasCreatedAgain(t *testing.T) {
	m := newLedger(t)
	m.live("r", now.Add(-time.Hour))
	m.snapshot("r", "alice", 77, now.Add(-time.Minute))
	m.live("r", now.Add(-time.Second))
	upstream := new(watchedEngine)
	h := newHandler(t, upstream, document, io.Discard, withLedger(m))
	send(h, get("/v1/gift-stats?room_id=r&account=alice").withHeader("Cache-Control", "max-age=600"))
	if upstream.calls.Load() != 1 {
		t.Errorf("%d calls of Tencent", upstream.calls.Load())
	}
}

// goneRooms remembers rooms that Tencent does not know any more.
func goneRooms(t testing.TB) (*memories, *watchedEngine) {
	m := newLedger(t)
	m.end("ended", now.Add(-48*time.Hour), earned("ended", "alice", 1, 10))
	m.end("ended", now.Add(-time.Hour), earned("ended", "alice", 3, 300), unknown("bob"))
	m.end("ended", now.Add(-time.Minute), earned("ended", "carol", 2, 20))
	m.end("reopened", now.Add(-time.Hour), earned("reopened", "alice", 3, 300))
	m.live("reopened", now.Add(-30*time.Minute))
	m.live("open", now.Add(-time.Hour))
	m.snapshot("open", "alice", 77, now.Add(-time.Minute))
	m.live("ending", now.Add(-time.Hour))
	m.snapshot("ending", "alice", 77, now.Add(-time.Minute))
	m.change("ending", func(stream *ledger.Stream) { stream.End = &ledger.End{EndedAt: now.Add(-time.Second), Source: "live"} })
	m.live("undelivered", now.Add(-61*time.Minute))
	m.snapshot("undelivered", "alice", 77, now.Add(-2*time.Minute))
	m.change("undelivered", func(stream *ledger.Stream) {
		stream.AddAccount("bob", true)
		stream.End = &ledger.End{EndedAt: now.Add(-time.Minute), Source: "live"}
	})
	m.end("undelivered", now.Add(-time.Minute), earned("undelivered", "alice", 9, 900), earned("undelivered", "bob", 5, 50))
	return m, &watchedEngine{gone: []string{"ended", "reopened", "open", "ending", "undelivered", "never"}}
}

const (
	endedNumbers = `{"room_id":"ended","account":"alice","total_count":3,"total_coins":300,"gift_sender_count":1,` +
		`"fetched_at":"2026-11-23T10:00:00Z","from":"snapshot","as_of":"2026-11-23T10:00:00Z","ended_at":"2026-11-23T11:00:00Z"}`
	openNumbers = `{"room_id":"open","account":"alice","total_count":1,"total_coins":77,"gift_sender_count":1,` +
		`"upstream_request_id":"Id-0","fetched_at":"2026-11-23T11:59:00Z","from":"snapshot","as_of":"2026-11-23T11:59:00Z"}`
)

func TestGoneRooms(t *testing.T) {
	m, upstream := goneRooms(t)
	h := newHandler(t, upstream, document, io.Discard, withLedger(m))
	for _, test := range []struct {
		name string
		call call
		want string // part of the response
	}{
		{name: "ended", call: get("/v1/gift-stats?room_id=ended&account=alice"), want: endedNumbers},
		{name: "ended, app user", call: getAs(as(t, "alice"), "/v1/gift-stats?room_id=ended"), want: endedNumbers},
		{
			name: "last stream that has the account", call: get("/v1/gift-stats?room_id=ended&account=carol"),
			want: `"total_coins":20,`,
		},
		{name: "open", call: get("/v1/gift-stats?room_id=open&account=alice"), want: openNumbers},
		{
			name: "end not processed", call: get("/v1/gift-stats?room_id=ending&account=alice"),
			want: `"as_of":"2026-11-23T11:59:00Z","ended_at":"2026-11-23T11:59:59Z"}`,
		},
		{name: "summary not delivered", call: get("/v1/gift-stats?room_id=undelivered&account=alice"), want: `"total_coins":900,`},
		{
			name: "summary not delivered, account without snapshot", want: `"total_coins":50,`,
			call: get("/v1/gift-stats?room_id=undelivered&account=bob"),
		},
		{
			name: "summary not delivered, with max-age", want: `"total_coins":900,`,
			call: get("/v1/gift-stats?room_id=undelivered&account=alice").withHeader("Cache-Control", "max-age=3600"),
		},
		{
			name: "max-age changes nothing",
			call: get("/v1/gift-stats?room_id=ended&account=alice").withHeader("Cache-Control", "max-age=60"),
			want: endedNumbers,
		},
		{name: "numbers not known", call: get("/v1/gift-stats?room_id=ended&account=bob"), want: `"code":"room_not_found"`},
		{name: "account not known", call: get("/v1/gift-stats?room_id=ended&account=zoe"), want: `"detail":"room does not exist"`},
		{name: "room not known", call: get("/v1/gift-stats?room_id=never&account=alice"), want: `"error_code":100004`},
		{name: "newer stream without numbers", call: get("/v1/gift-stats?room_id=reopened&account=alice"), want: `"code":"room_not_found"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, test.call)
			if got := response.Body.String(); !strings.Contains(got, test.want) {
				t.Errorf("%d %s\nwant %s", response.Code, got, test.want)
			}
			if age := response.Header().Get("Age"); age != "" {
				t.Errorf("Age is %q", age)
			}
			openAPI(t).check(t, test.call.request(), response)
		})
	}
}

func TestBatchFromLedger(t *testing.T) {
	m, upstream := goneRooms(t)
	m.live("live", now.Add(-time.Hour))
	m.snapshot("live", "alice", 7, now.Add(-10*time.Second))
	m.snapshot("live", "bob", 8, now.Add(-20*time.Second))
	m.snapshot("live", "carol", 9, now.Add(-2*time.Minute))
	h := newHandler(t, upstream, document, io.Discard, withLedger(m))
	m.store.rooms.Store(0)
	batch := postBatch(`{"queries":[{"room_id":"live","account":"alice"},{"room_id":"live","account":"bob"},{"room_id":"live","account":""},`+
		`{"room_id":"live","account":"carol"},{"room_id":"ended","account":"alice"},{"room_id":"open","account":"alice"},`+
		`{"room_id":"never","account":"alice"},{"room_id":"live","account":"alice"}]}`).withHeader("Cache-Control", "max-age=60")
	response := send(h, batch)
	if got := response.Header().Get("Age"); got != "60" {
		t.Errorf("Age is %q, want that of the oldest snapshot", got)
	}
	var got struct {
		Results []struct {
			Account    string
			TotalCoins int64 `json:"total_coins"`
			From       string
			Error      struct{ Code string }
		}
		Succeeded, Failed int
	}
	if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var results []string
	for _, result := range got.Results {
		results = append(results, fmt.Sprint(result.TotalCoins, result.From, result.Error.Code))
	}
	want := []string{"7snapshot", "8snapshot", "0invalid_request", "100", "300snapshot", "77snapshot", "0room_not_found", "7snapshot"}
	if !slices.Equal(results, want) {
		t.Errorf("results are %q, want %q", results, want)
	}
	if got.Succeeded != 6 || got.Failed != 2 {
		t.Errorf("%d succeeded, %d failed", got.Succeeded, got.Failed)
	}
	if calls := upstream.calls.Load(); calls != 3 {
		t.Errorf("%d calls of Tencent, want 3", calls)
	}
	if reads := m.store.rooms.Load(); reads != 2 {
		t.Errorf("rooms were read %d times, want once for the snapshots and once for the rooms that are gone", reads)
	}
	openAPI(t).check(t, batch.request(), response)
}

func TestLargeBatchFromLedger(t *testing.T) {
	m := newLedger(t)
	var queries []giftstats.Query
	upstream := new(watchedEngine)
	for i := range giftstats.MaxBatch {
		room := fmt.Sprint("room", i)
		if i%10 == 0 {
			m.end(room, now.Add(-time.Hour), earned(room, "alice", 1, int64(i)))
		}
		upstream.gone = append(upstream.gone, room)
		queries = append(queries, giftstats.Query{RoomID: room, Account: "alice"})
	}
	body, err := json.Marshal(map[string]any{"queries": queries})
	m.must(err)
	m.store.rooms.Store(0)
	m.store.ended.Store(0)
	response := send(newHandler(t, upstream, document, io.Discard, withLedger(m)), postBatch(string(body)))
	if want := `"succeeded":100,"failed":900}`; !strings.Contains(response.Body.String(), want) {
		t.Errorf("the end of the response is %s", response.Body.String()[response.Body.Len()-100:])
	}
	if rooms, ended := m.store.rooms.Load(), m.store.ended.Load(); rooms != 1 || ended != giftstats.MaxBatch {
		t.Errorf("%d reads of rooms, %d of ended streams", rooms, ended)
	}
}

func TestBatchWhileTheLedgerFails(t *testing.T) {
	m, upstream := goneRooms(t)
	m.store.err = errors.New("table not reachable")
	h := newHandler(t, upstream, document, io.Discard, withLedger(m))
	response := send(h, postBatch(`{"queries":[{"room_id":"ended","account":"alice"},{"room_id":"live","account":"alice"}]}`))
	if got := response.Body.String(); !strings.Contains(got, `"code":"ledger_unavailable"`) || !strings.Contains(got, `"total_coins":100`) {
		t.Errorf("%d %s", response.Code, got)
	}
}
