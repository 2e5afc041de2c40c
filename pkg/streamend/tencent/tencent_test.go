package tencent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/internal/testkit/streamendtest"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/streamend/tencent"
)

var decoder = streamendtest.Decoder{
	New: func(t testing.TB, processor *streamend.Processor) streamendtest.Function {
		t.Helper()
		function, err := tencent.New(tencent.Config{Processor: processor})
		if err != nil {
			t.Fatal(err)
		}
		return function
	},
	Invocation: func(ctx context.Context, id string) context.Context {
		return functioncontext.NewContext(ctx, &functioncontext.FunctionContext{RequestID: id})
	},
}

func TestGolden(t *testing.T) { decoder.TestGolden(t) }

func TestInvocationIdentifiesEvent(t *testing.T) { decoder.TestInvocationIdentifiesEvent(t) }

func TestNewNeedsAProcessor(t *testing.T) {
	if _, err := tencent.New(tencent.Config{}); err == nil {
		t.Error("New accepts a Config without a processor")
	}
}

// kafka returns the event of a CKafka batch.
func kafka(t *testing.T, bodies ...string) []byte {
	t.Helper()
	var records []any
	for i, body := range bodies {
		message := map[string]any{"topic": "t", "partition": 0, "offset": i, "msgBody": body}
		records = append(records, map[string]any{"Ckafka": message})
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// Many may be allowed to send such events. They must not be able to report as Tencent does: the owner of the room and its totals would be
// believed. Events that giftstats itself sends, and its dead letters in CMQ, have no envelope of these kinds.
func TestOwnEventsAreDirect(t *testing.T) {
	const event = `{"room_id":"r","accounts":["a"],"source":"live"}`
	quoted := strconv.Quote(event)
	decoder.TestSources(t, map[string]string{
		"EventBridge": `{"specversion":"1.0","id":"1","data":` + event + `}`, "CKafka": string(kafka(t, event)),
		"timer": `{"Type":"Timer","Time":"2026-11-23T12:00:00Z","Message":` + quoted + `}`,
	}, streamend.SourceDirect)
	decoder.TestSources(t, map[string]string{
		"asynchronous": event, "CMQ": `{"Records":[{"CMQ":{"msgId":"1","msgBody":` + quoted + `}}]}`,
	}, streamend.SourceLive)
}

func TestBatchSkipsPermanentFailures(t *testing.T) {
	function, recorder := decoder.Start(t)
	batch := kafka(t, `{"event_id":"e-1","room_id":"r"}`, `poison`, `{"event_id":"e-2","room_id":"r"}`)
	if _, err := function.Invoke(t.Context(), batch); err != nil {
		t.Errorf("a batch with a message that can never succeed fails: %v", err)
	}
	if got := recorder.IDs(); got != "e-1 e-2" {
		t.Errorf("delivered %q, want e-1 e-2", got)
	}
}

func TestBatchIsRetriedForTemporaryFailures(t *testing.T) {
	function, recorder := decoder.Start(t)
	batch := kafka(t, `{"event_id":"e-1","room_id":"r"}`, `{"event_id":"e-2","room_id":"r","accounts":["down"]}`)
	_, err := function.Invoke(t.Context(), batch)
	if err == nil || permanent.Is(err) {
		t.Errorf("a batch with a temporary failure = %v, want an error that is not permanent", err)
	}
	var stable *streamend.EventError
	if !errors.As(err, &stable) {
		t.Errorf("operators would see the errorType of %T, want EventError", err)
	}
	if got := recorder.IDs(); got != "e-1" {
		t.Errorf("delivered %q, want e-1", got)
	}
}

// closing records deliveries, and ends the time of the invocation after some of them.
type closing struct {
	streamendtest.Recorder
	left atomic.Int64
	end  context.CancelFunc
}

func (c *closing) Deliver(ctx context.Context, m delivery.Message) error {
	if c.left.Add(-1) == 0 {
		defer c.end()
	}
	return c.Recorder.Deliver(ctx, m)
}

// The platform repeats a whole batch. If its time is only enough for some of the messages, the others must get theirs in another turn.
func TestTailOfALargeBatchIsProcessedInAnotherTurn(t *testing.T) {
	const messages, perTurn, step, turns = 200, 40, 20, 40
	var bodies []string
	for i := range messages {
		bodies = append(bodies, fmt.Sprintf(`{"event_id":"e-%d","room_id":"r"}`, i))
	}
	batch, receiver, turn := kafka(t, bodies...), new(closing), 0
	function, err := tencent.New(tencent.Config{
		Processor: streamendtest.Delivering(t, receiver), First: func(n int) int { return turn * step % n },
	})
	if err != nil {
		t.Fatal(err)
	}
	for ; turn < turns; turn++ {
		ctx, cancel := context.WithCancel(t.Context())
		receiver.left.Store(perTurn)
		receiver.end = cancel
		if _, err := function.Invoke(ctx, batch); err == nil {
			t.Errorf("turn %d had time for all messages", turn)
		}
		cancel()
	}
	ids := strings.Fields(receiver.IDs())
	if distinct := len(slices.Compact(ids)); distinct != messages {
		t.Errorf("%d of %d events were processed in %d turns", distinct, messages, turns)
	}
}

// Without First, a batch begins anywhere.
func TestBatchBeginsAnywhere(t *testing.T) {
	function, recorder := decoder.Start(t)
	for range 10 {
		if _, err := function.Invoke(t.Context(), kafka(t, `{"event_id":"e-1","room_id":"r"}`, `{"event_id":"e-2","room_id":"r"}`)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := recorder.IDs(), strings.TrimSpace(strings.Repeat("e-1 ", 10)+strings.Repeat("e-2 ", 10)); got != want {
		t.Errorf("delivered %q, want %q", got, want)
	}
}

func TestRecordsOfOtherTriggersAreSkipped(t *testing.T) {
	function, _ := decoder.Start(t)
	if _, err := function.Invoke(t.Context(), []byte(`{"Records":[{"cos":{}}]}`)); err != nil {
		t.Errorf("Invoke: %v", err)
	}
}

func TestErrors(t *testing.T) {
	decoder.TestErrors(t, map[string]string{
		"direct, down":           `{"room_id":"r","accounts":["down"]}`,
		"direct, no room":        `{}`,
		"direct, not JSON":       `nonsense`,
		"empty":                  ``,
		"EventBridge, down":      `{"specversion":"1.0","id":"1","data":{"room_id":"r","accounts":["down"]}}`,
		"EventBridge, no data":   `{"specversion":"1.0","id":"1"}`,
		"timer without an event": `{"Type":"Timer","TriggerName":"t","Time":"2026-11-23T12:00:00Z","Message":""}`,
	})
}

// The library turns a missing deadline into the year 1970.
func TestZeroDeadlineIsNone(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	function, recorder := decoder.Start(t)
	if _, err := function.Invoke(ctx, []byte(`{"event_id":"e-1","room_id":"r"}`)); err != nil {
		t.Errorf("Invoke: %v", err)
	}
	if got := recorder.IDs(); got != "e-1" {
		t.Errorf("delivered %q, want e-1", got)
	}
}

func ExampleFunction_Invoke() {
	recorder := new(streamendtest.Recorder)
	processor, err := streamendtest.NewProcessor(recorder)
	if err != nil {
		fmt.Println(err)
		return
	}
	function, err := tencent.New(tencent.Config{Processor: processor})
	if err != nil {
		fmt.Println(err)
		return
	}
	event := []byte(`{"event_id":"e-1","room_id":"room_id","accounts":["user1"]}`)
	response, err := function.Invoke(context.Background(), event)
	fmt.Println(string(response), err)
	fmt.Println("delivered", recorder.IDs())
	// Output:
	// {"status":"delivered"} <nil>
	// delivered e-1
}

func FuzzInvoke(f *testing.F) { decoder.Fuzz(f) }
