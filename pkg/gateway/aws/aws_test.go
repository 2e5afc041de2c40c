package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/pkg/gateway/aws"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

var update = flag.Bool("update", false, "write the golden files anew")

// mirror writes down the request it gets, and answers with all that makes answers differ.
type mirror struct{ request string }

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\nfrom %s, host %s\nquery %v\n", r.Method, r.RequestURI, r.RemoteAddr, r.Host, r.URL.Query())
	r.Header.Write(&text)
	fmt.Fprintf(&text, "%q\n", body)
	m.request = strings.ReplaceAll(text.String(), "\r", "")
	w.Header().Set("Content-Type", "application/json")
	w.Header()["Www-Authenticate"] = []string{"Bearer", `Basic realm="a"`}
	w.Header()["Set-Cookie"] = []string{"a=1; Expires=Mon, 23 Nov 2026 10:00:00 GMT", "b=2"}
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, `{"room_id":"房"}`)
}

// invocation is a context as Lambda's runtime gives it.
func invocation(t testing.TB) context.Context {
	return lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "lambda-1"})
}

func invoke(t testing.TB, handler http.Handler, options aws.Options, payload []byte) []byte {
	t.Helper()
	options.Logger = slog.New(slog.DiscardHandler)
	answer, err := aws.New(handler, options).Invoke(invocation(t), payload)
	if err != nil {
		t.Fatalf("Invoke: %v", err)
	}
	return answer
}

// Each event in testdata has a golden file: the request that it is, and the answer in the form that its sender takes.
func TestEvents(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.json")
	if len(files) == 0 {
		t.Fatal("no events")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			payload, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			handler := &mirror{request: "not called\n"}
			answer := invoke(t, handler, aws.Options{}, payload)
			var indented bytes.Buffer
			if err := json.Indent(&indented, answer, "", "  "); err != nil {
				t.Fatal(err)
			}
			got := handler.request + "\n" + indented.String() + "\n"
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestStageIsStripped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, stage, base, path, want string }{
		{"default stage", "$default", "", "/$default/v1", "/$default/v1"},
		{"no stage", "", "", "/v1", "/v1"},
		{"stage", "prod", "", "/prod/v1/a%2Fb", "/v1/a%2Fb"},
		{"stage alone", "prod", "", "/prod", "/"},
		{"stage with slash", "prod", "", "/prod/", "/"},
		{"only looks like it", "prod", "", "/production/v1", "/production/v1"},
		{"custom domain", "prod", "", "/v1", "/v1"},
		{"twice", "v1", "", "/v1/v1/a", "/v1/a"},
		{"base path is the stage", "prod", "/prod", "/prod/v1", "/prod/v1"},
		{"base path alone", "prod", "/prod", "/prod", "/prod"},
		{"base path after the stage", "prod", "/api", "/prod/api/v1", "/api/v1"},
		{"other base path", "prod", "/pro", "/prod/v1", "/v1"},
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
				payload, _ := json.Marshal(event)
				invoke(t, handler, aws.Options{BasePath: test.base}, payload)
				if got != test.want {
					t.Errorf("version %s: path %q, want %q", version, got, test.want)
				}
			}
		})
	}
}

func TestWhatIsNoRequestGetsAProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, payload, detail string }{
		{"empty", "", "the payload is empty; this function answers HTTP events of API Gateway"},
		{"not JSON", "{", "the payload is not JSON; this function answers"},
		{"other object", `{"foo":1}`, "the payload is no HTTP event; this function answers"},
		{"array", `[1]`, "no HTTP event"},
		{"number", `7`, "no HTTP event"},
		{"null", `null`, "no HTTP event"},
		{"text", `"GET /"`, "no HTTP event"},
		{"method alone", `{"httpMethod":"GET","path":"/"}`, "no HTTP event"},
		{"version alone", `{"version":"2.0"}`, "no HTTP event"},
		{"wrong types", `{"version":2,"httpMethod":["GET"]}`, "no HTTP event"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var answer events.APIGatewayV2HTTPResponse
			if err := json.Unmarshal(invoke(t, &mirror{}, aws.Options{}, []byte(test.payload)), &answer); err != nil {
				t.Fatal(err)
			}
			var got problem.Details
			if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
				t.Fatalf("%v in %+v", err, answer)
			}
			if answer.StatusCode != 400 || answer.Headers["Content-Type"] != "application/problem+json" || got.Code != giftstats.CodeInvalidRequest ||
				!strings.Contains(got.Detail, test.detail) || got.RequestID != "lambda-1" {
				t.Errorf("answer = %+v", answer)
			}
		})
	}
}

func TestBadBodyIsAnsweredInTheFormOfTheEvent(t *testing.T) {
	t.Parallel()
	payload := `{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"POST","path":"/","multiValueHeaders":{},"body":"?","isBase64Encoded":true}`
	var answer events.ALBTargetGroupResponse
	if err := json.Unmarshal(invoke(t, &mirror{}, aws.Options{}, []byte(payload)), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.StatusDescription != "400 Bad Request" || answer.MultiValueHeaders["Content-Type"][0] != "application/problem+json" || answer.Headers != nil {
		t.Errorf("answer = %+v", answer)
	}
}

func TestBytesComeBackAsBase64(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.WriteHeader(299) // has no name
		w.Write([]byte("\x00\xff\xfe"))
	})
	for name, context := range map[string]string{
		"v1": `{"resourcePath":"/"}`, "v2": `{"http":{"method":"GET"}}`, "ALB": `{"elb":{"targetGroupArn":"arn"}}`,
	} {
		version := map[string]string{"v2": "2.0"}[name]
		answer := invoke(t, handler, aws.Options{}, []byte(`{"version":"`+version+`","httpMethod":"GET","path":"/","requestContext":`+context+`}`))
		var got events.ALBTargetGroupResponse
		if err := json.Unmarshal(answer, &got); err != nil || got.Body != "AP/+" || !got.IsBase64Encoded || name == "ALB" && got.StatusDescription != "299" {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
	}
}

// The runtime overwrites the payload for the next invocation.
func TestPayloadIsNotKept(t *testing.T) {
	t.Parallel()
	var kept *http.Request
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = r })
	payload, err := os.ReadFile("testdata/http-api-v2.json")
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, handler, aws.Options{}, payload)
	clear(payload)
	body, _ := io.ReadAll(kept.Body)
	if string(body) != "{\"queries\": []}\n" || kept.URL.Path != "/rooms/a/b" || kept.Header.Get("Cookie") != "a=1; b=2" {
		t.Errorf("request = %+v, body %q", kept, body)
	}
}

// What aws-lambda-go knows of answers reads ours.
func TestAnswersFitTheirTypes(t *testing.T) {
	t.Parallel()
	for file, shape := range map[string]any{
		"http-api-v2": &events.APIGatewayV2HTTPResponse{}, "function-url": &events.LambdaFunctionURLResponse{},
		"rest-api": &events.APIGatewayProxyResponse{}, "http-api-v1": &events.APIGatewayProxyResponse{},
		"alb-single": &events.ALBTargetGroupResponse{}, "alb-multi": &events.ALBTargetGroupResponse{},
	} {
		payload, err := os.ReadFile("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(invoke(t, &mirror{}, aws.Options{}, payload)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(shape); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Whatever comes: there is an answer, and it is one.
func FuzzInvoke(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(`{"version":"2.0","requestContext":{"http":{"method":"GET"}},"headers":{"":"\u0000"}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		answer := invoke(t, &mirror{}, aws.Options{BasePath: "/prod"}, payload)
		var got struct{ StatusCode int }
		if err := json.Unmarshal(answer, &got); err != nil || got.StatusCode != 201 && got.StatusCode != 400 {
			t.Errorf("answer = %s, %v", answer, err)
		}
		if !bytes.Equal(before, payload) {
			t.Error("the payload was changed")
		}
	})
}

func ExampleNew() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s of %s, from %s", r.Method, r.URL, r.RemoteAddr)
	})
	function := aws.New(handler, aws.Options{}) // in earnest: lambda.Start(function)
	answer, err := function.Invoke(context.Background(), []byte(`{
		"version": "2.0", "rawPath": "/healthz",
		"requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}, "stage": "$default"}
	}`))
	fmt.Println(string(answer), err)
	// Output:
	// {"statusCode":200,"headers":{"Content-Type":"text/plain"},"body":"GET of /healthz, from 192.0.2.1:0","isBase64Encoded":false} <nil>
}
