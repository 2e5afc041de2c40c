package scfruntime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/testkit/leaks"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// The test binary is also the function. The variable FUNCTION selects which one.
func TestMain(m *testing.M) {
	switch os.Getenv("FUNCTION") {
	case "":
		leaks.Main(m) // every goroutine ends with the test that started it
	case "broken":
		fmt.Fprintln(os.Stderr, "GIFTSTATS_SECRET is missing")
		os.Exit(1)
	case "unlucky": // prints what a function prints if its port is taken
		fmt.Println("listen tcp 0.0.0.0:" + os.Getenv("_LAMBDA_SERVER_PORT") + ": bind: address already in use")
		os.Exit(1)
	case "hanging":
		time.Sleep(time.Minute) // an empty select would be found to be a deadlock
	default:
		fmt.Println("started")
		cloudfunction.StartHandler(handler{})
	}
}

type handler struct{}

var running atomic.Int32

// Invoke runs the command in the payload.
func (handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if running.Add(1) > 1 {
		return nil, errors.New("two events at once")
	}
	defer running.Add(-1)
	if url, held := strings.CutPrefix(string(payload), "held by "); held {
		response, err := http.Get(url) // the answer comes when the test lets the function go on
		if err != nil {
			return nil, err
		}
		return payload, response.Body.Close()
	}
	switch string(payload) {
	case "describe":
		return json.Marshal(describe(ctx))
	case "fail":
		return nil, errors.New("no luck")
	case "panic":
		panic("bug")
	case "exit":
		os.Exit(4)
	case "hang":
		fmt.Println("hangs")
		select {}
	case "slow":
		time.Sleep(50 * time.Millisecond)
	}
	return payload, nil
}

func describe(ctx context.Context) map[string]any {
	invocation, _ := functioncontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	_, leaked := os.LookupEnv("LEAK")
	description := map[string]any{
		"id": invocation.RequestID, "name": invocation.FunctionName, "memory": invocation.MemoryLimitInMb,
		"region": os.Getenv("TENCENTCLOUD_REGION"), "secret": os.Getenv("TENCENTCLOUD_SECRETID"), "own": os.Getenv("OWN"),
		"leaked": leaked, "left": time.Until(deadline).Round(10 * time.Minute).String(),
	}
	if deadline.Equal(time.Unix(0, 0)) {
		description["left"] = "zero"
	}
	return description
}

func start(t *testing.T, config scfruntime.Config) *scfruntime.Runtime {
	t.Helper()
	config.Binary = os.Args[0]
	config.Timeout = time.Hour
	if config.Environment == nil {
		config.Environment = map[string]string{}
	}
	config.Environment["FUNCTION"] = "handle"
	runtime, err := scfruntime.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(runtime.Close)
	return runtime
}

// printed waits until the function printed a text.
func printed(t *testing.T, runtime *scfruntime.Runtime, text string) {
	t.Helper()
	if err := runtime.WaitOutput(t.Context(), text, 1); err != nil {
		t.Fatal(err)
	}
}

func TestFunctionFindsItsSurroundings(t *testing.T) {
	t.Setenv("LEAK", "of the developer")
	runtime := start(t, scfruntime.Config{Name: "stats", Region: "ap-guangzhou", MemoryMB: 256, Environment: map[string]string{"OWN": "1"}})
	for _, test := range []struct {
		name             string
		options          scfruntime.Options
		id, left, secret string
	}{
		{name: "defaults", id: "00000000-0000-4000-8000-000000000001", left: "1h0m0s"},
		{
			name:    "credentials",
			options: scfruntime.Options{RequestID: "r-2", Environment: map[string]string{"TENCENTCLOUD_SECRETID": "AKIDone"}},
			id:      "r-2", left: "1h0m0s", secret: "AKIDone",
		},
		{
			name:    "rotated",
			options: scfruntime.Options{RequestID: "r-3", Environment: map[string]string{"TENCENTCLOUD_SECRETID": "AKIDtwo"}},
			id:      "r-3", left: "1h0m0s", secret: "AKIDtwo",
		},
		{
			name:    "credentials stay",
			options: scfruntime.Options{RequestID: "r-4", Deadline: time.Unix(0, 0)},
			id:      "r-4", left: "zero", secret: "AKIDtwo",
		},
	} {
		reply, err := runtime.Invoke(t.Context(), []byte("describe"), test.options)
		if err != nil || reply.ErrorType != "" {
			t.Errorf("%s: reply = %+v, %v", test.name, reply, err)
		}
		want := fmt.Sprintf(`{"id":%q,"leaked":false,"left":%q,"memory":256,"name":"stats","own":"1","region":"ap-guangzhou","secret":%q}`,
			test.id, test.left, test.secret)
		if string(reply.Payload) != want {
			t.Errorf("%s: payload\n got %s\nwant %s", test.name, reply.Payload, want)
		}
	}
	printed(t, runtime, "started\n")
	if runtime.ColdStart() <= 0 {
		t.Errorf("ColdStart = %v", runtime.ColdStart())
	}
	if runtime.Output() != "started\n" {
		t.Errorf("Output = %q", runtime.Output())
	}
}

func TestErrorsAreReplies(t *testing.T) {
	t.Parallel()
	runtime := start(t, scfruntime.Config{})
	for _, test := range []struct {
		command, kind, message string
		panicked               bool
	}{
		{command: "fail", kind: "errorString", message: "no luck"},
		{command: "panic", kind: "string", message: "bug", panicked: true},
		{command: "fine"}, // neither ends the function
		{command: ""},
	} {
		reply, err := runtime.Invoke(t.Context(), []byte(test.command), scfruntime.Options{})
		if err != nil {
			t.Errorf("%q: %v", test.command, err)
		}
		if reply.ErrorType != test.kind || reply.ErrorMessage != test.message {
			t.Errorf("%q: error %s %q, want %s %q", test.command, reply.ErrorType, reply.ErrorMessage, test.kind, test.message)
		}
		if reply.Panicked != test.panicked {
			t.Errorf("%q: Panicked = %v, want %v", test.command, reply.Panicked, test.panicked)
		}
	}
}

func TestEarlyExitTellsWhy(t *testing.T) {
	t.Parallel()
	for function, want := range map[string]string{
		"broken":  "ended before it answered a ping: exit status 1; it printed:\nGIFTSTATS_SECRET is missing",
		"unlucky": "address already in use", // after several ports
	} {
		_, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: os.Args[0], Environment: map[string]string{"FUNCTION": function}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Start = %v", function, err)
		}
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := scfruntime.Start(ctx, scfruntime.Config{Binary: os.Args[0], Environment: map[string]string{"FUNCTION": "hanging"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v", err)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]scfruntime.Config{
		"no binary":      {},
		"missing binary": {Binary: "/no/such/program"},
		"timeout":        {Binary: os.Args[0], Timeout: -1},
	} {
		if _, err := scfruntime.Start(t.Context(), config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestOneEventAtATime(t *testing.T) {
	t.Parallel()
	runtime := start(t, scfruntime.Config{})
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			if reply, err := runtime.Invoke(t.Context(), []byte("slow"), scfruntime.Options{}); err != nil || string(reply.Payload) != "slow" {
				t.Errorf("reply = %+v, %v", reply, err)
			}
		})
	}
	calls.Wait()
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	runtime := start(t, scfruntime.Config{})
	gate := remote.NewGate()
	holder := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { gate.Hold() }))
	defer holder.Close()
	defer gate.Open()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := runtime.Invoke(ctx, []byte("held by "+holder.URL), scfruntime.Options{})
		gone <- err
	}()
	if !gate.Await() {
		t.Fatal("the function does not run")
	}
	queued, cancelQueued := context.WithCancel(t.Context())
	cancelQueued()
	_, err := runtime.Invoke(queued, []byte("never"), scfruntime.Options{})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "to be free for invocation") {
		t.Errorf("cancelled in the queue: %v", err)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "reply to invocation") {
		t.Errorf("cancelled while it ran: %v", err)
	}
	gate.Open()
	if reply, err := runtime.Invoke(t.Context(), []byte("next"), scfruntime.Options{}); err != nil || string(reply.Payload) != "next" {
		t.Errorf("the next one: %+v, %v", reply, err)
	}
}

func TestFunctionEnds(t *testing.T) {
	t.Parallel()
	runtime := start(t, scfruntime.Config{})
	_, err := runtime.Invoke(t.Context(), []byte("exit"), scfruntime.Options{RequestID: "r-1"})
	if err == nil || !strings.Contains(err.Error(), "ended during invocation r-1: exit status 4; it printed:\nstarted") {
		t.Errorf("Invoke = %v", err)
	}
	_, err = runtime.Invoke(t.Context(), []byte("fine"), scfruntime.Options{})
	if err == nil || !strings.Contains(err.Error(), "exit status 4") {
		t.Errorf("the next one: %v", err)
	}
}

func TestCloseEndsWhatRunsAndWaits(t *testing.T) {
	t.Parallel()
	runtime := start(t, scfruntime.Config{})
	gone := make(chan error)
	for range 2 {
		go func() {
			_, err := runtime.Invoke(t.Context(), []byte("hang"), scfruntime.Options{})
			gone <- err
		}()
	}
	printed(t, runtime, "hangs")
	runtime.Close()
	runtime.Close()
	for range 2 {
		if err := <-gone; err == nil || !strings.Contains(err.Error(), "signal: terminated") {
			t.Errorf("the waiting call: %v", err)
		}
	}
}

func Example() {
	runtime, err := scfruntime.Start(context.Background(), scfruntime.Config{
		Binary:      os.Args[0], // in production: dist/tencent/api
		Environment: map[string]string{"FUNCTION": "handle"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer runtime.Close()
	reply, err := runtime.Invoke(context.Background(), []byte("hello"), scfruntime.Options{
		Environment: map[string]string{"TENCENTCLOUD_SECRETID": "AKIDEXAMPLE"},
	})
	fmt.Println(string(reply.Payload), err)
	reply, err = runtime.Invoke(context.Background(), []byte("fail"), scfruntime.Options{})
	fmt.Println(reply.ErrorType, reply.ErrorMessage, err)
	// Output:
	// hello <nil>
	// errorString no luck <nil>
}
