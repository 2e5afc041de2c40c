package cloudapi_test

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/cloudapi"
)

// start starts a server whose action is the path of a request.
func start(t *testing.T) *cloudapi.Server {
	server := cloudapi.Start(cloudapi.Protocol{
		MaxBody: 8,
		Action:  func(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/") },
		Answer: func(w http.ResponseWriter, _ *http.Request, id string, body []byte) {
			io.WriteString(w, id[len(id)-1:]+" "+string(body))
		},
		Fail: func(w http.ResponseWriter, id string, f cloudapi.Fault) {
			io.WriteString(w, id[len(id)-1:]+" fault "+f.Code)
		},
	})
	t.Cleanup(server.Close)
	return server
}

func post(server *cloudapi.Server, action, body string) (string, error) {
	response, err := http.Post(server.URL+"/"+action, "text/plain", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(cloudapi.Fault{Action: "a", Skip: 1, Code: "spoiled"})
	server.Misbehave(cloudapi.Fault{Action: "b", Body: []byte{}})
	server.Misbehave(cloudapi.Fault{Action: "c", Latency: 1})
	server.Misbehave(cloudapi.Fault{Action: "d", Status: 500, Times: -1})
	for _, test := range []struct{ action, want string }{
		{action: "a", want: "1 body"},
		{action: "a", want: "2 fault spoiled"},
		{action: "a", want: "3 body"},
		{action: "b", want: "4 fault "},
		{action: "c", want: "5 body"},
		{action: "d", want: "6 fault "},
	} {
		if got, err := post(server, test.action, "body"); err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.action, got, err, test.want)
		}
	}
	server.Heal()
	if got, err := post(server, "d", "body"); err != nil || got != "7 body" {
		t.Errorf("after Heal: %q, %v", got, err)
	}
	if got := server.Calls("a"); got != 3 {
		t.Errorf("Calls(a) = %d, want 3", got)
	}
	if got := server.Calls(""); got != 7 {
		t.Errorf("Calls() = %d, want 7", got)
	}
}

func TestLostAnswer(t *testing.T) {
	t.Parallel()
	var carriedOut atomic.Int32
	server := cloudapi.Start(cloudapi.Protocol{
		MaxBody: 8,
		Action:  func(*http.Request) string { return "a" },
		Answer:  func(http.ResponseWriter, *http.Request, string, []byte) { carriedOut.Add(1) },
	})
	defer server.Close()
	server.Misbehave(cloudapi.Fault{Lost: true})
	if got, err := post(server, "a", "body"); err == nil {
		t.Errorf("answered %q, want an error", got)
	}
	if got := carriedOut.Load(); got != 1 {
		t.Errorf("carried out %d times, want once", got)
	}
}

func TestBodyThatIsTooLarge(t *testing.T) {
	t.Parallel()
	if got, err := post(start(t), "a", "nine bytes"); err == nil {
		t.Errorf("answered %q, want an error", got)
	}
}

func TestLatencyEndsWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	server := cloudapi.Start(cloudapi.Protocol{MaxBody: 8, Action: func(*http.Request) string { leave(); return "a" }})
	defer server.Close()
	server.Misbehave(cloudapi.Fault{Latency: time.Hour})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Error("the request was answered")
	}
}

func TestCloseAbortsWhatWaits(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server := cloudapi.Start(cloudapi.Protocol{MaxBody: 8, Action: func(*http.Request) string { close(arrived); return "a" }})
	server.Misbehave(cloudapi.Fault{Latency: time.Hour})
	failed := make(chan error, 1)
	go func() {
		_, err := post(server, "a", "body")
		failed <- err
	}()
	<-arrived
	server.Close()
	if <-failed == nil {
		t.Error("the request was answered")
	}
}

func TestParseAuthorization(t *testing.T) {
	t.Parallel()
	right := cloudapi.Authorization{
		KeyID: "id", Date: "20261123", Scope: []string{"eu", "sqs"}, SignedHeaders: []string{"host", "x-amz-date"}, Signature: "00ff",
	}
	for _, test := range []struct {
		name, header string
		want         cloudapi.Authorization
	}{
		{
			name:   "with spaces",
			header: "A Credential=id/20261123/eu/sqs/end, SignedHeaders=host;x-amz-date, Signature=00ff",
			want:   right,
		},
		{name: "without spaces", header: "A Credential=id/20261123/eu/sqs/end,SignedHeaders=host;x-amz-date,Signature=00ff", want: right},
		{name: "empty"},
		{name: "other algorithm", header: "B Credential=id/20261123/eu/sqs/end, SignedHeaders=host, Signature=00ff"},
		{name: "scope too short", header: "A Credential=id/20261123/sqs/end, SignedHeaders=host, Signature=00ff"},
		{name: "scope too long", header: "A Credential=id/20261123/eu/x/sqs/end, SignedHeaders=host, Signature=00ff"},
		{name: "other terminator", header: "A Credential=id/20261123/eu/sqs/stop, SignedHeaders=host, Signature=00ff"},
		{name: "no signed headers", header: "A Credential=id/20261123/eu/sqs/end, Signature=00ff"},
		{name: "no signature", header: "A Credential=id/20261123/eu/sqs/end, SignedHeaders=host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := cloudapi.ParseAuthorization(test.header, "A", "end", 2)
			if ok != (test.want.KeyID != "") || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v, %v; want %+v", got, ok, test.want)
			}
		})
	}
}
