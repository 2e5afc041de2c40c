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
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func TestOnce(t *testing.T) {
	var out, log bytes.Buffer
	if err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-once"}, nil, &out, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"GET /v1/gift-stats?room_id=friday-show&account=alice", "200 OK", `"total_count": 113`, `"total_coins": 1409`, `"gift_sender_count": 3`,
		"404 Not Found", `"code": "room_not_found"`, "KEY=demo-", "curl -u 'alice:eA",
		`{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, `"type": "stream.summary"`, `"room_id": "monday-show"`, `"room_from": "webhook"`, `"total_gift_coins": 200`, "webhook-id: live-",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story lacks %s:\n%s", want, &out)
		}
	}
	if log.Len() != 0 {
		t.Errorf("log lines interrupt the story: %s", &log)
	}
}

// lines is an output that can be read while it is written to.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// The requests that the story ends with must work as they stand there.
func TestTheCommandsShown(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var out lines
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, nil, &out, io.Discard) }()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), "until interrupted"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not serve: %s", out.String())
		}
	}
	story := out.String()
	key := regexp.MustCompile(`KEY=(\S+)`).FindStringSubmatch(story)[1]
	base := regexp.MustCompile(`Serving on (\S+)`).FindStringSubmatch(story)[1]
	sig := regexp.MustCompile(`curl -u '(\S+?):(\S+)'`).FindStringSubmatch(story)
	for _, test := range []struct {
		path string
		auth func(*http.Request)
		want string
	}{
		{"/v1/gift-stats?room_id=friday-show&account=bob", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }, `"total_coins":300`},
		{"/v1/room-stats?room_id=friday-show", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }, `"total_gift_coins":1709`},
		{"/v1/gift-stats?room_id=friday-show", func(r *http.Request) { r.SetBasicAuth(sig[1], sig[2]) }, `"account":"alice"`},
		{"/openapi.json", func(*http.Request) {}, "3.1.0"},
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
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != 200 || !strings.Contains(string(body), test.want) {
			t.Errorf("%s: %s %s", test.path, response.Status, body)
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
		if err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-once"}, environ, &out, io.Discard); err != nil {
			t.Errorf("%v: %v", environ, err)
		}
	}
}

func TestTheReceiverTakesOnlyWhatIsSigned(t *testing.T) {
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
	if response.StatusCode != http.StatusUnauthorized || len(c.received) != 0 {
		t.Errorf("%s", response.Status)
	}
	if _, err := newCustomer("whsec_%%"); err == nil {
		t.Error("a key that is none is taken")
	}
}

func TestARealApp(t *testing.T) {
	engine, err := simulator.New(simulator.Config{SDKAppID: 1400000001, Admin: "boss", SecretKey: "not-a-real-key"})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(engine)
	defer upstream.Close()
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`{"sdk_app_id":1400000001,"admin":"boss","secret_key":"not-a-real-key"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	environ := []string{"GIFTSTATS_ENDPOINT=" + upstream.URL, "GIFTSTATS_SECRET=file://" + secret}
	if err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-once"}, environ, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "The app 1400000001 at "+upstream.URL+", with 0 api keys.") || strings.Contains(out.String(), "not-a-real-key") {
		t.Errorf("%s", &out)
	}
}

func TestMistakes(t *testing.T) {
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
		{"unknown flag", []string{"-nonsense"}, nil, "not defined: -nonsense"},
		{"unknown variable", nil, []string{"GIFTSTATS_NONSENSE=1"}, "GIFTSTATS_NONSENSE: unknown setting"},
		{"address taken", []string{"-addr", taken.Addr().String()}, nil, "make run ADDR=127.0.0.1:PORT takes another"},
		{"secret missing", []string{"-addr", "127.0.0.1:0"}, []string{"GIFTSTATS_ENDPOINT=china", "GIFTSTATS_SECRET=env://NO_SUCH_VARIABLE"}, "the variable NO_SUCH_VARIABLE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := run(t.Context(), test.args, test.environ, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
