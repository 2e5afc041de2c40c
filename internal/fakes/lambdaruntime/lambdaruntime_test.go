package lambdaruntime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

func start(t *testing.T, config lambdaruntime.Config) *lambdaruntime.Runtime {
	t.Helper()
	config.Binary = os.Args[0]
	if config.Environment == nil {
		config.Environment = map[string]string{}
	}
	config.Environment["FUNCTION"] = "handle"
	if config.Timeout == 0 {
		config.Timeout = time.Hour
	}
	runtime, err := lambdaruntime.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(runtime.Close)
	return runtime
}

// printed waits until the function printed a text.
func printed(t *testing.T, runtime *lambdaruntime.Runtime, text string) {
	t.Helper()
	if err := runtime.WaitOutput(t.Context(), text, 1); err != nil {
		t.Fatal(err)
	}
}

func TestFunctionFindsItsSurroundings(t *testing.T) {
	t.Setenv("LEAK", "of the developer")
	runtime := start(t, lambdaruntime.Config{
		Name: "stats", Region: "eu-central-1", MemoryMB: 256, Environment: map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"},
	})
	reply, err := runtime.Invoke(t.Context(), []byte(`"describe"`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"arn":"arn:aws:lambda:eu-central-1:123456789012:function:stats","id":"00000000-0000-4000-8000-000000000001",` +
		`"key":"AKIDEXAMPLE","leaked":false,"left":"1h0m0s","memory":256,"name":"stats","region":"eu-central-1",` +
		`"trace":"Root=1-00000000-000000000000000000000001;Parent=0000000000000000;Sampled=0","version":"$LATEST"}`
	if string(reply.Payload) != want || reply.RequestID != "00000000-0000-4000-8000-000000000001" || reply.ErrorType != "" {
		t.Errorf("reply = %s\nwant %s", reply.Payload, want)
	}
	if runtime.ColdStart() <= 0 {
		t.Errorf("the cold start took %v", runtime.ColdStart())
	}
	printed(t, runtime, "started\n")
	if runtime.Output() != "started\n" {
		t.Errorf("output = %q", runtime.Output())
	}
}

func TestErrorsAreReplies(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{})
	for _, test := range []struct{ command, kind, message string }{
		{command: "fail", kind: "errorString", message: "no luck"},
		{command: "fine"}, // an error does not end the function
		{command: "panic", kind: "string", message: "bug"},
	} {
		reply, err := runtime.Invoke(t.Context(), []byte(`"`+test.command+`"`))
		if err != nil || reply.ErrorType != test.kind || reply.ErrorMessage != test.message {
			t.Errorf("%s: reply %+v, error %v", test.command, reply, err)
		}
	}
	_, err := runtime.Invoke(t.Context(), []byte(`"fine"`))
	if err == nil || !strings.Contains(err.Error(), "exit status 1") || !strings.Contains(err.Error(), "bug") {
		t.Errorf("after a panic, which ends the process: %v", err)
	}
	if replies := runtime.Replies(); len(replies) != 3 || replies[2].ErrorMessage != "bug" || string(replies[1].Payload) != `"fine"` {
		t.Errorf("replies = %+v", replies)
	}
}

func TestEarlyExitTellsWhy(t *testing.T) {
	t.Parallel()
	_, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: os.Args[0], Environment: map[string]string{"FUNCTION": "broken"}})
	const want = "ended before it asked for its first invocation: exit status 1; it printed:\nGIFTSTATS_SECRET is missing"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Start = %v", err)
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := lambdaruntime.Start(ctx, lambdaruntime.Config{Binary: os.Args[0], Environment: map[string]string{"FUNCTION": "hanging"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v", err)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]lambdaruntime.Config{
		"no binary":      {},
		"missing binary": {Binary: "/no/such/program"},
		"timeout":        {Binary: os.Args[0], Timeout: -1},
	} {
		if _, err := lambdaruntime.Start(t.Context(), config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestInvocationsQueueUp(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{})
	var calls sync.WaitGroup
	for n := range 8 {
		calls.Go(func() {
			payload := fmt.Sprintf(`"call %d"`, n)
			reply, err := runtime.Invoke(t.Context(), []byte(payload))
			if err != nil || string(reply.Payload) != payload {
				t.Errorf("call %d: %s, %v", n, reply.Payload, err)
			}
		})
	}
	calls.Wait()
	if n := len(runtime.Replies()); n != 8 {
		t.Errorf("%d replies", n)
	}
}

// On managed instances one process takes several invocations at once.
func TestFunctionMayTakeSeveral(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{Environment: map[string]string{"AWS_LAMBDA_MAX_CONCURRENCY": "2"}})
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			if reply, err := runtime.Invoke(t.Context(), []byte(`"meet"`)); err != nil || string(reply.Payload) != `"meet"` {
				t.Errorf("reply = %+v, %v", reply, err)
			}
		})
	}
	calls.Wait()
}

func TestTimeoutStopsTheFunction(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{Timeout: 100 * time.Millisecond})
	reply, err := runtime.Invoke(t.Context(), []byte(`"hang"`))
	want := "RequestId: 00000000-0000-4000-8000-000000000001 Error: Task timed out after 0.10 seconds"
	if err != nil || reply.ErrorType != "Sandbox.Timedout" || reply.ErrorMessage != want {
		t.Errorf("reply = %+v, %v", reply, err)
	}
	if _, err := runtime.Invoke(t.Context(), []byte(`"fine"`)); err == nil {
		t.Error("the function lives on")
	}
	if len(runtime.Replies()) != 1 {
		t.Errorf("replies = %+v", runtime.Replies())
	}
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{})
	gate := remote.NewGate()
	holder := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { gate.Hold() }))
	defer holder.Close()
	defer gate.Open()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := runtime.Invoke(ctx, []byte(`"held by `+holder.URL+`"`))
		gone <- err
	}()
	if !gate.Await() {
		t.Fatal("the function does not run")
	}
	queued, cancelQueued := context.WithCancel(t.Context())
	cancelQueued()
	_, err := runtime.Invoke(queued, []byte(`"never"`))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "to take invocation") {
		t.Errorf("cancelled in the queue: %v", err)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "reply to invocation") {
		t.Errorf("cancelled while it ran: %v", err)
	}
	gate.Open()
	if reply, err := runtime.Invoke(t.Context(), []byte(`"next"`)); err != nil || string(reply.Payload) != `"next"` {
		t.Errorf("the next one: %s, %v", reply.Payload, err)
	}
	if replies := runtime.Replies(); len(replies) != 2 || string(replies[0].Payload) != `"held"` {
		t.Errorf("replies = %+v, want those to held and next", replies)
	}
}

func TestFunctionEndsDuringAnInvocation(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{})
	_, err := runtime.Invoke(t.Context(), []byte(`"exit"`))
	const want = "ended during invocation 00000000-0000-4000-8000-000000000001: exit status 4; it printed:\nstarted"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Invoke = %v", err)
	}
}

func TestRepliesOutOfOrder(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{})
	reply, err := runtime.Invoke(t.Context(), []byte(`"confused"`))
	if err != nil || !strings.Contains(string(reply.Payload), "400 ") || !strings.Contains(string(reply.Payload), "InvalidRequestID") {
		t.Errorf("a reply to what was not asked: %s, %v", reply.Payload, err)
	}
	reply, err = runtime.Invoke(t.Context(), []byte(`"strange"`))
	if err != nil || reply.ErrorType != "Unknown" || reply.ErrorMessage != "not JSON" {
		t.Errorf("an error that is not JSON: %+v, %v", reply, err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	runtime := start(t, lambdaruntime.Config{})
	gone := make(chan error)
	go func() {
		_, err := runtime.Invoke(t.Context(), []byte(`"hang"`))
		gone <- err
	}()
	printed(t, runtime, "hangs")
	runtime.Close()
	runtime.Close()
	if err := <-gone; err == nil || !strings.Contains(err.Error(), "signal: terminated") {
		t.Errorf("the waiting call: %v", err)
	}
}

func Example() {
	runtime, err := lambdaruntime.Start(context.Background(), lambdaruntime.Config{
		Binary:      os.Args[0], // in production: dist/aws/api/bootstrap
		Environment: map[string]string{"FUNCTION": "handle", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"},
		Timeout:     time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer runtime.Close()
	reply, err := runtime.Invoke(context.Background(), []byte(`"hello"`))
	fmt.Println(string(reply.Payload), err)
	reply, err = runtime.Invoke(context.Background(), []byte(`"fail"`))
	fmt.Println(reply.ErrorType, reply.ErrorMessage, err)
	// Output:
	// "hello" <nil>
	// errorString no luck <nil>
}
