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

func newServer(t *testing.T, handler http.Handler, logger *slog.Logger) *gateway.Server {
	t.Helper()
	server, err := gateway.New(gateway.Config{Handler: handler, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func serve(t *testing.T, request gateway.Request, handler http.HandlerFunc) gateway.Response {
	t.Helper()
	return newServer(t, handler, slog.New(slog.DiscardHandler)).Serve(t.Context(), request)
}

// received returns the request that the handler receives.
func received(t *testing.T, request gateway.Request) *http.Request {
	t.Helper()
	var got *http.Request
	serve(t, request, func(_ http.ResponseWriter, r *http.Request) { got = r })
	return got
}

func equal[T comparable](t *testing.T, name string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", name, got, want)
	}
}

func TestPathArrivesAsSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sent, path, escaped string }{
		{name: "plain", sent: "/v1/gift-stats", path: "/v1/gift-stats", escaped: "/v1/gift-stats"},
		{name: "escaped slash", sent: "/rooms/a%2Fb", path: "/rooms/a/b", escaped: "/rooms/a%2Fb"},
		{name: "escaped slash, lower case", sent: "/a%2fb", path: "/a/b", escaped: "/a%2fb"},
		{name: "space", sent: "/a%20b", path: "/a b", escaped: "/a%20b"},
		{name: "plus", sent: "/a+b", path: "/a+b", escaped: "/a+b"},
		{name: "escaped plus", sent: "/a%2Bb", path: "/a+b", escaped: "/a%2Bb"},
		{name: "UTF-8", sent: "/%E6%88%BF", path: "/房", escaped: "/%E6%88%BF"},
		{name: "decoded by the gateway", sent: "/房 ?", path: "/房 ?", escaped: "/%E6%88%BF%20%3F"},
		{name: "bad escape", sent: "/100%", path: "/100%", escaped: "/100%25"},
		{name: "bad digits", sent: "/%zz%2F", path: "/%zz%2F", escaped: "/%25zz%252F"},
		{name: "empty", sent: "", path: "/", escaped: "/"},
		{name: "no slash", sent: "v1", path: "/v1", escaped: "/v1"},
		{name: "two slashes", sent: "//v1", path: "//v1", escaped: "//v1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := received(t, gateway.Request{Method: "GET", Path: test.sent, RawQuery: "a=%2F+b"})
			equal(t, "Path", r.URL.Path, test.path)
			equal(t, "EscapedPath", r.URL.EscapedPath(), test.escaped)
			equal(t, "RawQuery", r.URL.RawQuery, "a=%2F+b")
			equal(t, "RequestURI", r.RequestURI, test.escaped+"?a=%2F+b")
		})
	}
}

func TestRequestIsLikeThatOfAServer(t *testing.T) {
	t.Parallel()
	sent := http.Header{
		"X-Request-Id": {"spoofed", "twice"}, "Content-Length": {"999"}, "Transfer-Encoding": {"chunked"},
		"Host": {"api.example.com"}, "Accept": {"a", "b"},
	}
	r := received(t, gateway.Request{
		Method: "POST", Path: "/", RemoteIP: "2001:db8::1", RequestID: "r-1", Header: sent, Body: []byte("body\x00"),
	})
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Method", r.Method, "POST")
	equal(t, "Proto", r.Proto, "HTTP/1.1")
	equal(t, "ProtoAtLeast(1, 1)", r.ProtoAtLeast(1, 1), true)
	equal(t, "Host", r.Host, "api.example.com")
	equal(t, "RemoteAddr", r.RemoteAddr, "[2001:db8::1]:0")
	equal(t, "body", string(body), "body\x00")
	equal(t, "ContentLength", r.ContentLength, 5)
	want := http.Header{"X-Request-Id": {"r-1"}, "Content-Length": {"5"}, "Accept": {"a", "b"}}
	equal(t, "Header", fmt.Sprint(r.Header), fmt.Sprint(want))
	if sent.Get("Host") == "" || sent.Get("X-Request-Id") != "spoofed" {
		t.Error("the caller's header was changed")
	}
}

func TestRequestWithFewFields(t *testing.T) {
	t.Parallel()
	r := received(t, gateway.Request{Method: "GET", Host: "h", Header: http.Header{"X-Request-Id": {"spoofed"}, "Host": {"other"}}})
	equal(t, "number of headers", len(r.Header), 0)
	equal(t, "RemoteAddr", r.RemoteAddr, "")
	equal(t, "ContentLength", r.ContentLength, 0)
	equal(t, "Body is NoBody", r.Body == http.NoBody, true)
	equal(t, "Host", r.Host, "h")
	r = received(t, gateway.Request{Method: "GET"})
	equal(t, "Header is nil", r.Header == nil, false)
	equal(t, "Path", r.URL.Path, "/")
}

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"before writing": func(http.ResponseWriter, *http.Request) { panic("the secret") },
		"after writing":  func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("half")); panic(errors.New("the secret")) },
		"wrong status":   func(w http.ResponseWriter, _ *http.Request) { defer panic("the secret"); w.WriteHeader(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			server := newServer(t, handler, slog.New(slog.NewJSONHandler(&log, nil)))
			got := server.Serve(t.Context(), gateway.Request{Method: "GET", Path: "/", RequestID: "r-1"})
			var details problem.Details
			if err := json.Unmarshal(got.Body, &details); err != nil {
				t.Fatalf("body = %s: %v", got.Body, err)
			}
			equal(t, "status", got.Status, 500)
			equal(t, "code", details.Code, giftstats.CodeInternal)
			equal(t, "request_id", details.RequestID, "r-1")
			equal(t, "Content-Type", got.Header.Get("Content-Type"), "application/problem+json")
			equal(t, "X-Request-Id", got.Header.Get("X-Request-Id"), "r-1")
			if bytes.Contains(got.Body, []byte("secret")) {
				t.Errorf("body = %s, it contains the text of the panic", got.Body)
			}
			var line struct {
				Level, Panic, Stack string
				RequestID           string `json:"request_id"`
			}
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatalf("log = %s: %v", log.String(), err)
			}
			equal(t, "level", line.Level, "ERROR")
			equal(t, "request_id of the log line", line.RequestID, "r-1")
			if !strings.Contains(line.Panic, "the secret") {
				t.Errorf("panic = %q, want its text", line.Panic)
			}
			if !strings.Contains(line.Stack, "gateway_test.go") {
				t.Errorf("stack = %q, want the handler in it", line.Stack)
			}
		})
	}
}

func TestHandlerHasLessTimeThanTheInvocation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		invocation time.Duration // left for the invocation; 0: it has no deadline
		handler    time.Duration // left for the handler
	}{
		{name: "long", invocation: 10 * time.Second, handler: 9700 * time.Millisecond},
		{name: "a second", invocation: time.Second, handler: 800 * time.Millisecond},
		{name: "short", invocation: 10 * time.Millisecond, handler: 8 * time.Millisecond},
		{name: "passed", invocation: -time.Second, handler: -time.Second},
		{name: "no deadline"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.invocation != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.invocation)
					defer cancel()
				}
				var inner context.Context
				handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					inner = r.Context()
					deadline, ok := inner.Deadline()
					equal(t, "has a deadline", ok, test.invocation != 0)
					if ok {
						equal(t, "time left", time.Until(deadline), test.handler)
					}
					equal(t, "has ended", inner.Err() != nil, test.invocation < 0)
				})
				newServer(t, handler, nil).Serve(ctx, gateway.Request{Method: "GET", Path: "/"})
				if inner.Err() == nil {
					t.Error("the handler's context has not ended after the handler returned")
				}
			})
		})
	}
}

func TestNewNeedsAHandler(t *testing.T) {
	t.Parallel()
	if _, err := gateway.New(gateway.Config{}); err == nil || err.Error() != "gateway: the handler is missing" {
		t.Errorf("New without a handler = %v", err)
	}
}

func ExampleServer_Serve() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s asks for %s", r.RemoteAddr, r.URL.EscapedPath())
	})
	server, err := gateway.New(gateway.Config{Handler: handler})
	if err != nil {
		fmt.Println(err)
		return
	}
	response := server.Serve(context.Background(), gateway.Request{Method: "GET", Path: "/rooms/a%2Fb", RemoteIP: "192.0.2.1"})
	fmt.Println(response.Status, string(response.Body))
	// Output: 200 192.0.2.1:0 asks for /rooms/a%2Fb
}
