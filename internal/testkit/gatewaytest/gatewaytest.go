// Package gatewaytest is the test suite that every adapter under pkg/gateway passes.
package gatewaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// Function serves events, as the functions of both clouds do.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Adapter is an adapter under test.
type Adapter struct {
	// New returns a function that serves with handler and logs to logger.
	New func(t testing.TB, handler http.Handler, logger *slog.Logger) Function
	// Invocation returns a context like that of the cloud's runtime, with RequestID as the id of the invocation.
	Invocation func(ctx context.Context) context.Context
	RequestID  string
	// Cookies are set by the handler of the golden events.
	Cookies []string
}

// Invoke serves one event in an invocation, and fails the test if Invoke returns an error.
func (a Adapter) Invoke(t testing.TB, handler http.Handler, payload []byte) []byte {
	t.Helper()
	return a.invoke(t, handler, slog.New(slog.DiscardHandler), payload)
}

func (a Adapter) invoke(t testing.TB, handler http.Handler, logger *slog.Logger, payload []byte) []byte {
	t.Helper()
	response, err := a.New(t, handler, logger).Invoke(a.Invocation(t.Context()), payload)
	if err != nil {
		t.Fatalf("Invoke of %q: %v", payload, err)
	}
	return response
}

// TestPanic checks that a panic of the handler is logged and becomes a response with status 500 that contains want, and that
// the response does not contain the text of the panic.
func (a Adapter) TestPanic(t *testing.T, payload []byte, want string) {
	t.Helper()
	var log bytes.Buffer
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret") })
	response := a.invoke(t, handler, slog.New(slog.NewTextHandler(&log, nil)), payload)
	if status := statusOf(t, response); status != http.StatusInternalServerError {
		t.Errorf("status = %d, want 500", status)
	}
	if !bytes.Contains(response, []byte(want)) {
		t.Errorf("response = %s, want it to contain %s", response, want)
	}
	if bytes.Contains(response, []byte("secret")) {
		t.Errorf("response = %s, it contains the text of the panic", response)
	}
	for _, want := range []string{"level=ERROR", "the secret"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log = %s, want it to contain %q", log.String(), want)
		}
	}
}

// TestOtherEvents checks that events of other services, and values of the wrong type, are logged and refused without an error
// and without a call of the handler.
func (a Adapter) TestOtherEvents(t *testing.T) {
	t.Helper()
	for _, payload := range []string{
		``, `{`, `null`, `[]`, `{"httpMethod":7}`,
		`{"Records":[{"eventSource":"aws:sqs"}]}`, `{"detail-type":"x","source":"y","detail":{}}`,
	} {
		var log bytes.Buffer
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%q: the handler was called", payload) })
		response := a.invoke(t, handler, slog.New(slog.NewTextHandler(&log, nil)), []byte(payload))
		if status := statusOf(t, response); status != http.StatusBadRequest {
			t.Errorf("%q: status = %d, want 400", payload, status)
		}
		if !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%q: log = %s, want a warning", payload, log.String())
		}
	}
}

// Refusal is an event that an adapter refuses.
type Refusal struct {
	Name    string
	Payload string
	Detail  string // a part of the problem's detail
}

// TestRefusals checks that each event gets a 400 problem with the id of the invocation.
func (a Adapter) TestRefusals(t *testing.T, refusals []Refusal) {
	t.Helper()
	for _, test := range refusals {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			var response struct {
				StatusCode int
				Headers    map[string]string
				Body       string
			}
			if err := json.Unmarshal(a.Invoke(t, http.NotFoundHandler(), []byte(test.Payload)), &response); err != nil {
				t.Fatal(err)
			}
			var details problem.Details
			if err := json.Unmarshal([]byte(response.Body), &details); err != nil {
				t.Fatalf("%v in %+v", err, response)
			}
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("status = %d, want 400", response.StatusCode)
			}
			if got := response.Headers["Content-Type"]; got != "application/problem+json" {
				t.Errorf("Content-Type = %q", got)
			}
			if details.Code != giftstats.CodeInvalidRequest {
				t.Errorf("code = %q, want invalid_request", details.Code)
			}
			if !strings.Contains(details.Detail, test.Detail) {
				t.Errorf("detail = %q, want it to contain %q", details.Detail, test.Detail)
			}
			if details.RequestID != a.RequestID {
				t.Errorf("request_id = %q, want %q", details.RequestID, a.RequestID)
			}
		})
	}
}

// TestPayloadIsNotKept checks that a request does not depend on the payload after Invoke returned. The runtimes overwrite the
// payload with the next event.
func (a Adapter) TestPayloadIsNotKept(t *testing.T, payload []byte) {
	t.Helper()
	var kept *http.Request
	keep := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = r })
	a.Invoke(t, keep, payload)
	want := describe(kept)
	a.Invoke(t, keep, payload)
	clear(payload)
	if got := describe(kept); got != want {
		t.Errorf("request after the payload was overwritten:\n%s\nwant:\n%s", got, want)
	}
}

// Fuzz checks that every payload gets a response with status 201 or 400, and stays unchanged. The seeds are the events in
// testdata and those given.
func (a Adapter) Fuzz(f *testing.F, seeds ...string) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		response := a.Response(t, payload)
		if status := statusOf(t, response); status != http.StatusCreated && status != http.StatusBadRequest {
			t.Errorf("response = %s, want status 201 or 400", response)
		}
		if !bytes.Equal(before, payload) {
			t.Error("the payload was changed")
		}
	})
}

func statusOf(t testing.TB, response []byte) int {
	t.Helper()
	var decoded struct{ StatusCode int }
	if err := json.Unmarshal(response, &decoded); err != nil {
		t.Fatalf("response = %s: %v", response, err)
	}
	return decoded.StatusCode
}
