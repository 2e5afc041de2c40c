package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/secret"
)

// startSandboxTest starts a sandbox on any free port, and closes it when the test ends.
func startSandboxTest(t *testing.T, environ []string, log io.Writer) *sandbox {
	t.Helper()
	s, err := startSandbox(environ, "127.0.0.1:0", log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		wantNoGoroutines(t)
	})
	return s
}

// send sends a request of the sandbox's user, and returns the status and the body of the response.
func (s *sandbox) send(t *testing.T, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+sandboxAPIKey)
	status, answer, err = exchange(request)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

// exchange sends a request, and returns the status and the body of the response.
func exchange(request *http.Request) (status int, body string, err error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// want is like send, and fails the test if the status is another one, or the body lacks a text.
func (s *sandbox) want(t *testing.T, method, path, body string, status int, text string) {
	t.Helper()
	got, answer := s.send(t, method, path, body)
	if got != status {
		t.Errorf("%s %s: status %d, want %d: %s", method, path, got, status, answer)
	}
	if !strings.Contains(answer, text) {
		t.Errorf("%s %s: answer %s, want %s in it", method, path, answer, text)
	}
}

const showStats = "/v1/gift-stats?room_id=show&account=alice"

// The table of faults in the page says what a back end sees.
func TestSandboxFaults(t *testing.T) {
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| fault | code |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	if len(rows) < 8 {
		t.Fatalf("found only %d rows in the page", len(rows))
	}
	for _, row := range rows {
		cells := strings.Split(row, "`")
		if len(cells) < 3 {
			t.Fatalf("the row has no fault: %s", row)
		}
		t.Run(cells[1], func(t *testing.T) {
			var environ []string
			fault := cells[1]
			if strings.Contains(fault, "latency") { // without waiting for three times three seconds, and under any load
				environ = []string{"GIFTSTATS_TIMEOUT=100ms"}
				fault = strings.Replace(fault, `"4s"`, `"1m"`, 1)
			}
			s := startSandboxTest(t, environ, io.Discard)
			s.want(t, "POST", "/sandbox/rooms", `{"room_id":"show","owner":"alice"}`, http.StatusCreated, `"show"`)
			s.want(t, "POST", "/sandbox/faults", fault, http.StatusCreated, "")
			status, answer := s.send(t, "GET", showStats, "")
			if len(cells) == 3 { // the row names no code
				if status != http.StatusOK {
					t.Errorf("status %d, want 200: %s", status, answer)
				}
			} else if !strings.Contains(answer, `"code":"`+cells[3]+`"`) {
				t.Errorf("answer %s, want the code %s", answer, cells[3])
			}
		})
	}
}

// The page and the program have the same keys, and a secret store accepts them.
func TestSandboxKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	startSandboxTest(t, nil, io.Discard).introduce(&out, "127.0.0.1:8080")
	for _, key := range []string{
		sandboxAPIKey, sandboxDeliveryKey, sandboxLiveToken, sandboxTRTCKey, sandboxCSSKey, "1400000000", sandboxAdmin, sandboxKey,
	} {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("docs/sandbox.md lacks the key %s", key)
		}
		if !strings.Contains(out.String(), key) {
			t.Errorf("the program does not print the key %s", key)
		}
	}
	for line := range strings.Lines(out.String()) {
		if len(strings.TrimSuffix(line, "\n")) > columns {
			t.Errorf("a line is longer than %d columns: %s", columns, line)
		}
	}
	raw, err := sandboxSecret{}.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	document, err := secret.ParseDocument(raw, secret.KeyDefaults{})
	if err != nil {
		t.Fatal(err)
	}
	if _, known := document.KeyHolder(sandboxAPIKey); !known {
		t.Error("the secret document does not have the API key")
	}
}

// The page is named unless it is switched off, and it is there.
func TestSandboxNamesThePage(t *testing.T) {
	for setting, named := range map[string]bool{"GIFTSTATS_CONSOLE=true": true, "GIFTSTATS_CONSOLE=false": false} {
		t.Run(setting, func(t *testing.T) {
			s := startSandboxTest(t, []string{setting}, io.Discard)
			var out strings.Builder
			s.introduce(&out, "127.0.0.1:8080")
			if got := strings.Contains(out.String(), "open this page and enter the API key:\n\n  "+s.url()+"/\n"); got != named {
				t.Errorf("named = %t, want %t:\n%s", got, named, out.String())
			}
			if status, _ := s.send(t, "GET", "/", ""); (status == http.StatusOK) != named {
				t.Errorf("the page has the status %d", status)
			}
		})
	}
}

// The warning is printed for every address that is not loopback.
func TestSandboxWarnsOfOpenAddresses(t *testing.T) {
	s := startSandboxTest(t, nil, io.Discard)
	for address, warned := range map[string]bool{
		"127.0.0.1:8080": false, "[::1]:8080": false, "localhost:8080": false,
		"0.0.0.0:8080": true, ":8080": true, "[::]:8080": true, "192.168.1.2:8080": true,
	} {
		var out strings.Builder
		s.introduce(&out, address)
		if got := strings.Contains(out.String(), "Warning: other machines may reach "+address); got != warned {
			t.Errorf("%s: warned = %t, want %t", address, got, warned)
		}
	}
}

// A customer gets summaries signed with the key of the page, and again after it has refused one.
func TestSandboxDelivers(t *testing.T) {
	verifier, err := standardwebhooks.NewWebhook(sandboxDeliveryKey)
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan string, 100)
	var status atomic.Int64
	status.Store(http.StatusServiceUnavailable)
	customer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(int(status.Load()))
		received <- string(body)
	}))
	defer customer.Close()
	s := startSandboxTest(t, []string{"GIFTSTATS_DELIVER=" + customer.URL, "GIFTSTATS_ATTEMPTS=1"}, io.Discard)
	s.want(t, "POST", "/sandbox/rooms", `{"room_id":"show","owner":"alice"}`, http.StatusCreated, `"show"`)
	s.want(t, "DELETE", "/sandbox/rooms/show", "", http.StatusOK, `"status": 503`)
	refused := <-received
	for len(received) > 0 { // attempts of the same delivery
		<-received
	}
	status.Store(http.StatusOK)
	s.want(t, "POST", "/sandbox/sweep", "", http.StatusOK, "swept")
	if again := <-received; again != refused {
		t.Errorf("delivered again\n%s\nwant\n%s", again, refused)
	}
}

func TestSandboxReset(t *testing.T) {
	s := startSandboxTest(t, nil, io.Discard)
	s.want(t, "POST", "/sandbox/rooms", `{"room_id":"show","owner":"alice"}`, http.StatusCreated, `"show"`)
	s.want(t, "DELETE", "/sandbox/rooms/show", "", http.StatusOK, `"status": 200`)
	s.want(t, "GET", "/v1/streams", "", http.StatusOK, `"room_id":"show"`)
	s.want(t, "POST", "/sandbox/reset", "", http.StatusOK, "reset")
	s.want(t, "GET", "/v1/streams", "", http.StatusOK, `"streams":[]`)
	s.want(t, "POST", "/sandbox/rooms", `{"room_id":"show","owner":"alice"}`, http.StatusCreated, `"show"`)
	s.want(t, "DELETE", "/sandbox/rooms/show", "", http.StatusOK, `"status": 200`)
	s.want(t, "GET", "/v1/streams", "", http.StatusOK, `"room_id":"show"`)
}

// A user's own back end may call the simulated Tencent, which refuses a call without a signature.
func TestSandboxServesTencent(t *testing.T) {
	s := startSandboxTest(t, nil, io.Discard)
	s.want(t, "POST", "/v4/live_engine_http_srv/get_gift_count", "{}", http.StatusOK, `"ErrorCode":60012`)
}

// While it runs, the sandbox sweeps by itself: it finds a room whose first webhook was lost.
func TestSandboxSweeps(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var log syncbuf.Buffer
	s := startSandboxTest(t, []string{"GIFTSTATS_LOG_LEVEL=info"}, &log)
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
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

func TestSandboxErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{
			name: "the secret of a real app", environ: []string{"GIFTSTATS_SECRET=env://SECRET"},
			want: "the sandbox has an app of its own: unset GIFTSTATS_ENDPOINT and GIFTSTATS_SECRET",
		},
		{
			name: "a real app", environ: []string{"GIFTSTATS_ENDPOINT=singapore", "GIFTSTATS_SECRET=env://SECRET"},
			want: "the sandbox has an app of its own: unset GIFTSTATS_ENDPOINT and GIFTSTATS_SECRET",
		},
		{name: "unknown variable", environ: []string{"GIFTSTATS_NONSENSE=1"}, want: "GIFTSTATS_NONSENSE: unknown setting"},
		{name: "address", args: []string{"-addr", "127.0.0.1:-1"}, want: "make sandbox ADDR=127.0.0.1:PORT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := run(t.Context(), append([]string{"-sandbox"}, test.args...), test.environ, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			wantNoGoroutines(t)
		})
	}
}
