package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/internal/testkit/gatewaytest"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
)

// withBasePath is the adapter under test, with a base path.
func withBasePath(basePath string) gatewaytest.Adapter {
	return gatewaytest.Adapter{
		New: func(t testing.TB, handler http.Handler, logger *slog.Logger) gatewaytest.Function {
			t.Helper()
			function, err := aws.New(aws.Config{Handler: handler, BasePath: basePath, Logger: logger})
			if err != nil {
				t.Fatal(err)
			}
			return function
		},
		Invocation: func(ctx context.Context) context.Context {
			return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "lambda-1"})
		},
		RequestID: "lambda-1",
		Cookies:   []string{"a=1; Expires=Mon, 23 Nov 2026 10:00:00 GMT", "b=2"},
	}
}

func adapter() gatewaytest.Adapter { return withBasePath("") }

func read(t testing.TB, event string) []byte {
	t.Helper()
	payload, err := os.ReadFile("testdata/" + event + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return payload
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
	adapter().TestPayloadIsNotKept(t, read(t, "http-api-v2"))
}

func TestNewChecksItsConfig(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		config aws.Config
	}{
		{name: "no handler", config: aws.Config{}},
		{name: "base path without a slash", config: aws.Config{Handler: http.NotFoundHandler(), BasePath: "prod"}},
		{name: "base path that ends with a slash", config: aws.Config{Handler: http.NotFoundHandler(), BasePath: "/prod/"}},
	} {
		if _, err := aws.New(test.config); err == nil {
			t.Errorf("%s: New accepts %+v", test.name, test.config)
		}
	}
}

func TestStageIsStripped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, stage, base, path, want string }{
		{name: "default stage", stage: "$default", path: "/$default/v1", want: "/$default/v1"},
		{name: "no stage", path: "/v1", want: "/v1"},
		{name: "stage", stage: "prod", path: "/prod/v1/a%2Fb", want: "/v1/a%2Fb"},
		{name: "stage alone", stage: "prod", path: "/prod", want: "/"},
		{name: "stage with slash", stage: "prod", path: "/prod/", want: "/"},
		{name: "segment that begins like the stage", stage: "prod", path: "/production/v1", want: "/production/v1"},
		{name: "custom domain", stage: "prod", path: "/v1", want: "/v1"},
		{name: "stage twice", stage: "v1", path: "/v1/v1/a", want: "/v1/a"},
		{name: "base path is the stage", stage: "prod", base: "/prod", path: "/prod/v1", want: "/prod/v1"},
		{name: "base path alone", stage: "prod", base: "/prod", path: "/prod", want: "/prod"},
		{name: "base path after the stage", stage: "prod", base: "/api", path: "/prod/api/v1", want: "/api/v1"},
		{name: "other base path", stage: "prod", base: "/pro", path: "/prod/v1", want: "/v1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got string
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.EscapedPath() })
			for _, version := range []string{"2.0", "1.0"} {
				event := map[string]any{
					"version": version, "rawPath": test.path, "path": test.path, "httpMethod": "GET",
					"requestContext": map[string]any{"stage": test.stage, "http": map[string]any{"method": "GET"}},
				}
				payload, err := json.Marshal(event)
				if err != nil {
					t.Fatal(err)
				}
				withBasePath(test.base).Invoke(t, handler, payload)
				if got != test.want {
					t.Errorf("version %s: path %q, want %q", version, got, test.want)
				}
			}
		})
	}
}

func TestPayloadsThatAreNotRequests(t *testing.T) {
	t.Parallel()
	const notHTTP = "not an HTTP event"
	adapter().TestRefusals(t, []gatewaytest.Refusal{
		{Name: "empty", Payload: "", Detail: "the payload is empty; this function accepts HTTP events of API Gateway"},
		{Name: "not JSON", Payload: "{", Detail: "the payload is not JSON; this function accepts"},
		{Name: "other object", Payload: `{"foo":1}`, Detail: "the payload is not an HTTP event; this function accepts"},
		{Name: "array", Payload: `[1]`, Detail: notHTTP},
		{Name: "number", Payload: `7`, Detail: notHTTP},
		{Name: "null", Payload: `null`, Detail: notHTTP},
		{Name: "text", Payload: `"GET /"`, Detail: notHTTP},
		{Name: "method alone", Payload: `{"httpMethod":"GET","path":"/"}`, Detail: notHTTP},
		{Name: "version alone", Payload: `{"version":"2.0"}`, Detail: notHTTP},
		{Name: "wrong types", Payload: `{"version":2,"httpMethod":["GET"]}`, Detail: notHTTP},
	})
}

// A gateway copies what clients send into its events. None of it may make the event unreadable.
func TestImperfectTextsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, headers, want string }{
		{name: "invalid UTF-8", headers: `{"x-name":"a` + "\xff" + `b"}`, want: "a\uFFFDb"},
		{name: "half of a surrogate pair", headers: `{"x-name":"a\ud83db"}`, want: "a\uFFFDb"},
		{name: "repeated name", headers: `{"x-name":"a","x-name":"b"}`, want: "b"},
		{name: "null", headers: `{"x-name":null}`, want: ""},
	} {
		payload := `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"}},"headers":` + test.headers + `}`
		served := false
		handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			served = true
			if got := r.Header.Get("X-Name"); got != test.want {
				t.Errorf("%s: the header is %q, want %q", test.name, got, test.want)
			}
		})
		if answer := adapter().Invoke(t, handler, []byte(payload)); !served {
			t.Errorf("%s: the event is refused: %s", test.name, answer)
		}
	}
}

func TestBadBodyGetsAResponseInTheFormatOfTheEvent(t *testing.T) {
	t.Parallel()
	payload := `{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"POST","path":"/",` +
		`"multiValueHeaders":{},"body":"?","isBase64Encoded":true}`
	var response events.ALBTargetGroupResponse
	if err := json.Unmarshal(adapter().Invoke(t, http.NotFoundHandler(), []byte(payload)), &response); err != nil {
		t.Fatal(err)
	}
	if response.StatusDescription != "400 Bad Request" {
		t.Errorf("statusDescription = %q", response.StatusDescription)
	}
	if got := fmt.Sprint(response.MultiValueHeaders["Content-Type"]); got != "[application/problem+json]" {
		t.Errorf("Content-Type = %s", got)
	}
	if response.Headers != nil {
		t.Errorf("headers = %v, want none", response.Headers)
	}
}

func TestBinaryBodyIsBase64(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.WriteHeader(299) // a status without a name
		w.Write([]byte("\x00\xff\xfe"))
	})
	for _, test := range []struct{ name, version, context, description string }{
		{name: "payload format 1.0", version: "", context: `{"resourcePath":"/"}`},
		{name: "payload format 2.0", version: "2.0", context: `{"http":{"method":"GET"}}`},
		{name: "ALB", version: "", context: `{"elb":{"targetGroupArn":"arn"}}`, description: "299"},
	} {
		payload := fmt.Sprintf(`{"version":%q,"httpMethod":"GET","path":"/","requestContext":%s}`, test.version, test.context)
		var got events.ALBTargetGroupResponse
		if err := json.Unmarshal(adapter().Invoke(t, handler, []byte(payload)), &got); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got.Body != "AP/+" || !got.IsBase64Encoded {
			t.Errorf("%s: body = %q, isBase64Encoded = %v", test.name, got.Body, got.IsBase64Encoded)
		}
		if got.StatusDescription != test.description {
			t.Errorf("%s: statusDescription = %q, want %q", test.name, got.StatusDescription, test.description)
		}
	}
}

// The types of aws-lambda-go decode our responses without unknown fields.
func TestResponsesFitTheirTypes(t *testing.T) {
	t.Parallel()
	for event, response := range map[string]any{
		"http-api-v2": &events.APIGatewayV2HTTPResponse{}, "function-url": &events.LambdaFunctionURLResponse{},
		"rest-api": &events.APIGatewayProxyResponse{}, "http-api-v1": &events.APIGatewayProxyResponse{},
		"alb-single": &events.ALBTargetGroupResponse{}, "alb-multi": &events.ALBTargetGroupResponse{},
	} {
		decoder := json.NewDecoder(bytes.NewReader(adapter().Response(t, read(t, event))))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(response); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
}

func FuzzInvoke(f *testing.F) {
	withBasePath("/prod").Fuzz(f, `{"version":"2.0","requestContext":{"http":{"method":"GET"}},"headers":{"":"\u0000"}}`)
}

func ExampleNew() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %s from %s", r.Method, r.URL, r.RemoteAddr)
	})
	function, err := aws.New(aws.Config{Handler: handler}) // a real program calls lambda.Start(function)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := function.Invoke(context.Background(), []byte(`{
		"version": "2.0", "rawPath": "/healthz",
		"requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}, "stage": "$default"}
	}`))
	var decoded struct {
		StatusCode int
		Body       string
	}
	fmt.Println(err, json.Unmarshal(response, &decoded))
	fmt.Println(decoded.StatusCode, decoded.Body)
	// Output:
	// <nil> <nil>
	// 200 GET /healthz from 192.0.2.1:0
}
