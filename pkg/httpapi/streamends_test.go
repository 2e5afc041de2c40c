package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/streamendtest"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

func postEnd(body string) call {
	return call{method: http.MethodPost, target: "/v1/stream-ends", body: body}
}

// onStreamEnd is a change of the configuration.
func onStreamEnd(accept func(context.Context, streamend.Event) ([]byte, error)) func(*httpapi.Config) {
	return func(c *httpapi.Config) { c.StreamEnded = accept }
}

// queue keeps the events that are enqueued.
type queue struct{ events []streamend.Event }

func (q *queue) enqueue(_ context.Context, event streamend.Event) ([]byte, error) {
	q.events = append(q.events, event)
	return nil, nil
}

func TestStreamEndIsQueued(t *testing.T) {
	const totals = `{"total_viewers":1,"total_gifts_sent":2,"total_gift_coins":3,"total_unique_gift_senders":4,"total_likes_received":5}`
	for _, test := range []struct {
		name, body string
		want       string // the event; its id may be ID
	}{
		{name: "room only", body: `{"room_id":"r"}`, want: `{"event_id":"ID","room_id":"r","source":"direct"}`},
		{
			name: "everything",
			body: `{"event_id":"e-1","room_id":"r","accounts":["a","b","a"],"ended_at":"2026-11-23T13:00:00+01:00","reason":"over",` +
				`"source":"direct","room_totals":` + totals + `}`,
			want: `{"event_id":"e-1","room_id":"r","accounts":["a","b"],"ended_at":"2026-11-23T12:00:00Z","reason":"over",` +
				`"source":"direct","room_totals":` + totals + `}`,
		},
		{
			name: "nulls", want: `{"event_id":"ID","room_id":"r","source":"direct"}`,
			body: `{"event_id":null,"room_id":"r","accounts":null,"ended_at":null,"reason":null,"source":null,"room_totals":null}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := &queue{}
			h := newHandler(t, engine{}, document, io.Discard, onStreamEnd(q.enqueue))
			c := postEnd(test.body)
			response := send(h, c)
			openAPI(t).check(t, c.request(), response)
			if len(q.events) != 1 {
				t.Fatalf("%d events are queued, want one: %d %s", len(q.events), response.Code, response.Body)
			}
			event, id := q.events[0], q.events[0].EventID
			if event.EndedAt == nil && event.ReportedAt == nil {
				t.Error("the event has no time at all")
			}
			event.ReportedAt = nil
			if want := fmt.Sprintf(`{"event_id":%q,"status":"queued"}`+"\n", id); response.Code != 202 || response.Body.String() != want {
				t.Errorf("%d %s, want 202 %s", response.Code, response.Body, want)
			}
			got, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(test.want, "ID", id, 1); string(got) != want {
				t.Errorf("the event is %s, want %s", got, want)
			}
		})
	}
}

// Without a queue, the response is what the receivers have got.
func TestStreamEndIsProcessed(t *testing.T) {
	receiver := new(streamendtest.Recorder)
	processor, err := streamendtest.NewProcessor(receiver)
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, engine{}, document, io.Discard, onStreamEnd(processor.Deliver))
	c := postEnd(`{"event_id":"e-1","room_id":"r","accounts":["a"]}`)
	response := send(h, c)
	openAPI(t).check(t, c.request(), response)
	if response.Code != 200 {
		t.Fatalf("status %d, want 200: %s", response.Code, response.Body)
	}
	var summary streamend.Summary
	if err := json.Unmarshal(response.Body.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Type != streamend.SummaryType || summary.Data.EventID != "e-1" {
		t.Errorf("the response is %s, want the summary of e-1", response.Body)
	}
	if got := receiver.IDs(); got != "e-1" {
		t.Errorf("%q was delivered, want e-1", got)
	}
}

// A response ends with a newline, as all others do. The bytes that the ledger has stored, and those behind them, do not change.
func TestStreamEndResponseEndsWithANewline(t *testing.T) {
	const summary, behind = `{"type":"stream.summary"}`, "xyz"
	stored := []byte(summary + behind)
	h := newHandler(t, engine{}, document, io.Discard, onStreamEnd(func(context.Context, streamend.Event) ([]byte, error) {
		return stored[:len(summary)], nil
	}))
	if got := send(h, postEnd(`{"room_id":"r"}`)).Body.String(); got != summary+"\n" {
		t.Errorf("the response is %q, want the summary and a newline", got)
	}
	if string(stored) != summary+behind {
		t.Errorf("the stored bytes are %q, want %q", stored, summary+behind)
	}
}

// What identifies the event decides whether a second request is the same event, so that nobody is paid twice.
func TestStreamEndsOfTwoRequests(t *testing.T) {
	for _, test := range []struct {
		name, body string
		requests   [2]string // ids
		same       bool
	}{
		{name: "room only", body: `{"room_id":"r"}`, requests: [2]string{"q-1", "q-2"}},
		{name: "room only, the same request", body: `{"room_id":"r"}`, requests: [2]string{"q-1", "q-1"}, same: true},
		{name: "with a time", body: `{"room_id":"r","ended_at":"2026-11-23T12:00:00Z"}`, requests: [2]string{"q-1", "q-2"}, same: true},
		{name: "with an id", body: `{"room_id":"r","event_id":"e-1"}`, requests: [2]string{"q-1", "q-2"}, same: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := &queue{}
			h := newHandler(t, engine{}, document, io.Discard, onStreamEnd(q.enqueue))
			for _, id := range test.requests {
				if response := send(h, postEnd(test.body).withHeader("X-Request-Id", id)); response.Code != 202 {
					t.Fatalf("%d %s", response.Code, response.Body)
				}
			}
			if same := q.events[0].EventID == q.events[1].EventID; same != test.same {
				t.Errorf("the ids are %s and %s, want them equal: %v", q.events[0].EventID, q.events[1].EventID, test.same)
			}
		})
	}
}

func TestStreamEndRefusals(t *testing.T) {
	const code = giftstats.CodeInvalidRequest
	q := &queue{}
	h := newHandler(t, engine{}, document, io.Discard, onStreamEnd(q.enqueue))
	self := basic("host", sigOf(t, "host", fakeKey))
	checkRefusalsOf(t, h, []refusal{
		{
			name: "no credentials", call: postEnd(`{"room_id":"r"}`).withHeader("Authorization", ""),
			code: giftstats.CodeUnauthenticated, text: "missing credentials",
		},
		{
			name: "UserSig", call: postEnd(`{"room_id":"r"}`).withHeader("Authorization", self),
			code: giftstats.CodeForbidden, text: "needs an API key",
		},
		{
			name: "method", call: get("/v1/stream-ends"), code: giftstats.CodeMethodNotAllowed, text: "use POST",
		},
		{
			name: "parameter", call: call{method: "POST", target: "/v1/stream-ends?room_id=r", body: "{}"}, code: code,
			text: `unknown parameter "room_id"`,
		},
		{
			name: "content type", call: postEnd(`{"room_id":"r"}`).withHeader("Content-Type", "text/plain"),
			code: giftstats.CodeUnsupportedMediaType, text: "must be application/json",
		},
		{
			name: "too large", call: postEnd(`{"room_id":"` + strings.Repeat("x", 1<<20) + `"}`),
			code: giftstats.CodePayloadTooLarge, text: "larger than 1048576 bytes",
		},
		{name: "empty", call: postEnd(""), code: code, text: "the body is empty"},
		{name: "a list", call: postEnd("[]"), code: code, text: "the body has a JSON array in place of an object"},
		{
			name: "two rooms, of which the last would end", call: postEnd(`{"room_id":"r","room_id":"s"}`), code: code,
			text: "room_id appears more than once",
		},
		{
			name: "two lists of accounts, which would be merged", call: postEnd(`{"room_id":"r","accounts":["a","b"],"accounts":["c"]}`),
			code: code, text: "accounts appears more than once",
		},
		{name: "null room", call: postEnd(`{"room_id":null}`), code: code, text: "room_id has null in place of a string"},
		{name: "unknown field", call: postEnd(`{"room":"r"}`), code: code, text: `unknown field "room"; use event_id, room_id`},
		{
			name: "unknown total", call: postEnd(`{"room_id":"r","room_totals":{"coins":1}}`), code: code,
			text: `unknown field "room_totals.coins"; use total_viewers`,
		},
		{name: "no room", call: postEnd("{}"), code: code, text: "room_id is missing or empty"},
		{
			name: "wrong type of an account", call: postEnd(`{"room_id":"r","accounts":[7]}`), code: code,
			text: "accounts[0] has a JSON number in place of a string",
		},
		{
			name: "account too long", call: postEnd(`{"room_id":"r","accounts":["a","` + strings.Repeat("x", 33) + `"]}`), code: code,
			text: "accounts[1]: account has 33 bytes",
		},
		{
			name: "too many accounts", call: postEnd(`{"room_id":"r","accounts":["a"` + strings.Repeat(`,"a"`, 100) + `]}`), code: code,
			text: "accounts has 101 entries; at most 100 are allowed",
		},
		{
			name: "id with a space", call: postEnd(`{"room_id":"r","event_id":"a b"}`), code: code,
			text: "event_id must be at most 200 printable ASCII characters",
		},
		{
			name: "id with a full stop", call: postEnd(`{"room_id":"r","event_id":"a.b"}`), code: code,
			text: "event_id must not contain a full stop",
		},
		{
			name: "time without a zone", call: postEnd(`{"room_id":"r","ended_at":"2026-11-23 12:00"}`), code: code,
			text: "ended_at must be like 2026-11-23T12:00:00Z",
		},
		{
			name: "time as a number", call: postEnd(`{"room_id":"r","ended_at":1700000000}`), code: code,
			text: "ended_at has a JSON number in place of a string",
		},
		{
			name: "reason too long", call: postEnd(`{"room_id":"r","reason":"` + strings.Repeat("x", 201) + `"}`), code: code,
			text: "reason must have at most 200 bytes",
		},
		{
			name: "a fraction as a total", call: postEnd(`{"room_id":"r","room_totals":{"total_viewers":1.5}}`), code: code,
			text: "room_totals.total_viewers has a JSON number in place of a 64-bit integer",
		},
		{
			name: "incomplete totals", call: postEnd(`{"room_id":"r","room_totals":{"total_viewers":1}}`), code: code,
			text: "room_totals has no total_gifts_sent; give it, or leave room_totals out",
		},
	})
	for _, source := range []streamend.Source{
		"", streamend.SourceLive, streamend.SourceTRTC, streamend.SourceCSS, streamend.SourceSweep, "tv",
	} {
		checkRefusalsOf(t, h, []refusal{{
			name: fmt.Sprintf("source %q", source), call: postEnd(fmt.Sprintf(`{"room_id":"r","source":%q}`, source)), code: code,
			text: fmt.Sprintf(`source is %q; leave it out or give "direct"`, source),
		}})
	}
	if len(q.events) > 0 {
		t.Errorf("refused events are on the queue: %+v", q.events)
	}
}

// A ledger would not find such an end when another source reports it.
func TestStreamEndInTheFutureIsRefused(t *testing.T) {
	q, m := &queue{}, newLedger(t)
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
		withLedger(m)(c)
		c.StreamEnded = q.enqueue
	})
	if response := send(h, postEnd(`{"room_id":"r","ended_at":"2026-11-23T13:00:00Z"}`)); response.Code != http.StatusAccepted {
		t.Errorf("an hour ahead: %d %s", response.Code, response.Body)
	}
	checkRefusalsOf(t, h, []refusal{{
		name: "in the future", call: postEnd(`{"room_id":"r","ended_at":"2026-11-23T13:00:01Z"}`), code: giftstats.CodeInvalidRequest,
		text: "ended_at is more than an hour in the future",
	}})
	if len(q.events) != 1 {
		t.Errorf("on the queue are %+v, want the first event only", q.events)
	}
}

func TestStreamEndFailures(t *testing.T) {
	const summary = `{"type":"stream.summary"}`
	upstream := giftstats.Errorf(giftstats.CodeUpstreamTimeout, "too slow")
	for _, test := range []struct {
		name      string
		summary   string // empty if it was not made
		err       error
		code      giftstats.Code
		retryable bool
		text      string
	}{
		{
			name: "queue down", err: errors.New("no route to 192.0.2.7"), code: giftstats.CodeUpstreamUnavailable, retryable: true,
			text: "the event was not accepted; send it again later",
		},
		{
			name: "no time left", err: fmt.Errorf("no time left: %w", context.DeadlineExceeded),
			code: giftstats.CodeUpstreamTimeout, retryable: true, text: "deadline exceeded",
		},
		{
			name: "Tencent too slow", err: fmt.Errorf("event e: get gift stats: %w", upstream),
			code: giftstats.CodeUpstreamTimeout, retryable: true, text: "too slow",
		},
		{
			name: "ledger down", err: giftstats.Errorf(giftstats.CodeLedgerUnavailable, "the ledger is down"),
			code: giftstats.CodeLedgerUnavailable, retryable: true, text: "the ledger is down",
		},
		{
			name: "delivered, but not recorded", summary: summary, err: giftstats.Errorf(giftstats.CodeLedgerUnavailable, "the ledger is down"),
			code: giftstats.CodeLedgerUnavailable, retryable: true, text: "the ledger is down",
		},
		{
			name: "no key for the signature", summary: summary, err: giftstats.Errorf(giftstats.CodeSecretUnavailable, "the store is down"),
			code: giftstats.CodeSecretUnavailable, retryable: true, text: "the store is down",
		},
		{
			name: "receiver down", summary: summary, err: errors.New("192.0.2.7 answered with 502"),
			code: giftstats.CodeUpstreamUnavailable, retryable: true, text: "did not accept the summary; send the event again later",
		},
		{
			name: "receiver too slow", summary: summary, err: fmt.Errorf("192.0.2.7 cannot be reached: %w", context.DeadlineExceeded),
			code: giftstats.CodeUpstreamUnavailable, retryable: true, text: "did not accept the summary; send the event again later",
		},
		{
			name: "receiver refuses", summary: summary, err: permanent.Error(errors.New("192.0.2.7 answered with 410 Gone")),
			code: giftstats.CodeUpstreamRejected, text: "refused the summary; correct the receiver",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := newHandler(t, engine{}, document, &log, onStreamEnd(func(context.Context, streamend.Event) ([]byte, error) {
				if test.summary == "" {
					return nil, test.err
				}
				return []byte(test.summary), test.err
			}))
			c := postEnd(`{"room_id":"r","event_id":"e"}`)
			response := send(h, c)
			openAPI(t).check(t, c.request(), response)
			got := problemIn(t, response)
			if got.Code != test.code || !strings.Contains(got.Detail, test.text) {
				t.Errorf("%s: %s\nwant %s with %q", got.Code, got.Detail, test.code, test.text)
			}
			if got.Retryable != test.retryable {
				t.Errorf("retryable = %v, want %v", got.Retryable, test.retryable)
			}
			if strings.Contains(response.Body.String(), "192.0.2.7") {
				t.Errorf("the response shows an address: %s", response.Body)
			}
			if strings.Contains(response.Body.String(), "stream.summary") {
				t.Errorf("the response to a failed request has the summary: %s", response.Body)
			}
			if !strings.Contains(log.String(), test.err.Error()) {
				t.Errorf("the log does not have the cause: %s", log.String())
			}
		})
	}
}

func TestStreamEndIsLogged(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, engine{}, document, &log, nil)
	send(h, postEnd(`{"room_id":"r-7","event_id":"e-7"}`))
	for _, want := range []string{
		`"route":"/v1/stream-ends"`, `"status":202`, `"room_id":"r-7"`, `"event_id":"e-7"`, `"caller":"backoffice"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
}
