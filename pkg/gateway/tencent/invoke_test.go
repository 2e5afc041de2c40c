package tencent_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"
)

// get is the smallest event.
const get = `{"httpMethod":"GET","path":"/"}`

// If the platform gives no id, the request has none: the client's id is not used.
func TestRequestIDIsNeverTheClients(t *testing.T) {
	t.Parallel()
	called := false
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		if got := r.Header.Values("X-Request-Id"); len(got) != 0 {
			t.Errorf("request id %q, want none", got)
		}
	})
	payload := []byte(`{"httpMethod":"GET","path":"/","headers":{"x-request-id":"spoofed","X-REQUEST-ID":["again"]}}`)
	if _, err := adapter().New(t, handler, slog.New(slog.DiscardHandler)).Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	if !called {
		t.Error("the handler was not called")
	}
}

// API Gateway gets each cookie as an element of a list.
func TestCookiesOfAPIGateway(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1; Expires=Mon, 23 Nov 2026 10:00:00 GMT", "b=2"}
	})
	response := string(adapter().Invoke(t, handler, []byte(`{"httpMethod":"GET","path":"/","requestContext":{}}`)))
	if want := `"Set-Cookie":["a=1; Expires=Mon, 23 Nov 2026 10:00:00 GMT","b=2"]`; !strings.Contains(response, want) {
		t.Errorf("response = %s, want it to contain %s", response, want)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		deadline time.Time
		has      bool // whether the handler's context has a deadline
		over     bool // whether it has ended when the handler starts
	}{
		{name: "zero means none", deadline: time.Unix(0, 0).UTC()},
		{name: "past", deadline: time.Unix(1, 0), has: true, over: true},
		{name: "future", deadline: time.Now().Add(time.Hour), has: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithDeadline(t.Context(), test.deadline)
			defer cancel()
			called := false
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				if _, has := r.Context().Deadline(); has != test.has {
					t.Errorf("has a deadline: %v, want %v", has, test.has)
				}
				if over := r.Context().Err() != nil; over != test.over {
					t.Errorf("has ended: %v, want %v", over, test.over)
				}
				if _, ok := functioncontext.FromContext(r.Context()); !ok {
					t.Error("the context has lost its values")
				}
				if got := r.Header.Get("X-Request-Id"); got != "scf-1" {
					t.Errorf("request id %q, want scf-1", got)
				}
			})
			function := adapter().New(t, handler, slog.New(slog.DiscardHandler))
			if _, err := function.Invoke(adapter().Invocation(ctx), []byte(get)); err != nil {
				t.Fatal(err)
			}
			if !called {
				t.Error("the handler was not called")
			}
		})
	}
}

// The handler's deadline is before that of the invocation. Without a deadline, the handler has unlimited time.
func TestInvokeKeepsAMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name     string
			deadline time.Time
			want     time.Duration
		}{
			{name: "ten seconds", deadline: time.Now().Add(10 * time.Second), want: 9700 * time.Millisecond},
			{name: "zero", deadline: time.Unix(0, 0), want: time.Minute},
		} {
			ctx, cancel := context.WithDeadline(t.Context(), test.deadline)
			var took time.Duration
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				start := time.Now()
				select {
				case <-r.Context().Done():
				case <-time.After(time.Minute):
				}
				took = time.Since(start)
			})
			if _, err := adapter().New(t, handler, slog.New(slog.DiscardHandler)).Invoke(ctx, []byte(get)); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			if took != test.want {
				t.Errorf("%s: the handler had %v, want %v", test.name, took, test.want)
			}
			cancel()
		}
	})
}
