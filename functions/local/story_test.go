package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
)

// once returns the flags for any free port, and to end after the story.
func once() []string { return []string{"-addr", "127.0.0.1:0", "-once"} }

func TestStoryHasEveryStep(t *testing.T) {
	var out, log bytes.Buffer
	if err := run(t.Context(), once(), nil, &out, &log); err != nil {
		t.Fatal(err)
	}
	story := out.String()
	for _, want := range []string{
		"GET /v1/gift-stats?room_id=friday-show&account=alice", "200 OK",
		`"total_count": 113`, `"total_coins": 1409`, `"gift_sender_count": 3`,
		"404 Not Found", `"code": "room_not_found"`,
		"GET /v1/top-senders?room_id=friday-show", `{"rank": 1, "account": "frank", "total_count": 2, "total_coins": 2000}`,
		`{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, "webhook-id: end-", `"type": "stream.summary"`,
		`"room_from": "webhook"`, `"total_gift_coins": 3809`, `"from": "snapshot"`, `"from": "ledger"`,
		`"reconciled": true`, `"complete": true`,
		"GET /v1/streams\n", `"streams": [`,
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

// The stream is remembered with the numbers that the summary has.
func TestStreamsAfterTheStory(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), once(), nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	_, summary, _ := strings.Cut(out.String(), "webhook-id: ")
	summary, streams, found := strings.Cut(summary, "GET /v1/streams")
	if !found {
		t.Fatalf("the story has no summary before the streams:\n%s", &out)
	}
	id := regexp.MustCompile(`"event_id": "end-\w+"`)
	if want, got := id.FindString(summary), id.FindString(streams); want == "" || got != want {
		t.Errorf("the stream has %q, the summary has %q", got, want)
	}
	if want := `"total_coins": 2400`; !strings.Contains(streams, want) {
		t.Errorf("the streams lack %s:\n%s", want, streams)
	}
}

// The READMEs show a part of the real story; a line with three dots stands for what they leave out.
func TestReadmesShowTheStory(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), once(), nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	changing := regexp.MustCompile(`"Id-[0-9a-f]{32}|"\d{4}-\d\d-\d\dT[0-9:.]+Z"`)
	for _, readme := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(filepath.Join("../..", readme))
		if err != nil {
			t.Fatal(err)
		}
		_, sample, _ := strings.Cut(string(text), "    $ make run ONCE=1\n")
		sample, _, found := strings.Cut(sample, "\n    ...\n\n")
		if !found {
			t.Fatalf("%s has no sample that ends with three dots", readme)
		}
		sample = changing.ReplaceAllString(strings.ReplaceAll("\n"+sample, "\n    ", "\n"), "?")
		rest := "\n" + changing.ReplaceAllString(out.String(), "?")
		for part := range strings.SplitSeq(sample, "\n...") {
			_, after, found := strings.Cut(rest, part+"\n")
			if !found {
				t.Errorf("%s shows what the story does not have, or not in this place:\n%s", readme, part)
				break
			}
			rest = "\n" + after
		}
	}
}

// The commands that are shown work as printed, on the show that goes on.
func TestCommandsShown(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, log syncbuf.Buffer
	ended := make(chan error, 1)
	wait, cancel := context.WithTimeout(ctx, time.Minute)
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
		{path: "/v1/top-senders?room_id=saturday-show", auth: withKey, want: `"account":"carol"`},
		{path: "/v1/streams", auth: withKey, want: `"room_id":"friday-show"`},
		{path: "/v1/gift-stats?room_id=friday-show&account=bob", auth: withKey, want: `"from":"ledger"`},
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
	reportAsShown(ctx, t, story, url, withKey)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantNoGoroutines(t)
}

// reportAsShown reports the end of the show with the printed body, and gets the summary of the story.
func reportAsShown(ctx context.Context, t *testing.T, story, url string, auth func(*http.Request)) {
	t.Helper()
	_, command, _ := strings.Cut(story, `"$URL/v1/stream-ends"`)
	shown := regexp.MustCompile(`(?s)^ -H 'Content-Type: application/json' -d '(.*?)'`).FindStringSubmatch(command)
	if shown == nil {
		t.Fatal("the commands do not report an end")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/stream-ends", strings.NewReader(shown[1]))
	if err != nil {
		t.Fatal(err)
	}
	auth(request)
	wantAnswer(t, request, regexp.MustCompile(`"event_id": "end-\w+"`).FindString(story)[len(`"event_id": `):])
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
	if err := server.printCommands(&out); err != nil {
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
		t.Error("the API key is not in the output")
	}
}

func TestOtherSettings(t *testing.T) {
	for _, environ := range [][]string{
		{"GIFTSTATS_BASE_PATH=/prod"}, {"GIFTSTATS_RATE_LIMIT=1000"}, {"GIFTSTATS_DELIVER=log://"}, {"GIFTSTATS_AUTH=api-key"},
	} {
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
