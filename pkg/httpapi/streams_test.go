package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// streamsResponse holds what the tests look at.
type streamsResponse struct {
	Streams []struct {
		RoomID   string `json:"room_id"`
		Accounts []struct {
			Account string `json:"account"`
		} `json:"accounts"`
	} `json:"streams"`
	TotalCount int64  `json:"total_count"`
	TotalCoins int64  `json:"total_coins"`
	Next       string `json:"next"`
}

func (r streamsResponse) rooms() []string {
	rooms := []string{}
	for _, stream := range r.Streams {
		rooms = append(rooms, stream.RoomID)
	}
	return rooms
}

func streamsIn(t *testing.T, response *httptest.ResponseRecorder) streamsResponse {
	t.Helper()
	var got streamsResponse
	if response.Code != 200 {
		t.Fatalf("%d %s", response.Code, response.Body)
	}
	if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// shows remembers four streams: two of this week, one of last month, and one of a year ago.
func shows(t testing.TB) *memories {
	m := newLedger(t)
	m.end("one", now.Add(-time.Hour), earned("one", "alice", 3, 300), earned("one", "bob", 2, 20))
	m.end("two", now.AddDate(0, 0, -3), earned("two", "bob", 1, 5), unknown("alice"))
	m.end("three", now.AddDate(0, 0, -31).Add(-time.Second), earned("three", "alice", 7, 70))
	m.end("four", now.AddDate(-1, 0, 0), earned("four", "dave", 1, 1))
	m.live("live", now.Add(-time.Minute))
	return m
}

func TestStreams(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withLedger(shows(t)))
	contract := openAPI(t)
	alice := as(t, "alice")
	for _, test := range []struct {
		name         string
		call         call
		rooms        []string
		count, coins int64
	}{
		{name: "default", call: get("/v1/streams"), rooms: []string{"one", "two"}, count: 6, coins: 325},
		{name: "account", call: get("/v1/streams?account=alice"), rooms: []string{"one", "two"}, count: 3, coins: 300},
		{name: "another account", call: get("/v1/streams?account=bob"), rooms: []string{"one", "two"}, count: 3, coins: 25},
		{name: "account without streams", call: get("/v1/streams?account=erin"), rooms: []string{}},
		{name: "room", call: get("/v1/streams?room_id=two"), rooms: []string{"two"}, count: 1, coins: 5},
		{name: "room and account", call: get("/v1/streams?room_id=one&account=bob"), rooms: []string{"one"}, count: 2, coins: 20},
		{name: "live room", call: get("/v1/streams?room_id=live"), rooms: []string{}},
		{
			name: "from a date", call: get("/v1/streams?from=2026-10-01"),
			rooms: []string{"one", "two", "three"}, count: 13, coins: 395,
		},
		{
			name: "to a date: 31 days before", call: get("/v1/streams?to=2026-11-01"),
			rooms: []string{"three"}, count: 7, coins: 70,
		},
		{
			name: "from is included", call: get("/v1/streams?from=2026-11-23T11:00:00Z&to=2026-11-23T11:00:01Z"),
			rooms: []string{"one"}, count: 5, coins: 320,
		},
		{name: "to is not included", call: get("/v1/streams?from=2026-11-22&to=2026-11-23T11:00:00Z"), rooms: []string{}},
		{
			name: "zone", call: get("/v1/streams?from=2026-11-23T19:00:00%2B08:00&to=2026-11-23T19:00:00.5%2B08:00"),
			rooms: []string{"one"}, count: 5, coins: 320,
		},
		{name: "future", call: get("/v1/streams?from=2027-01-01&to=2027-02-01"), rooms: []string{}},
		{
			name: "all", call: get("/v1/streams?from=0000-01-01&to=9999-12-31"),
			rooms: []string{"one", "two", "three", "four"}, count: 14, coins: 396,
		},
		{name: "own streams", call: getAs(alice, "/v1/streams"), rooms: []string{"one", "two"}, count: 3, coins: 300},
		{name: "own streams, named", call: getAs(alice, "/v1/streams?account=alice"), rooms: []string{"one", "two"}, count: 3, coins: 300},
		{name: "own streams of a room", call: getAs(alice, "/v1/streams?room_id=one"), rooms: []string{"one"}, count: 3, coins: 300},
		{name: "room of others", call: getAs(alice, "/v1/streams?room_id=four&from=2020-01-01"), rooms: []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, test.call)
			got := streamsIn(t, response)
			if !slices.Equal(got.rooms(), test.rooms) {
				t.Errorf("rooms are %q, want %q", got.rooms(), test.rooms)
			}
			if got.TotalCount != test.count || got.TotalCoins != test.coins {
				t.Errorf("%d gifts of %d coins, want %d of %d", got.TotalCount, got.TotalCoins, test.count, test.coins)
			}
			if got.Next != "" || response.Header().Get("Link") != "" {
				t.Errorf("the only page has next %q and Link %q", got.Next, response.Header().Get("Link"))
			}
			contract.check(t, test.call.request(), response)
		})
	}
}

const fullStream = `{"streams":[{"room_id":"one","started_at":"2026-11-23T10:00:00Z","ended_at":"2026-11-23T11:00:00Z","reason":"1",` +
	`"source":"live","event_id":"event-one","room":{"total_viewers":0,"total_gifts_sent":99,"total_gift_coins":999,` +
	`"total_unique_gift_senders":0,"total_likes_received":0},"accounts":[` + aliceEntry + `,{"room_id":"one","account":"bob",` +
	`"total_count":2,"total_coins":20,"gift_sender_count":1,"fetched_at":"2026-11-23T10:00:00Z","from":"snapshot",` +
	`"as_of":"2026-11-23T10:00:00Z"}],"top_senders":[{"account":"carol","total_count":2,"total_coins":20}],` +
	`"gifts":[{"gift_id":"rose","total_count":2,"total_coins":20}],"reconciled":false,` +
	`"unattributed":{"total_count":5,"total_coins":55}}],"total_count":5,"total_coins":320}`

const aliceEntry = `{"room_id":"one","account":"alice","total_count":3,"total_coins":300,"gift_sender_count":1,` +
	`"fetched_at":"2026-11-23T10:00:00Z","from":"snapshot","as_of":"2026-11-23T10:00:00Z"}`

const ownStream = `{"streams":[{"room_id":"one","started_at":"2026-11-23T10:00:00Z","ended_at":"2026-11-23T11:00:00Z","reason":"1",` +
	`"source":"live","event_id":"event-one","accounts":[` + aliceEntry + `],"reconciled":false}],"total_count":3,"total_coins":300}`

func TestStreamFields(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withLedger(shows(t)))
	for _, test := range []struct {
		name string
		call call
		want string
	}{
		{name: "API key", call: get("/v1/streams?room_id=one"), want: fullStream},
		{name: "app user", call: getAs(as(t, "alice"), "/v1/streams?room_id=one"), want: ownStream},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.TrimSpace(send(h, test.call).Body.String()); got != test.want {
				t.Errorf("the response is\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestStreamPages(t *testing.T) {
	m := newLedger(t)
	var want []string
	for i := range 23 {
		room := fmt.Sprintf("room%02d", i)
		m.end(room, now.Add(-time.Duration(i/2)*time.Hour), earned(room, "alice", 1, 10)) // two end at the same moment
	}
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	want = streamsIn(t, send(h, get("/v1/streams"))).rooms()
	for _, limit := range []int{1, 5, 22, 23, 1000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			var rooms []string
			var coins int64
			first := fmt.Sprintf("/v1/streams?account=alice&limit=%d", limit)
			for target := first; target != ""; {
				response := send(h, get(target))
				page := streamsIn(t, response)
				rooms, coins = append(rooms, page.rooms()...), coins+page.TotalCoins
				target = nextTarget(t, response.Header().Get("Link"))
				if page.Next == "" != (target == "") {
					t.Fatalf("next is %q, the target of Link %q", page.Next, target)
				}
				if byCursor := first + "&cursor=" + page.Next; target != "" {
					if streamsIn(t, send(h, get(byCursor))).rooms()[0] != streamsIn(t, send(h, get(target))).rooms()[0] {
						t.Fatalf("next and Link name different pages: %s and %s", byCursor, target)
					}
				}
			}
			if !slices.Equal(rooms, want) {
				t.Errorf("all pages have %q, want %q", rooms, want)
			}
			if coins != 230 {
				t.Errorf("all pages have %d coins, want 230", coins)
			}
		})
	}
}

// A page that would be too large for a function's response is shorter than its limit.
func TestLargeStreamPages(t *testing.T) {
	m := newLedger(t)
	const streams, each, most = 10, 1 << 20, 4 << 20
	for i := range streams {
		m.endBecause(strings.Repeat("x", each), fmt.Sprint("room", i), now.Add(-time.Duration(i)*time.Hour), earned("r", "alice", 1, 10))
	}
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	var coins int64
	for target := "/v1/streams?limit=1000"; target != ""; {
		response := send(h, get(target))
		if size := response.Body.Len(); size > most {
			t.Errorf("a page has %d bytes, want at most %d", size, most)
		}
		coins += streamsIn(t, response).TotalCoins
		target = nextTarget(t, response.Header().Get("Link"))
	}
	if coins != 10*streams {
		t.Errorf("all pages have %d coins, want %d", coins, 10*streams)
	}
}

// A stream can have a megabyte, and a function has 256 of them.
func TestLargePageIsNotReadAtOnce(t *testing.T) {
	m := newLedger(t)
	for i := range 300 {
		m.end(fmt.Sprint("room", i), now.Add(-time.Duration(i)*time.Minute), earned("r", "alice", 1, 10))
	}
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	if page := streamsIn(t, send(h, get("/v1/streams?limit=1000"))); len(page.Streams) != 300 {
		t.Errorf("%d streams, want 300", len(page.Streams))
	}
	if most := m.store.mostEnded.Load(); most > 50 {
		t.Errorf("%d streams were read at once, want at most 50", most)
	}
	m.store.ended.Store(0)
	if page := streamsIn(t, send(h, get("/v1/streams?limit=10"))); len(page.Streams) != 10 || m.store.ended.Load() != 1 {
		t.Errorf("%d streams in %d calls, want 10 in one", len(page.Streams), m.store.ended.Load())
	}
}

// nextTarget returns the target of a Link header, "" without one.
func nextTarget(t *testing.T, link string) string {
	t.Helper()
	if link == "" {
		return ""
	}
	target, ok := strings.CutSuffix(link, `>; rel="next"`)
	if target, ok2 := strings.CutPrefix(target, "<?"); ok && ok2 {
		return "/v1/streams?" + target
	}
	t.Fatalf("Link is %q", link)
	return ""
}

func TestStreamRefusals(t *testing.T) {
	const invalid, forbidden = giftstats.CodeInvalidRequest, giftstats.CodeForbidden
	const cursorText = "unknown cursor; use the value of next in the previous page"
	checkRefusalsOf(t, newHandler(t, engine{}, document, io.Discard, withLedger(shows(t))), []refusal{
		{name: "no credentials", call: getAs("", "/v1/streams"), code: giftstats.CodeUnauthenticated, text: "missing credentials"},
		{
			name: "another account", call: getAs(as(t, "alice"), "/v1/streams?account=bob"), code: forbidden,
			text: "gives access only to its own account; leave account out",
		},
		{name: "empty account of an app user", call: getAs(as(t, "alice"), "/v1/streams?account="), code: forbidden, text: "leave account out"},
		{name: "empty account", call: get("/v1/streams?account="), code: invalid, text: "account is missing or empty"},
		{name: "account too long", call: get("/v1/streams?account=" + strings.Repeat("x", 33)), code: invalid, text: "account has 33 bytes"},
		{name: "empty room", call: get("/v1/streams?room_id="), code: invalid, text: "room_id is missing or empty"},
		{name: "unknown parameter", call: get("/v1/streams?user=x"), code: invalid, text: "use account, room_id, from, to, limit, cursor"},
		{name: "limit zero", call: get("/v1/streams?limit=0"), code: invalid, text: `limit is "0"; give a whole number from 1 to 1000`},
		{name: "limit too high", call: get("/v1/streams?limit=1001"), code: invalid, text: "give a whole number from 1 to 1000"},
		{name: "limit not a number", call: get("/v1/streams?limit=ten"), code: invalid, text: `limit is "ten"`},
		{name: "empty limit", call: get("/v1/streams?limit="), code: invalid, text: `limit is ""`},
		{
			name: "from", call: get("/v1/streams?from=yesterday"), code: invalid,
			text: `from is "yesterday"; give a date like 2026-11-23 or a time like 2026-11-23T12:00:00Z`,
		},
		{name: "empty to", call: get("/v1/streams?to="), code: invalid, text: `to is ""; give a date`},
		{name: "plus not encoded", call: get("/v1/streams?to=2026-11-23T12:00:00+08:00"), code: invalid, text: "with + encoded as %2B"},
		{name: "no such day", call: get("/v1/streams?to=2026-02-30"), code: invalid, text: `to is "2026-02-30"`},
		{
			name: "from is to", call: get("/v1/streams?from=2026-11-01&to=2026-11-01"), code: invalid,
			text: "from (2026-11-01T00:00:00Z) must be before to (2026-11-01T00:00:00Z)",
		},
		{
			name: "from is in the future", call: get("/v1/streams?from=2027-11-01"), code: invalid,
			text: "from 2027-11-01T00:00:00Z is in the future; without to, the range ends now",
		},
		{name: "cursor", call: get("/v1/streams?cursor=abc"), code: invalid, text: cursorText},
		{name: "empty cursor", call: get("/v1/streams?cursor="), code: invalid, text: cursorText},
	})
}

func TestSummaryNotReadable(t *testing.T) {
	m := newLedger(t)
	ended := m.end("broken", now.Add(-time.Hour), earned("broken", "alice", 1, 1))
	ended.StreamID, ended.Summary, ended.EndedAt = "other", []byte("{"), now.Add(-time.Minute)
	_, err := m.ledger.SaveEnded(t.Context(), ended)
	m.must(err)
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	if got := problemIn(t, send(h, get("/v1/streams"))); got.Code != giftstats.CodeInternal {
		t.Errorf("code %s", got.Code)
	}
}
