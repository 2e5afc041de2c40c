package aws_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The response to a panic has the format of the event.
func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	const (
		single = `"headers":{`
		multi  = `"multiValueHeaders":{`
		status = `"statusDescription":"500 Internal Server Error",`
	)
	for event, format := range map[string]string{
		"http-api-v2": single, "function-url": single,
		"http-api-v1": multi, "rest-api": multi,
		"alb-single": status + single, "alb-multi": status + multi,
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			adapter().TestPanic(t, read(t, event), format)
		})
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	// A client sends these; none of them may reach the handler.
	const headers = `"headers":{"x-request-id":"spoofed","X-REQUEST-ID":"spoofed too"},"multiValueHeaders":{"X-Request-Id":["again"]}`
	for _, test := range []struct {
		name, version, context string
		within                 string // the id in an invocation with an id
		without                string // the id in an invocation without one
	}{
		{name: "format 2.0", version: "2.0", context: `"http":{"method":"GET"},"requestId":"r-1"`, within: "r-1", without: "r-1"},
		{name: "format 2.0 without an id", version: "2.0", context: `"http":{"method":"GET"}`, within: "lambda-1", without: ""},
		{name: "format 1.0", context: `"apiId":"a","requestId":"r-1"`, within: "r-1", without: "r-1"},
		{name: "ALB", context: `"elb":{"targetGroupArn":"arn"}`, within: "lambda-1", without: ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			payload := fmt.Sprintf(`{"version":%q,"httpMethod":"GET","path":"/","requestContext":{%s},%s}`, test.version, test.context, headers)
			if got := requestID(t, adapter().Invocation(t.Context()), payload); got != test.within {
				t.Errorf("request id %q, want %q", got, test.within)
			}
			if got := requestID(t, t.Context(), payload); got != test.without {
				t.Errorf("without an id of the invocation: request id %q, want %q", got, test.without)
			}
		})
	}
}

// requestID returns the request ids that the handler receives, joined.
func requestID(t *testing.T, ctx context.Context, payload string) string {
	t.Helper()
	got := "the handler was not called"
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = strings.Join(r.Header.Values("X-Request-Id"), "|")
	})
	if _, err := adapter().New(t, handler, slog.New(slog.DiscardHandler)).Invoke(ctx, []byte(payload)); err != nil {
		t.Fatal(err)
	}
	return got
}

// The handler's deadline is before that of the invocation, so that there is time to respond.
func TestInvokeKeepsAMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusGatewayTimeout)
		})
		function := adapter().New(t, handler, slog.New(slog.DiscardHandler))
		response, err := function.Invoke(ctx, []byte(`{"version":"2.0","requestContext":{"http":{"method":"GET"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(response), `"statusCode":504`) {
			t.Errorf("response = %s, want status 504", response)
		}
		if ctx.Err() != nil {
			t.Errorf("the invocation has ended: %v", ctx.Err())
		}
	})
}
