package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// Every code of the error table reaches the caller through the event forms of both clouds. The packages httpapi and liveengine
// test which mistakes and which upstream codes lead to a code.
func TestErrorTable(t *testing.T) {
	fault := func(f simulator.Fault) func(*world) {
		f.Times = -1
		return func(w *world) { w.engine.Misbehave(f) }
	}
	for _, test := range []struct {
		name      string
		change    func(*eventtest.Request) // of the sample request
		provoke   func(*world)
		variables []string
		deadline  time.Duration // of all forms together; 0 means no deadline
		want      giftstats.Code
		header    string // a header that the response must have
	}{
		{name: "missing field", change: func(r *eventtest.Request) { r.Query = nil }, want: giftstats.CodeInvalidRequest},
		{
			name:   "no credentials",
			change: func(r *eventtest.Request) { r.Header = map[string]string{"Host": "example.com"} },
			want:   giftstats.CodeUnauthenticated, header: "www-authenticate",
		},
		{
			name:   "numbers of another account",
			change: func(r *eventtest.Request) { r.Header = basic("user2", userSig(t, "user2")) },
			want:   giftstats.CodeForbidden,
		},
		{name: "unknown path", change: func(r *eventtest.Request) { r.Path = "/v1/nothing" }, want: giftstats.CodeNotFound},
		{
			name:   "method",
			change: func(r *eventtest.Request) { r.Method = http.MethodDelete },
			want:   giftstats.CodeMethodNotAllowed, header: "allow",
		},
		{
			name:   "body too large",
			change: func(r *eventtest.Request) { r.Method, r.Query, r.Body = "POST", nil, strings.Repeat("x", 1<<20+1) },
			want:   giftstats.CodePayloadTooLarge,
		},
		{
			name: "content type",
			change: func(r *eventtest.Request) {
				r.Method, r.Query, r.Header = "POST", nil, bearer(fixture.APIKey)
				r.Header["Content-Type"] = "text/xml"
			},
			want: giftstats.CodeUnsupportedMediaType,
		},
		{name: "unknown room", change: func(r *eventtest.Request) { r.Query.Set("room_id", "other") }, want: giftstats.CodeRoomNotFound},
		{name: "unknown account", provoke: fault(simulator.Fault{Code: 70107}), want: giftstats.CodeAccountNotFound},
		{
			name: "rate limit of upstream", provoke: fault(simulator.Fault{Code: 60007}),
			want: giftstats.CodeRateLimited, header: "retry-after",
		},
		{
			name:      "rate limit of the instance",
			provoke:   func(w *world) { w.ask(fixture.Sample()) },
			variables: []string{"GIFTSTATS_RATE_LIMIT=0.01"}, deadline: time.Minute,
			want: giftstats.CodeRateLimited, header: "retry-after",
		},
		{
			name:    "rate limit of the instance, for a whole batch",
			provoke: func(w *world) { w.ask(fixture.Sample()) },
			change: func(r *eventtest.Request) {
				r.Method, r.Query, r.Body = "POST", nil, `{"queries":[{"room_id":"r","account":"a"},{"room_id":"r","account":"b"}]}`
			},
			variables: []string{"GIFTSTATS_RATE_LIMIT=0.01"}, deadline: time.Minute,
			want: giftstats.CodeRateLimited, header: "retry-after",
		},
		{name: "refused by upstream", provoke: fault(simulator.Fault{Code: 100002}), want: giftstats.CodeUpstreamRejected},
		{name: "wrong key", provoke: func(w *world) { w.store.set(anotherKey, nil) }, want: giftstats.CodeUpstreamCredentials},
		{name: "wrong region", provoke: fault(simulator.Fault{Code: 60026}), want: giftstats.CodeUpstreamConfig},
		{name: "app disabled", provoke: fault(simulator.Fault{Code: 60017}), want: giftstats.CodeUpstreamSuspended},
		{name: "not JSON", provoke: fault(simulator.Fault{Body: []byte("<html>")}), want: giftstats.CodeUpstreamInvalidResponse},
		{
			name: "5xx", provoke: fault(simulator.Fault{Status: 503}),
			want: giftstats.CodeUpstreamUnavailable, header: "retry-after",
		},
		{
			name: "response cut off", provoke: fault(simulator.Fault{CutBody: true}),
			want: giftstats.CodeUpstreamUnavailable, header: "retry-after",
		},
		{
			name: "connection reset", provoke: fault(simulator.Fault{Reset: true}),
			want: giftstats.CodeUpstreamUnavailable, header: "retry-after",
		},
		{
			name: "store down", provoke: func(w *world) { w.store.set("", errors.New("store is down")) },
			want: giftstats.CodeSecretUnavailable, header: "retry-after",
		},
		{
			name:      "ledger down",
			change:    func(r *eventtest.Request) { r.Path, r.Query = "/v1/streams", nil },
			variables: []string{"GIFTSTATS_LEDGER=dynamodb://table"},
			want:      giftstats.CodeLedgerUnavailable, header: "retry-after",
		},
		{
			name: "attempts too slow", provoke: fault(simulator.Fault{Latency: time.Minute}),
			variables: []string{"GIFTSTATS_TIMEOUT=5ms"}, want: giftstats.CodeUpstreamTimeout,
		},
		{
			name: "deadline",
			provoke: func(w *world) {
				w.app.Secrets.Get(context.Background()) // the deadline must pass during the call upstream
				w.engine.Misbehave(simulator.Fault{Times: -1, Latency: time.Minute})
			},
			deadline: 40 * time.Millisecond, want: giftstats.CodeUpstreamTimeout,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldConfig{variables: append([]string{"GIFTSTATS_ATTEMPTS=2"}, test.variables...)})
			request := fixture.Sample()
			if test.change != nil {
				test.change(&request)
			}
			if test.provoke != nil {
				test.provoke(w)
			}
			ctx := t.Context()
			if test.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.deadline)
				defer cancel()
			}
			w.wantProblem(t, ctx, w.app.Handler, request, test.want, test.header)
		})
	}
	t.Run("internal", func(t *testing.T) {
		t.Parallel()
		broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") })
		newWorld(t, worldConfig{}).wantProblem(t, t.Context(), broken, fixture.Sample(), giftstats.CodeInternal, "")
	})
}

// wantProblem sends the request in each event form, and checks the code, what follows from it, and that the header is present.
func (w *world) wantProblem(
	t *testing.T, ctx context.Context, handler http.Handler, request eventtest.Request, want giftstats.Code, header string,
) {
	t.Helper()
	w.forms(t, handler, func(name string, form eventtest.Form, f function) {
		payload, err := f.Invoke(ctx, eventtest.Payload(t, form.Event(request)))
		if err != nil {
			t.Fatalf("%s: the invocation failed: %v", name, err)
		}
		answer := eventtest.Read(t, payload)
		var got problem.Details
		if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
			t.Fatalf("%s: %v in %s", name, err, answer.Body)
		}
		if got.Code != want {
			t.Errorf("%s: code %s, want %s: %s", name, got.Code, want, got.Detail)
		}
		if status := problem.Status(want); got.Status != status || answer.Status != status {
			t.Errorf("%s: status %d in the problem and %d in the response, want %d", name, got.Status, answer.Status, status)
		}
		if got.Retryable != want.Retryable() {
			t.Errorf("%s: retryable = %v, want %v", name, got.Retryable, want.Retryable())
		}
		if got := answer.Header["content-type"]; got != problem.ContentType {
			t.Errorf("%s: content type %q, want %q", name, got, problem.ContentType)
		}
		if header != "" && answer.Header[header] == "" {
			t.Errorf("%s: no header %s in %v", name, header, answer.Header)
		}
	})
}
