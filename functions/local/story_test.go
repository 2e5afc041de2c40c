package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
)

// once returns the flags for any free port, and to end after the story.
func once() []string { return []string{"-addr", "127.0.0.1:0", "-once"} }

func TestOnce(t *testing.T) {
	var out, log bytes.Buffer
	if err := run(t.Context(), once(), nil, &out, &log); err != nil {
		t.Fatal(err)
	}
	story := out.String()
	for _, want := range []string{
		"GET /v1/gift-stats?room_id=friday-show&account=alice", "200 OK",
		`"total_count": 113`, `"total_coins": 1409`, `"gift_sender_count": 3`,
		"404 Not Found", `"code": "room_not_found"`,
		`{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, "webhook-id: end-", `"type": "stream.summary"`,
		`"room_from": "webhook"`, `"total_gift_coins": 3809`, `"from": "snapshot"`, `"from": "ledger"`,
		`"reconciled": true`, `"complete": true`,
	} {
		if !strings.Contains(story, want) {
			t.Errorf("the story lacks %s:\n%s", want, story)
		}
	}
	for _, no := range []string{"curl", "demo-", "Serving on", `"unattributed"`} {
		if strings.Contains(story, no) {
			t.Errorf("the story has %s in it, although the server ends:\n%s", no, story)
		}
	}
	for line := range strings.Lines(story) {
		if line = strings.TrimSuffix(line, "\n"); len(line) > columns {
			t.Errorf("a line has %d columns, want at most %d: %s", len(line), columns, line)
		}
	}
	if log.Len() != 0 {
		t.Errorf("log lines interrupt the story: %s", &log)
	}
	wantNoGoroutines(t)
}

// The commands that are shown work as printed, on the show that goes on.
func TestCommandsShown(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, log syncbuf.Buffer
	ended := make(chan error, 1)
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	go func() {
		defer cancel()
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, []string{"GIFTSTATS_LOG_LEVEL=info"}, &out, &log)
	}()
	if err := out.WaitFor(wait, "until interrupted"); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`"gifts":1`, `"msg":"sweep finished"`} {
		if err := log.WaitFor(wait, line); err != nil {
			t.Fatal(err)
		}
	}
	story := out.String()
	variable := func(name string) string {
		return regexp.MustCompile(name + `='?([^\s']+)`).FindStringSubmatch(story)[1]
	}
	url, key, sig := variable("URL"), variable("KEY"), variable("SIG")
	withKey := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
	for _, test := range []struct {
		path string
		auth func(*http.Request)
		want string
	}{
		{path: "/v1/gift-stats?room_id=saturday-show&account=bob", auth: withKey, want: `"account":"bob"`},
		{path: "/v1/room-stats?room_id=saturday-show", auth: withKey, want: `"total_viewers":6`},
		{
			path: "/v1/gift-stats?room_id=saturday-show", want: `"account":"alice"`,
			auth: func(r *http.Request) { r.SetBasicAuth(host, sig) },
		},
		{path: "/openapi.json", auth: func(*http.Request) {}, want: "3.1.0"},
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		test.auth(request)
		wantAnswer(t, request, test.want)
		if !strings.Contains(story, "$URL"+test.path+`"`) {
			t.Errorf("the commands lack %s", test.path)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantNoGoroutines(t)
}

func wantAnswer(t *testing.T, request *http.Request, want string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: status %s, want 200", request.URL.Path, response.Status)
	}
	if !strings.Contains(string(body), want) {
		t.Errorf("%s: body %s, want %s in it", request.URL.Path, body, want)
	}
}

// Of all secrets, only those that the commands need are printed.
func TestSecretsAreNotPrinted(t *testing.T) {
	var log, out bytes.Buffer
	server := startTest(t, nil, &log)
	if err := server.tell(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if err := server.commands(&out); err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"secret key": server.demo.key, "live token": server.demo.liveToken, "delivery key": server.demo.deliveryKey,
	} {
		if strings.Contains(out.String()+log.String(), secret) {
			t.Errorf("the %s is in the output", name)
		}
	}
	if !strings.Contains(out.String(), server.demo.apiKey) {
		t.Error("the api key is not in the output")
	}
}

func TestOtherSettings(t *testing.T) {
	for _, environ := range [][]string{{"GIFTSTATS_BASE_PATH=/prod"}, {"GIFTSTATS_RATE_LIMIT=1000"}, {"GIFTSTATS_DELIVER=log://"}} {
		var out bytes.Buffer
		if err := run(t.Context(), once(), environ, &out, io.Discard); err != nil {
			t.Errorf("%v: %v", environ, err)
		}
	}
}

// An interruption is not an error, not even in the middle of the story.
func TestInterruptedStory(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	err := run(ctx, once(), nil, writerFunc(func(text []byte) (int, error) {
		if bytes.Contains(text, []byte("3. ")) {
			interrupt()
		}
		return len(text), nil
	}), io.Discard)
	if err != nil {
		t.Error(err)
	}
	wantNoGoroutines(t)
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(text []byte) (int, error) { return w(text) }
