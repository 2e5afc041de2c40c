package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// startTest starts a server on any free port, and closes it when the test ends.
func startTest(t *testing.T, environ []string, log io.Writer) *server {
	t.Helper()
	server, err := start(environ, "127.0.0.1:0", log, slog.LevelDebug)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// wantNoGoroutines checks that nothing that this package has started goes on running. A goroutine that has said that it
// is done may still need a moment to return.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	left := goroutinesLeft()
	for deadline := time.Now().Add(time.Minute); left != "" && time.Now().Before(deadline); left = goroutinesLeft() {
		time.Sleep(time.Millisecond)
	}
	if left != "" {
		t.Errorf("goroutines are left:\n%s", left)
	}
}

// goroutinesLeft returns the stacks of the goroutines that this package has started.
func goroutinesLeft() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		_, creator, _ := strings.Cut(stack, "created by ")
		if strings.Contains(creator, "functions/local.serve") || strings.Contains(stack, "functions/local.(*server)") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// A browser opens connections in advance. They do not hold up the end, and are not an error.
func TestUnusedConnectionDoesNotHoldUpTheEnd(t *testing.T) {
	server := startTest(t, nil, io.Discard) // closing it is checked
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.url(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	response, err := http.Get(server.url() + "/healthz") // the server accepts connections in the order in which they come
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if err := server.close(); err != nil {
		t.Error(err)
	}
}

func TestEveryCallsAtOnceAndContinuesAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		var times []time.Duration
		began := time.Now()
		every(ctx, logger, time.Minute, "sweep", func(context.Context) error {
			times = append(times, time.Since(began))
			return errors.New("as told")
		})
		if len(times) != 3 || times[0] != 0 || times[2] != 2*time.Minute {
			t.Errorf("called at %v, want at once and once a minute", times)
		}
		if got := strings.Count(log.String(), `msg="sweep failed" error="as told"`); got != 3 {
			t.Errorf("%d failures logged, want 3:\n%s", got, &log)
		}
	})
}

// The numbers of the show move with each gift.
func TestSaturdayShowMovesWithEachGift(t *testing.T) {
	server := startTest(t, nil, io.Discard)
	if err := server.demo.begin(saturdayShow, "The Saturday Show"); err != nil {
		t.Fatal(err)
	}
	next, last := server.demo.goOn(), int64(0)
	for range 2 * len(saturdayGifts) {
		if err := next(t.Context()); err != nil {
			t.Fatal(err)
		}
		room, err := server.demo.engine.Room(saturdayShow)
		if err != nil {
			t.Fatal(err)
		}
		if room.TotalGiftCoins <= last {
			t.Errorf("the room has %d coins after a gift, and had %d before", room.TotalGiftCoins, last)
		}
		last = room.TotalGiftCoins
	}
}

func TestCustomerRefusesUnsignedSummaries(t *testing.T) {
	c, err := newCustomer("whsec_bm90LWEtcmVhbC1kZWxpdmVyeS1rZXkh")
	if err != nil {
		t.Fatal(err)
	}
	defer c.site.close()
	response, err := http.Post(c.site.url, "application/json", strings.NewReader("{}"))
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

// realApp returns the settings of an app that is not the demo's, with its address.
func realApp(t *testing.T) (environ []string, url string) {
	t.Helper()
	engine, err := simulator.New(simulator.Config{SDKAppID: 1400000001, Admin: "boss", SecretKey: "not-a-real-key"})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(engine)
	t.Cleanup(upstream.Close)
	secret := filepath.Join(t.TempDir(), "secret.json")
	document := `{"sdk_app_id":1400000001,"admin":"boss","secret_key":"not-a-real-key"}`
	if err := os.WriteFile(secret, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"GIFTSTATS_ENDPOINT=" + upstream.URL, "GIFTSTATS_SECRET=file://" + secret}, upstream.URL
}

func TestRealApp(t *testing.T) {
	environ, upstream := realApp(t)
	var out bytes.Buffer
	if err := run(t.Context(), once(), environ, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := "The app 1400000001 at " + upstream + ", API keys: 0."; !strings.Contains(out.String(), want) {
		t.Errorf("output = %s, want %q in it", &out, want)
	}
	if strings.Contains(out.String(), "not-a-real-key") {
		t.Errorf("output = %s, it contains the key", &out)
	}
}

// The error of an invalid secret document is the cause alone: there is no log to look into.
func TestInvalidSecretOfTheRealApp(t *testing.T) {
	document := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(document, []byte(`{"sdk_app_id":1400000000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"GIFTSTATS_ENDPOINT=singapore", "GIFTSTATS_SECRET=file://" + document}
	const want = "admin is required\nsecret_key is required"
	if err := run(t.Context(), once(), environ, io.Discard, io.Discard); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// The second request would have to wait for its turn for longer than any client does. It has a deadline, so it is refused at once.
func TestRequestDoesNotWaitForTheRateLimitForever(t *testing.T) {
	environ, _ := realApp(t)
	server := startTest(t, append(environ, "GIFTSTATS_AUTH=none", "GIFTSTATS_RATE_LIMIT=0.02"), io.Discard)
	client := http.Client{Timeout: 40 * time.Second} // the turn would come after 50 s
	for i, want := range []int{http.StatusNotFound, http.StatusTooManyRequests} {
		response, err := client.Get(server.url() + "/v1/room-stats?room_id=no")
		if err != nil {
			t.Fatalf("request %d: %v", i+1, err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("request %d: status %s, want %d", i+1, response.Status, want)
		}
	}
}

// A sweep costs calls, which the app may need elsewhere. Without GIFTSTATS_LEDGER, a real app is not swept.
func TestRealAppIsSweptOnRequest(t *testing.T) {
	environ, _ := realApp(t)
	if startTest(t, environ, io.Discard).sweeps {
		t.Error("a real app is swept although GIFTSTATS_LEDGER is not set")
	}
	ctx, stop := context.WithCancel(t.Context())
	var log syncbuf.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, append(environ, "GIFTSTATS_LEDGER=memory://"), io.Discard, &log)
	}()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := log.WaitFor(wait, `"msg":"sweep finished"`); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
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
			wantNoGoroutines(t)
		})
	}
}
