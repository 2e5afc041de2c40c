package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/gateway"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

func serve(t *testing.T, request gateway.Request, handler http.HandlerFunc) gateway.Response {
	t.Helper()
	return gateway.NewServer(handler, slog.New(slog.DiscardHandler)).Serve(t.Context(), request)
}

// seen is the request that the handler gets.
func seen(t *testing.T, request gateway.Request) *http.Request {
	t.Helper()
	var got *http.Request
	serve(t, request, func(_ http.ResponseWriter, r *http.Request) { got = r })
	return got
}

func TestPathArrivesAsSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sent, path, escaped string }{
		{"plain", "/v1/gift-stats", "/v1/gift-stats", "/v1/gift-stats"},
		{"escaped slash", "/rooms/a%2Fb", "/rooms/a/b", "/rooms/a%2Fb"},
		{"escaped slash, lower case", "/a%2fb", "/a/b", "/a%2fb"},
		{"space", "/a%20b", "/a b", "/a%20b"},
		{"plus", "/a+b", "/a+b", "/a+b"},
		{"escaped plus", "/a%2Bb", "/a+b", "/a%2Bb"},
		{"UTF-8", "/%E6%88%BF", "/房", "/%E6%88%BF"},
		{"decoded by the gateway", "/房 ?", "/房 ?", "/%E6%88%BF%20%3F"},
		{"bad escape", "/100%", "/100%", "/100%25"},
		{"bad digits", "/%zz%2F", "/%zz%2F", "/%25zz%252F"},
		{"empty", "", "/", "/"},
		{"no slash", "v1", "/v1", "/v1"},
		{"two slashes", "//v1", "//v1", "//v1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := seen(t, gateway.Request{Method: "GET", Path: test.sent, RawQuery: "a=%2F+b"})
			if r.URL.Path != test.path || r.URL.EscapedPath() != test.escaped {
				t.Errorf("Path %q, EscapedPath %q; want %q, %q", r.URL.Path, r.URL.EscapedPath(), test.path, test.escaped)
			}
			if r.URL.RawQuery != "a=%2F+b" || r.RequestURI != test.escaped+"?a=%2F+b" {
				t.Errorf("RawQuery %q, RequestURI %q", r.URL.RawQuery, r.RequestURI)
			}
		})
	}
}

func TestRequestIsAsFromAServer(t *testing.T) {
	t.Parallel()
	sent := http.Header{"X-Request-Id": {"spoofed", "twice"}, "Content-Length": {"999"}, "Transfer-Encoding": {"chunked"}, "Host": {"api.example.com"}, "Accept": {"a", "b"}}
	r := seen(t, gateway.Request{Method: "POST", Path: "/", RemoteIP: "2001:db8::1", RequestID: "r-1", Header: sent, Body: []byte("body\x00")})
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method != "POST" || r.Proto != "HTTP/1.1" || !r.ProtoAtLeast(1, 1):
		t.Errorf("%s %s", r.Method, r.Proto)
	case r.Host != "api.example.com" || r.RemoteAddr != "[2001:db8::1]:0":
		t.Errorf("Host %q, RemoteAddr %q", r.Host, r.RemoteAddr)
	case string(body) != "body\x00" || r.ContentLength != 5:
		t.Errorf("body %q of %d", body, r.ContentLength)
	}
	want := http.Header{"X-Request-Id": {"r-1"}, "Content-Length": {"5"}, "Accept": {"a", "b"}}
	if fmt.Sprint(r.Header) != fmt.Sprint(want) {
		t.Errorf("Header = %v, want %v", r.Header, want)
	}
	if sent.Get("Host") == "" || sent.Get("X-Request-Id") != "spoofed" {
		t.Error("the caller's header was changed")
	}
}

func TestRequestWithLittle(t *testing.T) {
	t.Parallel()
	r := seen(t, gateway.Request{Method: "GET", Host: "h", Header: http.Header{"X-Request-Id": {"spoofed"}, "Host": {"other"}}})
	if len(r.Header) != 0 || r.RemoteAddr != "" || r.ContentLength != 0 || r.Body != http.NoBody || r.Host != "h" {
		t.Errorf("request = %+v", r)
	}
	if r := seen(t, gateway.Request{Method: "GET"}); r.Header == nil || r.URL.Path != "/" {
		t.Errorf("request = %+v", r)
	}
}

func TestResponseIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		method  string
		handler http.HandlerFunc
		status  int
		body    string
		header  string
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, 200, "", "map[]"},
		{"implicit 200", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}"); io.WriteString(w, "!") }, 200, "{}!", "map[Content-Type:[text/plain; charset=utf-8]]"},
		{"superfluous status", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) }, 404, "", "map[]"},
		{"status after body", "GET", func(w http.ResponseWriter, _ *http.Request) { w.Write(nil); w.WriteHeader(500) }, 200, "", "map[]"},
		{"informational", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(201) }, 201, "", "map[]"},
		{"frozen headers", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("A", "1")
			w.WriteHeader(200)
			w.Header().Add("A", "2")
			w.Header().Set("B", "3")
		}, 200, "", "map[A:[1]]"},
		{"repeated headers", "GET", func(w http.ResponseWriter, _ *http.Request) { w.Header()["A"] = []string{"2", "1"} }, 200, "", "map[A:[2 1]]"},
		{"connection headers", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			w.Header().Set("Connection", "close")
			w.Header().Set("Content-Type", "a/b")
			w.Write([]byte("x"))
		}, 200, "x", "map[Content-Type:[a/b]]"},
		{"HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			if n, err := w.Write([]byte("x")); n != 1 || err != nil {
				panic("Write must pretend")
			}
		}, 200, "", "map[]"},
		{"no body allowed", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(304)
			if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic("Write must refuse")
			}
		}, 304, "", "map[]"},
		{"no content type wanted", "GET", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil; w.Write([]byte("x")) }, 200, "x", "map[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, gateway.Request{Method: test.method, Path: "/"}, test.handler)
			if got.Status != test.status || string(got.Body) != test.body || fmt.Sprint(got.Header) != test.header {
				t.Errorf("response = %d %q %v, want %d %q %s", got.Status, got.Body, got.Header, test.status, test.body, test.header)
			}
		})
	}
}

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"at once":      func(http.ResponseWriter, *http.Request) { panic("the secret") },
		"mid-answer":   func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("half")); panic(errors.New("the secret")) },
		"wrong status": func(w http.ResponseWriter, _ *http.Request) { defer panic("the secret"); w.WriteHeader(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			server := gateway.NewServer(handler, slog.New(slog.NewJSONHandler(&log, nil)))
			got := server.Serve(t.Context(), gateway.Request{Method: "GET", Path: "/", RequestID: "r-1"})
			var details problem.Details
			if err := json.Unmarshal(got.Body, &details); err != nil || details.Code != giftstats.CodeInternal || details.RequestID != "r-1" || got.Status != 500 {
				t.Errorf("response = %d %s (%v)", got.Status, got.Body, err)
			}
			if got.Header.Get("Content-Type") != "application/problem+json" || got.Header.Get("X-Request-Id") != "r-1" || bytes.Contains(got.Body, []byte("secret")) {
				t.Errorf("response = %v %s", got.Header, got.Body)
			}
			var line struct{ Level, Panic, Stack, RequestID string }
			if err := json.Unmarshal(bytes.ReplaceAll(log.Bytes(), []byte("request_id"), []byte("RequestID")), &line); err != nil || line.Level != "ERROR" ||
				!strings.Contains(line.Panic, "the secret") || !strings.Contains(line.Stack, "gateway_test.go") || line.RequestID != "r-1" {
				t.Errorf("log = %s (%v)", log.String(), err)
			}
		})
	}
}

func TestHandlerHasLessTimeThanTheInvocation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		left, handler   time.Duration
		without, passed bool
	}{
		{name: "long", left: 10 * time.Second, handler: 9700 * time.Millisecond},
		{name: "a second", left: time.Second, handler: 800 * time.Millisecond},
		{name: "short", left: 10 * time.Millisecond, handler: 8 * time.Millisecond},
		{name: "passed", left: -time.Second, handler: -time.Second, passed: true},
		{name: "none", without: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if !test.without {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.left)
					defer cancel()
				}
				var inner context.Context
				gateway.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					inner = r.Context()
					deadline, ok := inner.Deadline()
					if ok == test.without || ok && time.Until(deadline) != test.handler || (inner.Err() != nil) != test.passed {
						t.Errorf("the handler has %v (%v), and its context %v", time.Until(deadline), ok, inner.Err())
					}
				}), nil).Serve(ctx, gateway.Request{Method: "GET", Path: "/"})
				if inner.Err() == nil {
					t.Error("the handler's context outlives it")
				}
			})
		})
	}
}

func TestNewServerRefusesNil(t *testing.T) {
	t.Parallel()
	defer func() {
		if p := recover(); p != "gateway: the handler is nil" {
			t.Errorf("panic = %v", p)
		}
	}()
	gateway.NewServer(nil, nil)
}

func ExampleServer_Serve() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s asks for %s", r.RemoteAddr, r.URL.EscapedPath())
	})
	response := gateway.NewServer(handler, slog.Default()).Serve(context.Background(), gateway.Request{
		Method: "GET", Path: "/rooms/a%2Fb", RemoteIP: "192.0.2.1",
	})
	fmt.Println(response.Status, string(response.Body))
	// Output: 200 192.0.2.1:0 asks for /rooms/a%2Fb
}
