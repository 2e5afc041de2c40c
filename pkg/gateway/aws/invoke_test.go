package aws_test

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
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/gateway/aws"
)

// A panic is a 500 in the form of each sender, without its text, and is logged.
func TestPanicIsAnsweredInTheFormOfTheEvent(t *testing.T) {
	t.Parallel()
	for file, form := range map[string]string{
		"http-api-v2": `"headers":{`, "function-url": `"headers":{`, "http-api-v1": `"multiValueHeaders":{`, "rest-api": `"multiValueHeaders":{`,
		"alb-single": `"statusDescription":"500 Internal Server Error","headers":{`, "alb-multi": `"statusDescription":"500 Internal Server Error","multiValueHeaders":{`,
	} {
		payload, err := os.ReadFile(filepath.Join("testdata", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret") })
		answer, err := aws.New(handler, aws.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Invoke(invocation(t), payload)
		var got struct{ StatusCode int }
		if err != nil || json.Unmarshal(answer, &got) != nil || got.StatusCode != 500 || !bytes.Contains(answer, []byte(form)) || bytes.Contains(answer, []byte("secret")) {
			t.Errorf("%s: %s, %v", file, answer, err)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "the secret") {
			t.Errorf("%s: log = %s", file, log.String())
		}
	}
}

// Events of other services, and types that are wrong, are refused without an error and without the handler, and logged.
func TestOtherEventsAreLogged(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{``, `{`, `null`, `[]`, `{"httpMethod":7}`, `{"Records":[{"eventSource":"aws:sqs"}]}`, `{"detail-type":"x","source":"y","detail":{}}`} {
		var log bytes.Buffer
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%q: the handler was called", payload) })
		answer, err := aws.New(handler, aws.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Invoke(t.Context(), []byte(payload))
		if err != nil || !bytes.Contains(answer, []byte(`{"statusCode":400,`)) || !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%q: %s, %v; log = %s", payload, answer, err, log.String())
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	const headers = `"headers":{"x-request-id":"spoofed","X-REQUEST-ID":"spoofed too"},"multiValueHeaders":{"X-Request-Id":["again"]}`
	for _, test := range []struct{ name, context, invocation, fallback string }{
		{"v2", `"http":{"method":"GET"},"requestId":"r-1"`, "r-1", "r-1"},
		{"v2 without", `"http":{"method":"GET"}`, "lambda-1", ""},
		{"v1", `"apiId":"a","requestId":"r-1"`, "r-1", "r-1"},
		{"ALB", `"elb":{"targetGroupArn":"arn"}`, "lambda-1", ""},
	} {
		version := ""
		if strings.HasPrefix(test.name, "v2") {
			version = "2.0"
		}
		payload := []byte(`{"version":"` + version + `","httpMethod":"GET","path":"/","requestContext":{` + test.context + `},` + headers + `}`)
		for want, ctx := range map[string]context.Context{test.invocation: invocation(t), test.fallback: t.Context()} {
			if test.invocation == test.fallback {
				ctx = t.Context()
			}
			called := false
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				if got := strings.Join(r.Header.Values("X-Request-Id"), "|"); got != want {
					t.Errorf("%s: request id %q, want %q", test.name, got, want)
				}
			})
			if _, err := aws.New(handler, aws.Options{}).Invoke(ctx, payload); err != nil || !called {
				t.Errorf("%s: called %v, error %v", test.name, called, err)
			}
		}
	}
}

func TestInvokeKeepsAMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusGatewayTimeout)
		})
		answer, err := aws.New(handler, aws.Options{}).Invoke(ctx, []byte(`{"version":"2.0","requestContext":{"http":{"method":"GET"}}}`))
		if err != nil || !bytes.Contains(answer, []byte(`"statusCode":504`)) || ctx.Err() != nil {
			t.Errorf("%s, %v; the invocation: %v", answer, err, ctx.Err())
		}
	})
}
