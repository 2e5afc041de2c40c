package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// once returns the flags for any free port, and to end after the story.
func once() []string { return []string{"-addr", "127.0.0.1:0", "-once"} }

func TestOnce(t *testing.T) {
	var out, log bytes.Buffer
	if err := run(t.Context(), once(), nil, &out, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"GET /v1/gift-stats?room_id=friday-show&account=alice", "200 OK",
		`"total_count": 113`, `"total_coins": 1409`, `"gift_sender_count": 3`,
		"404 Not Found", `"code": "room_not_found"`, "KEY=demo-", "curl -u 'alice:eA",
		`{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, "webhook-id: end-",
		`"type": "stream.summary"`, `"room_id": "monday-show"`, `"room_from": "webhook"`, `"total_gift_coins": 200`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story lacks %s:\n%s", want, &out)
		}
	}
	if log.Len() != 0 {
		t.Errorf("log lines interrupt the story: %s", &log)
	}
}

// The commands at the end of the story work as printed.
func TestCommandsShown(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var out syncbuf.Buffer
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, nil, &out, io.Discard) }()
	started, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := out.WaitFor(started, "until interrupted"); err != nil {
		t.Fatal(err)
	}
	story := out.String()
	key := regexp.MustCompile(`KEY=(\S+)`).FindStringSubmatch(story)[1]
	base := regexp.MustCompile(`Serving on (\S+)`).FindStringSubmatch(story)[1]
	sig := regexp.MustCompile(`curl -u '(\S+?):(\S+)'`).FindStringSubmatch(story)
	withKey := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
	withSig := func(r *http.Request) { r.SetBasicAuth(sig[1], sig[2]) }
	for _, test := range []struct {
		path string
		auth func(*http.Request)
		want string
	}{
		{path: "/v1/gift-stats?room_id=friday-show&account=bob", auth: withKey, want: `"total_coins":300`},
		{path: "/v1/room-stats?room_id=friday-show", auth: withKey, want: `"total_gift_coins":1709`},
		{path: "/v1/gift-stats?room_id=friday-show", auth: withSig, want: `"account":"alice"`},
		{path: "/openapi.json", auth: func(*http.Request) {}, want: "3.1.0"},
	} {
		request, err := http.NewRequest(http.MethodGet, base+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		test.auth(request)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != 200 {
			t.Errorf("%s: status %s, want 200", test.path, response.Status)
		}
		if !strings.Contains(string(body), test.want) {
			t.Errorf("%s: body %s, want %s in it", test.path, body, test.want)
		}
		if !strings.Contains(story, test.path) {
			t.Errorf("the story does not show %s", test.path)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestOtherSettings(t *testing.T) {
	for _, environ := range [][]string{{"GIFTSTATS_BASE_PATH=/prod"}, {"GIFTSTATS_RATE_LIMIT=1000"}} {
		var out bytes.Buffer
		if err := run(t.Context(), once(), environ, &out, io.Discard); err != nil {
			t.Errorf("%v: %v", environ, err)
		}
	}
}

func TestCustomerRefusesUnsignedSummaries(t *testing.T) {
	c, err := newCustomer("whsec_bm90LWEtcmVhbC1kZWxpdmVyeS1rZXkh")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	response, err := http.Post(c.url, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %s, want 401", response.Status)
	}
	if len(c.received) != 0 {
		t.Error("an unsigned summary was received")
	}
	if _, err := newCustomer("whsec_%%"); err == nil {
		t.Error("newCustomer accepts an invalid key")
	}
}

func TestRealApp(t *testing.T) {
	engine, err := simulator.New(simulator.Config{SDKAppID: 1400000001, Admin: "boss", SecretKey: "not-a-real-key"})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(engine)
	defer upstream.Close()
	secret := filepath.Join(t.TempDir(), "secret.json")
	document := `{"sdk_app_id":1400000001,"admin":"boss","secret_key":"not-a-real-key"}`
	if err := os.WriteFile(secret, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	environ := []string{"GIFTSTATS_ENDPOINT=" + upstream.URL, "GIFTSTATS_SECRET=file://" + secret}
	if err := run(t.Context(), once(), environ, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := "The app 1400000001 at " + upstream.URL + ", with 0 api keys."; !strings.Contains(out.String(), want) {
		t.Errorf("output = %s, want %q in it", &out, want)
	}
	if strings.Contains(out.String(), "not-a-real-key") {
		t.Errorf("output = %s, it contains the key", &out)
	}
}

func TestRunErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		name          string
		args, environ []string
		want          string
	}{
		{name: "unknown flag", args: []string{"-nonsense"}, want: "not defined: -nonsense"},
		{name: "unknown variable", environ: []string{"GIFTSTATS_NONSENSE=1"}, want: "GIFTSTATS_NONSENSE: unknown setting"},
		{
			name: "address in use", args: []string{"-addr", taken.Addr().String()},
			want: "choose another address with make run ADDR=127.0.0.1:PORT",
		},
		{
			name: "secret missing", args: []string{"-addr", "127.0.0.1:0"},
			environ: []string{"GIFTSTATS_ENDPOINT=china", "GIFTSTATS_SECRET=env://NO_SUCH_VARIABLE"},
			want:    "the variable NO_SUCH_VARIABLE",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := run(t.Context(), test.args, test.environ, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
