package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// contest remembers a live stream of the room "r" with gifts to alice and bob, and streams of the same room that ended before.
func contest(t testing.TB) *memories {
	m := newLedger(t)
	m.end("r", now.Add(-5*time.Hour), earned("r", "alice", 1, 10))
	m.end("r", now.Add(-3*time.Hour), earned("r", "alice", 1, 10), earned("r", "bob", 1, 10))
	m.live("r", now.Add(-time.Hour))
	m.gift("r", "carol", "alice", 2, 20)
	m.gift("r", "carol", "bob", 1, 10)
	m.gift("r", "dave", "alice", 1, 30)
	m.gift("r", "erin", "alice", 9, 20)
	m.end("ended", now.Add(-2*time.Hour), earned("ended", "alice", 1, 10))
	return m
}

func TestTopSenders(t *testing.T) {
	m := contest(t)
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	contract := openAPI(t)
	alice := as(t, "alice")
	const live = `{"room_id":"r","started_at":"2026-11-23T11:00:00Z",`
	const second = `"total_count":3,"total_coins":30}`
	const toAlice = `"account":"alice","senders":[{"rank":1,"account":"dave","total_count":1,"total_coins":30},` +
		`{"rank":2,"account":"erin","total_count":9,"total_coins":20},{"rank":3,"account":"carol","total_count":2,"total_coins":20}],` +
		`"total_count":12,"total_coins":70,"sender_count":3,"as_of":"2026-11-23T12:00:00Z"}`
	for _, test := range []struct {
		name string
		call call
		want string
	}{
		{
			name: "live stream", call: get("/v1/top-senders?room_id=r"),
			want: live + `"senders":[{"rank":1,"account":"carol","total_count":3,"total_coins":30},` +
				`{"rank":2,"account":"dave","total_count":1,"total_coins":30},{"rank":3,"account":"erin","total_count":9,"total_coins":20}],` +
				`"total_count":13,"total_coins":80,"sender_count":3,"as_of":"2026-11-23T12:00:00Z"}`,
		},
		{name: "live stream, one account", call: get("/v1/top-senders?room_id=r&account=alice"), want: live + toAlice},
		{
			name: "limit", call: get("/v1/top-senders?room_id=r&limit=1"),
			want: live + `"senders":[{"rank":1,"account":"carol",` + second + `],"total_count":13,"total_coins":80,"sender_count":3,` +
				`"as_of":"2026-11-23T12:00:00Z"}`,
		},
		{
			name: "account without gifts", call: get("/v1/top-senders?room_id=r&account=zoe"),
			want: live + `"account":"zoe","senders":[],"total_count":0,"total_coins":0,"sender_count":0,"as_of":"2026-11-23T12:00:00Z"}`,
		},
		{
			name: "live stream by its start", call: get("/v1/top-senders?room_id=r&account=alice&started_at=2026-11-23T11:00:00Z"),
			want: live + toAlice,
		},
		{
			name: "ended stream by its start", call: get("/v1/top-senders?room_id=r&started_at=2026-11-23T08:00:00Z"),
			want: `{"room_id":"r","started_at":"2026-11-23T08:00:00Z","senders":[{"rank":1,"account":"carol","total_count":2,` +
				`"total_coins":20}],"total_count":2,"total_coins":20,"sender_count":1,"as_of":"2026-11-23T09:00:00Z"}`,
		},
		{
			name: "last ended stream", call: get("/v1/top-senders?room_id=ended&account=alice"),
			want: `{"room_id":"ended","started_at":"2026-11-23T09:00:00Z","account":"alice","senders":[{"rank":1,"account":"carol",` +
				`"total_count":1,"total_coins":10}],"total_count":1,"total_coins":10,"sender_count":1,"as_of":"2026-11-23T10:00:00Z"}`,
		},
		{
			name: "account that was not in the ended stream", call: get("/v1/top-senders?room_id=ended&account=zoe"),
			want: `{"room_id":"ended","started_at":"2026-11-23T09:00:00Z","account":"zoe","senders":[],"total_count":0,` +
				`"total_coins":0,"sender_count":0,"as_of":"2026-11-23T10:00:00Z"}`,
		},
		{name: "app user", call: getAs(alice, "/v1/top-senders?room_id=r"), want: live + toAlice},
		{name: "app user, named", call: getAs(alice, "/v1/top-senders?room_id=r&account=alice"), want: live + toAlice},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, test.call)
			if got := strings.TrimSpace(response.Body.String()); got != test.want {
				t.Errorf("%d\n%s\nwant\n%s", response.Code, got, test.want)
			}
			contract.check(t, test.call.request(), response)
		})
	}
}

// A stream whose end is recorded is ranked from its gifts until its summary is stored, and from what is stored then.
func TestTopSendersWhileTheEndIsProcessed(t *testing.T) {
	m := contest(t)
	m.change("r", func(stream *ledger.Stream) { stream.End = &ledger.End{EndedAt: now.Add(-time.Second), Source: "live"} })
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	want := `"sender_count":3,"as_of":"2026-11-23T11:59:59Z"`
	if got := send(h, get("/v1/top-senders?room_id=r")).Body.String(); !strings.Contains(got, want) {
		t.Errorf("before the summary is stored: %s", got)
	}
	ended := m.end("r", now.Add(-time.Second), earned("r", "alice", 1, 10))
	ended.StartedAt, ended.StreamID = now.Add(-time.Hour), fmt.Sprint(now.Add(-time.Hour).Unix())
	_, err := m.ledger.SaveEnded(t.Context(), ended)
	m.must(err)
	want = `"sender_count":1,"as_of":"2026-11-23T11:59:59Z"`
	if got := send(h, get("/v1/top-senders?room_id=r")).Body.String(); !strings.Contains(got, want) {
		t.Errorf("after the summary was stored: %s", got)
	}
}

// A stream that was seen before its start was known has another id.
func TestTopSendersOfStreamWithAnotherID(t *testing.T) {
	m := newLedger(t)
	for i := range 3 {
		ended := m.end("old", now.Add(-time.Hour), earned("old", "alice", 1, 10))
		ended.RoomID, ended.StreamID = "r", fmt.Sprint("seen-", i)
		ended.EndedAt = now.Add(-time.Duration(i) * time.Hour)
		ended.StartedAt = ended.EndedAt.Add(-30 * time.Minute)
		_, err := m.ledger.SaveEnded(t.Context(), ended)
		m.must(err)
	}
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	got := send(h, get("/v1/top-senders?room_id=r&started_at=2026-11-23T09:30:00Z")).Body.String()
	if !strings.Contains(got, `"as_of":"2026-11-23T10:00:00Z"`) {
		t.Errorf("%s", got)
	}
}

// An app user may ask about any room. The search for a stream that does not exist must not read the streams of others.
func TestTopSendersDoNotReadTheHistoryOfARoom(t *testing.T) {
	m := newLedger(t)
	for i := range 20 {
		m.end("r", now.Add(-time.Duration(i)*time.Hour), earned("r", "alice", 1, 10))
	}
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	answer := send(h, getAs(as(t, "zoe"), "/v1/top-senders?room_id=r&started_at=1970-01-02"))
	if n := m.store.foundEnded.Load(); answer.Code != http.StatusNotFound || n > 0 {
		t.Errorf("status %d after %d streams were read, want 404 and none: %s", answer.Code, n, answer.Body)
	}
}

func TestTopSendersRefusals(t *testing.T) {
	const invalid, forbidden, missing = giftstats.CodeInvalidRequest, giftstats.CodeForbidden, giftstats.CodeRoomNotFound
	alice := as(t, "alice")
	checkRefusalsOf(t, newHandler(t, engine{}, document, io.Discard, withLedger(contest(t))), []refusal{
		{name: "no credentials", call: getAs("", "/v1/top-senders?room_id=r"), code: giftstats.CodeUnauthenticated, text: "missing credentials"},
		{
			name: "another account", call: getAs(alice, "/v1/top-senders?room_id=r&account=bob"), code: forbidden,
			text: "gives access only to its own account; leave account out",
		},
		{name: "no room", call: get("/v1/top-senders"), code: invalid, text: "room_id is missing or empty"},
		{name: "empty account", call: get("/v1/top-senders?room_id=r&account="), code: invalid, text: "account is missing or empty"},
		{
			name: "start", call: get("/v1/top-senders?room_id=r&started_at=now"), code: invalid,
			text: `started_at is "now"; give a date like 2026-11-23 or a time`,
		},
		{name: "limit", call: get("/v1/top-senders?room_id=r&limit=1.5"), code: invalid, text: `limit is "1.5"; give a whole number`},
		{
			name: "unknown parameter", call: get("/v1/top-senders?room_id=r&cursor=x"), code: invalid,
			text: `unknown parameter "cursor"; use room_id, account, started_at, limit`,
		},
		{name: "unknown room", call: get("/v1/top-senders?room_id=x"), code: missing, text: "the ledger has no stream of this room"},
		{
			name: "unknown start", call: get("/v1/top-senders?room_id=r&started_at=2026-11-23T08:00:01Z"), code: missing,
			text: "with this started_at; take it from GET /v1/streams, or leave it out",
		},
		{
			name: "start within the second of another", call: get("/v1/top-senders?room_id=r&started_at=2026-11-23T08:00:00.5Z"),
			code: missing, text: "with this started_at",
		},
	})
}

// Callers who may see all accounts, and those who may see their own, with every endpoint that the ledger answers.
func TestWhoMaySeeWhat(t *testing.T) {
	own, other, all := "account=alice", "account=bob", ""
	for _, target := range []string{"/v1/streams?", "/v1/top-senders?room_id=r&"} {
		for _, test := range []struct {
			name          string
			auth          httpapi.Auth
			authorization string
			parameter     string
			want          int
		}{
			{name: "API key, one", auth: httpapi.Auth{APIKey: true}, authorization: "Bearer " + apiKey, parameter: own, want: 200},
			{name: "API key, all", auth: httpapi.Auth{APIKey: true}, authorization: "Bearer " + apiKey, parameter: all, want: 200},
			{name: "API key, not accepted", auth: httpapi.Auth{UserSig: true}, authorization: "Bearer " + apiKey, parameter: own, want: 401},
			{name: "wrong API key", auth: httpapi.Auth{APIKey: true}, authorization: "Bearer x", parameter: own, want: 401},
			{name: "UserSig, own", auth: httpapi.Auth{UserSig: true}, authorization: as(t, "alice"), parameter: own, want: 200},
			{name: "UserSig, no account", auth: httpapi.Auth{UserSig: true}, authorization: as(t, "alice"), parameter: all, want: 200},
			{name: "UserSig, another", auth: httpapi.Auth{UserSig: true}, authorization: as(t, "alice"), parameter: other, want: 403},
			{name: "UserSig, not accepted", auth: httpapi.Auth{APIKey: true}, authorization: as(t, "alice"), parameter: own, want: 401},
			{name: "wrong UserSig", auth: httpapi.Auth{UserSig: true}, authorization: basic("alice", "x"), parameter: own, want: 401},
			{name: "nothing", auth: httpapi.Auth{APIKey: true, UserSig: true}, parameter: own, want: 401},
			{name: "open, one", auth: httpapi.Auth{Open: true}, parameter: other, want: 200},
			{name: "open, all", auth: httpapi.Auth{Open: true}, parameter: all, want: 200},
		} {
			t.Run(target+" "+test.name, func(t *testing.T) {
				h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
					withLedger(contest(t))(c)
					c.Auth = test.auth
				})
				response := send(h, getAs(test.authorization, target+test.parameter))
				if response.Code != test.want {
					t.Errorf("%d, want %d: %s", response.Code, test.want, response.Body)
				}
				if test.want != 200 && strings.Contains(response.Body.String(), "carol") {
					t.Errorf("the refusal shows numbers: %s", response.Body)
				}
			})
		}
	}
}
