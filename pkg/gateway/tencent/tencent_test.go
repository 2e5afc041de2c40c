package tencent_test

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
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/pkg/gateway/tencent"
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
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, `{"room_id":"房"}`)
}

func invoke(t testing.TB, handler http.Handler, payload []byte) []byte {
	t.Helper()
	ctx := functioncontext.NewContext(t.Context(), &functioncontext.FunctionContext{RequestID: "scf-1"})
	answer, err := tencent.New(handler, tencent.Options{Logger: slog.New(slog.DiscardHandler)}).Invoke(ctx, payload)
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
			answer := invoke(t, handler, payload)
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

func TestBodies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, fields, want string }{
		{"text", `"body":"{\"a\":1}"`, `{"a":1}`},
		{"missing", `"path":"/"`, ``},
		{"null", `"body":null`, ``},
		{"embedded object", `"body":{"room_id": 12345678901234567890}`, `{"room_id": 12345678901234567890}`},
		{"embedded number", `"body":7,"isBase64Encoded":true`, `7`},
		{"base64", `"body":"AP/+","isBase64Encoded":true`, "\x00\xff\xfe"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []byte
			invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = io.ReadAll(r.Body) }),
				[]byte(`{"httpMethod":"POST","path":"/",`+test.fields+`}`))
			if string(got) != test.want {
				t.Errorf("body %q, want %q", got, test.want)
			}
		})
	}
}

func TestBytesComeBackAsBase64(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("\x00\xff\xfe")) })
	answer := string(invoke(t, handler, []byte(`{"httpMethod":"GET","headers":{}}`)))
	if want := `{"isBase64Encoded":true,"statusCode":200,"headers":{"Content-Type":"application/octet-stream"},"body":"AP/+"}`; answer != want {
		t.Errorf("answer = %s, want %s", answer, want)
	}
}

func TestWhatIsNoRequestGetsAProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, payload, detail string }{
		{"empty", "", "the payload is empty; this function answers HTTP events of function URLs"},
		{"not JSON", "{", "the payload is not JSON; this function answers"},
		{"other object", `{"foo":1}`, "the payload is no HTTP event; this function answers"},
		{"array", `[1]`, "no HTTP event"},
		{"number", `7`, "no HTTP event"},
		{"null", `null`, "no HTTP event"},
		{"method alone", `{"httpMethod":"GET"}`, "no HTTP event"},
		{"wrong types", `{"httpMethod":"GET","path":1}`, "no HTTP event"},
		{"object in the query", `{"httpMethod":"GET","path":"/","queryString":{"room_id":{}}}`, `"room_id" in the event is an object; it must be a text`},
		{"object in a list", `{"httpMethod":"GET","path":"/","headers":{"a":["b",{}]}}`, `"a" in the event is an object`},
		{"list of lists", `{"httpMethod":"GET","path":"/","headers":{"a":[["b"]]}}`, `"a" in the event is a list of lists`},
		{"no base64", `{"httpMethod":"POST","path":"/","body":"?","isBase64Encoded":true}`, "its body is base64, and it is not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var answer struct {
				StatusCode      int
				IsBase64Encoded bool
				Headers         map[string]string
				Body            string
			}
			if err := json.Unmarshal(invoke(t, &mirror{}, []byte(test.payload)), &answer); err != nil {
				t.Fatal(err)
			}
			var got problem.Details
			if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
				t.Fatalf("%v in %+v", err, answer)
			}
			if answer.StatusCode != 400 || answer.Headers["Content-Type"] != "application/problem+json" || got.Code != giftstats.CodeInvalidRequest ||
				!strings.Contains(got.Detail, test.detail) || got.RequestID != "scf-1" {
				t.Errorf("answer = %+v", answer)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		deadline  time.Time
		has, over bool
	}{
		{"zero means none", time.Unix(0, 0).UTC(), false, false},
		{"a real one in the past stays", time.Unix(1, 0), true, true},
		{"a real one", time.Now().Add(time.Hour), true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithDeadline(t.Context(), test.deadline)
			defer cancel()
			ctx = functioncontext.NewContext(ctx, &functioncontext.FunctionContext{RequestID: "scf-1"})
			called := false
			handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				_, has := r.Context().Deadline()
				if over := r.Context().Err() != nil; has != test.has || over != test.over {
					t.Errorf("deadline %v, over %v", has, over)
				}
				if _, ok := functioncontext.FromContext(r.Context()); !ok || r.Header.Get("X-Request-Id") != "scf-1" {
					t.Errorf("the context has lost its values; request id %q", r.Header.Get("X-Request-Id"))
				}
			})
			if _, err := tencent.New(handler, tencent.Options{}).Invoke(ctx, []byte(`{"httpMethod":"GET","path":"/"}`)); err != nil || !called {
				t.Errorf("called %v, error %v", called, err)
			}
		})
	}
}

func TestPayloadIsNotKept(t *testing.T) {
	t.Parallel()
	var kept *http.Request
	payload := []byte(`{"httpMethod":"POST","path":"/a","headers":{"n":17},"body":{"room":1}}`)
	invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = r }), payload)
	clear(payload)
	body, _ := io.ReadAll(kept.Body)
	if string(body) != `{"room":1}` || kept.URL.Path != "/a" || kept.Header.Get("N") != "17" {
		t.Errorf("request = %+v, body %q", kept, body)
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
	f.Add([]byte(`{"httpMethod":"GET","path":"%","headers":{"a":[]},"queryString":{"b":[null,[]]},"body":[1]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		answer := invoke(t, &mirror{}, payload)
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
	function := tencent.New(handler, tencent.Options{}) // in earnest: cloudfunction.StartHandler(function)
	answer, err := function.Invoke(context.Background(), []byte(`{
		"httpMethod": "GET", "path": "/v1/gift-stats", "queryString": {"room_id": 17},
		"headers": {"x-scf-remote-addr": "192.0.2.1"}, "body": ""
	}`))
	fmt.Println(string(answer), err)
	// Output:
	// {"isBase64Encoded":false,"statusCode":200,"headers":{"Content-Type":"text/plain"},"body":"GET of /v1/gift-stats?room_id=17, from 192.0.2.1:0"} <nil>
}
