package tencent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/internal/testkit/gatewaytest"
	"github.com/giftstats/giftstats/pkg/gateway/tencent"
)

func adapter() gatewaytest.Adapter {
	return gatewaytest.Adapter{
		New: func(t testing.TB, handler http.Handler, logger *slog.Logger) gatewaytest.Function {
			t.Helper()
			function, err := tencent.New(tencent.Config{Handler: handler, Logger: logger})
			if err != nil {
				t.Fatal(err)
			}
			return function
		},
		Invocation: func(ctx context.Context) context.Context {
			return functioncontext.NewContext(ctx, &functioncontext.FunctionContext{RequestID: "scf-1"})
		},
		RequestID: "scf-1",
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	adapter().TestGolden(t)
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	adapter().TestOtherEvents(t)
}

func TestPayloadIsNotKept(t *testing.T) {
	t.Parallel()
	adapter().TestPayloadIsNotKept(t, []byte(`{"httpMethod":"POST","path":"/a","headers":{"n":17},"body":{"room":1}}`))
}

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"Function URL": `{"httpMethod":"GET","path":"/"}`,
		"API Gateway":  `{"httpMethod":"GET","path":"/","requestContext":{"requestId":"r-1"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter().TestPanic(t, []byte(payload), `"statusCode":500,`)
		})
	}
}

func TestNewNeedsAHandler(t *testing.T) {
	t.Parallel()
	if _, err := tencent.New(tencent.Config{}); err == nil {
		t.Error("New accepts a Config without a handler")
	}
}

func TestBodyMayBeTextOrAnObject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, fields, want string }{
		{name: "text", fields: `"body":"{\"a\":1}"`, want: `{"a":1}`},
		{name: "missing", fields: `"path":"/"`, want: ``},
		{name: "null", fields: `"body":null`, want: ``},
		{
			name:   "embedded object",
			fields: `"body":{"room_id": 12345678901234567890}`,
			want:   `{"room_id": 12345678901234567890}`,
		},
		{name: "embedded number", fields: `"body":7,"isBase64Encoded":true`, want: `7`},
		{name: "base64", fields: `"body":"AP/+","isBase64Encoded":true`, want: "\x00\xff\xfe"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []byte
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = io.ReadAll(r.Body) })
			adapter().Invoke(t, handler, []byte(`{"httpMethod":"POST","path":"/",`+test.fields+`}`))
			if string(got) != test.want {
				t.Errorf("body %q, want %q", got, test.want)
			}
		})
	}
}

func TestBinaryBodyIsBase64(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("\x00\xff\xfe")) })
	got := string(adapter().Invoke(t, handler, []byte(`{"httpMethod":"GET","headers":{}}`)))
	want := `{"isBase64Encoded":true,"statusCode":200,"headers":{"Content-Type":"application/octet-stream"},"body":"AP/+"}`
	if got != want {
		t.Errorf("response = %s, want %s", got, want)
	}
}

func TestPayloadsThatAreNotRequests(t *testing.T) {
	t.Parallel()
	const (
		notHTTP = "not an HTTP event"
		get     = `{"httpMethod":"GET","path":"/",`
	)
	adapter().TestRefusals(t, []gatewaytest.Refusal{
		{Name: "empty", Payload: "", Detail: "the payload is empty; this function accepts HTTP events of function URLs"},
		{Name: "not JSON", Payload: "{", Detail: "the payload is not JSON; this function accepts"},
		{Name: "other object", Payload: `{"foo":1}`, Detail: "the payload is not an HTTP event; this function accepts"},
		{Name: "array", Payload: `[1]`, Detail: notHTTP},
		{Name: "number", Payload: `7`, Detail: notHTTP},
		{Name: "null", Payload: `null`, Detail: notHTTP},
		{Name: "method alone", Payload: `{"httpMethod":"GET"}`, Detail: notHTTP},
		{Name: "wrong types", Payload: `{"httpMethod":"GET","path":1}`, Detail: notHTTP},
		{
			Name:    "object in the query",
			Payload: get + `"queryString":{"room_id":{}}}`,
			Detail:  `"room_id" in the event must not be an object; use a string`,
		},
		{Name: "object in a list", Payload: get + `"headers":{"a":["b",{}]}}`, Detail: `"a" in the event must not be an object`},
		{Name: "list of lists", Payload: get + `"headers":{"a":[["b"]]}}`, Detail: `"a" in the event must not be a list of lists`},
		{Name: "invalid base64", Payload: get + `"body":"?","isBase64Encoded":true}`, Detail: "not valid base64"},
	})
}

func FuzzInvoke(f *testing.F) {
	adapter().Fuzz(f, `{"httpMethod":"GET","path":"%","headers":{"a":[]},"queryString":{"b":[null,[]]},"body":[1]}`)
}

func ExampleNew() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %s from %s", r.Method, r.URL, r.RemoteAddr)
	})
	function, err := tencent.New(tencent.Config{Handler: handler}) // a real program calls cloudfunction.StartHandler(function)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := function.Invoke(context.Background(), []byte(`{
		"httpMethod": "GET", "path": "/v1/gift-stats", "queryString": {"room_id": 17},
		"headers": {"x-scf-remote-addr": "192.0.2.1"}, "body": ""
	}`))
	var decoded struct {
		StatusCode int
		Body       string
	}
	fmt.Println(err, json.Unmarshal(response, &decoded))
	fmt.Println(decoded.StatusCode, decoded.Body)
	// Output:
	// <nil> <nil>
	// 200 GET /v1/gift-stats?room_id=17 from 192.0.2.1:0
}
