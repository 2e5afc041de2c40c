package tencent_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/gateway/tencent"
)

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{`{"httpMethod":"GET","path":"/"}`, `{"httpMethod":"GET","path":"/","requestContext":{"requestId":"r-1"}}`} {
		var log bytes.Buffer
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret") })
		answer, err := tencent.New(handler, tencent.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Invoke(t.Context(), []byte(payload))
		if err != nil || !bytes.Contains(answer, []byte(`"statusCode":500,`)) || bytes.Contains(answer, []byte("secret")) {
			t.Errorf("%s: %s, %v", payload, answer, err)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "the secret") {
			t.Errorf("%s: log = %s", payload, log.String())
		}
	}
}

func TestOtherEventsAreLogged(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{``, `{`, `null`, `[]`, `{"httpMethod":7}`, `{"Records":[{"eventSource":"aws:sqs"}]}`, `{"detail-type":"x","source":"y","detail":{}}`} {
		var log bytes.Buffer
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%q: the handler was called", payload) })
		answer, err := tencent.New(handler, tencent.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Invoke(t.Context(), []byte(payload))
		if err != nil || !bytes.Contains(answer, []byte(`"statusCode":400,`)) || !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%q: %s, %v; log = %s", payload, answer, err, log.String())
		}
	}
}

// Without an id of the platform there is none: not the client's either.
func TestRequestIDIsNeverTheClients(t *testing.T) {
	t.Parallel()
	called := false
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		if got := r.Header.Values("X-Request-Id"); len(got) != 0 {
			t.Errorf("request id %q", got)
		}
	})
	payload := []byte(`{"httpMethod":"GET","path":"/","headers":{"x-request-id":"spoofed","X-REQUEST-ID":["again"]}}`)
	if _, err := tencent.New(handler, tencent.Options{}).Invoke(t.Context(), payload); err != nil || !called {
		t.Errorf("called %v, error %v", called, err)
	}
}

// API Gateway takes each cookie by itself.
func TestCookiesOfAPIGateway(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1; Expires=Mon, 23 Nov 2026 10:00:00 GMT", "b=2"}
	})
	answer := string(invoke(t, handler, []byte(`{"httpMethod":"GET","path":"/","requestContext":{}}`)))
	if want := `"Set-Cookie":["a=1; Expires=Mon, 23 Nov 2026 10:00:00 GMT","b=2"]`; !strings.Contains(answer, want) {
		t.Errorf("answer = %s, want %s", answer, want)
	}
}

// The margin is taken off a real deadline; a deadline of zero leaves the handler all its time.
func TestInvokeKeepsAMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, zero := range []bool{false, true} {
			deadline := time.Now().Add(10 * time.Second)
			if zero {
				deadline = time.Unix(0, 0)
			}
			ctx, cancel := context.WithDeadline(t.Context(), deadline)
			var took time.Duration
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				start := time.Now()
				select {
				case <-r.Context().Done():
				case <-time.After(time.Minute):
				}
				took = time.Since(start)
			})
			_, err := tencent.New(handler, tencent.Options{}).Invoke(ctx, []byte(`{"httpMethod":"GET","path":"/"}`))
			if want := map[bool]time.Duration{false: 9700 * time.Millisecond, true: time.Minute}[zero]; err != nil || took != want {
				t.Errorf("zero %v: the handler had %v, want %v (%v)", zero, took, want, err)
			}
			cancel()
		}
	})
}
