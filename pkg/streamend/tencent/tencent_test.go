package tencent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/streamend/tencent"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// engine knows every room; an account called "down" cannot be asked about now.
type engine struct{}

func (engine) GiftCount(_ context.Context, q giftstats.Query) (giftstats.Stats, error) {
	if q.Account == "down" {
		return giftstats.Stats{}, giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
	}
	return giftstats.Stats{RoomID: q.RoomID, Account: q.Account}, nil
}

func (engine) RoomStats(context.Context, string) (giftstats.RoomStats, error) {
	return giftstats.RoomStats{}, nil
}

func (engine) RoomInfo(context.Context, string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{OwnerAccount: "owner"}, nil
}

// box keeps the ids of what is delivered.
type box struct {
	mu  sync.Mutex
	ids []string
}

func (b *box) Deliver(_ context.Context, m delivery.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = append(b.ids, m.ID)
	return nil
}

func function() (*tencent.Function, *box) {
	b := &box{}
	return tencent.New(streamend.NewProcessor(streamend.Config{
		Meter:   new(telemetry.Meter),
		Service: giftstats.NewService(engine{}), Deliver: b, Settle: func(context.Context) {}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})), b
}

func golden(t testing.TB) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		if entry.IsDir() {
			continue // the fuzzer's
		}
		if files[entry.Name()], err = os.ReadFile("testdata/" + entry.Name()); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestGolden(t *testing.T) {
	for name, payload := range golden(t) {
		t.Run(name, func(t *testing.T) {
			f, b := function()
			answer, err := f.Invoke(t.Context(), payload)
			if err != nil || strings.Join(b.ids, " ") != "e-1" || !json.Valid(answer) || strings.Contains(string(answer), "itemIdentifier") {
				t.Errorf("%v, delivered %v, answered %s", err, b.ids, answer)
			}
			for cut := range payload[:len(payload)-3] { // whatever is left of it: an error, and never a crash
				if _, err := f.Invoke(t.Context(), payload[:cut]); err == nil {
					t.Fatalf("cut after %d bytes it is still taken", cut)
				}
			}
		})
	}
}

func kafka(bodies ...string) []byte {
	var records []any
	for i, body := range bodies {
		records = append(records, map[string]any{"Ckafka": map[string]any{"topic": "t", "partition": 0, "offset": i, "msgBody": body}})
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		panic(err) // plain data
	}
	return payload
}

func TestBatch(t *testing.T) {
	f, b := function()
	if answer, err := f.Invoke(t.Context(), kafka(`{"event_id":"e-1","room_id":"r"}`, `poison`, `{"event_id":"e-2","room_id":"r"}`)); err != nil || len(b.ids) != 2 {
		t.Errorf("a message that can never succeed holds its neighbours up: %v, %s, %v", err, answer, b.ids)
	}
	f, b = function()
	if _, err := f.Invoke(t.Context(), kafka(`{"event_id":"e-1","room_id":"r"}`, `{"event_id":"e-2","room_id":"r","accounts":["down"]}`)); err == nil || permanent.Is(err) || len(b.ids) != 1 {
		t.Errorf("a batch with a message that has to come again: %v, %v", err, b.ids)
	}
	f, _ = function()
	if _, err := f.Invoke(t.Context(), []byte(`{"Records":[{"cos":{}}]}`)); err != nil {
		t.Errorf("records of another trigger are not passed over: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for name, payload := range map[string]string{
		"direct, down":           `{"room_id":"r","accounts":["down"]}`,
		"direct, no room":        `{}`,
		"direct, no JSON":        `nonsense`,
		"empty":                  ``,
		"EventBridge, down":      `{"specversion":"1.0","id":"1","data":{"room_id":"r","accounts":["down"]}}`,
		"EventBridge, no data":   `{"specversion":"1.0","id":"1"}`,
		"timer without an event": `{"Type":"Timer","TriggerName":"t","Time":"2026-11-23T12:00:00Z","Message":""}`,
	} {
		f, b := function()
		if answer, err := f.Invoke(t.Context(), []byte(payload)); err == nil || len(b.ids) != 0 {
			t.Errorf("%s: answered %s, delivered %v", name, answer, b.ids)
		}
	}
	f, _ := function()
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); !permanent.Is(err) && !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("what can never succeed is not told apart: %v", err)
	}
}

func TestZeroDeadlineIsNone(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	f, b := function()
	if _, err := f.Invoke(ctx, []byte(`{"event_id":"e-1","room_id":"r"}`)); err != nil || len(b.ids) != 1 {
		t.Errorf("%v, %v", err, b.ids)
	}
}

func TestTheCarrierNamesAnEventWithoutIDAndTime(t *testing.T) {
	ctx := functioncontext.NewContext(t.Context(), &functioncontext.FunctionContext{RequestID: "request-1"})
	f, b := function()
	for range 2 {
		if _, err := f.Invoke(ctx, []byte(`{"room_id":"r","accounts":["a"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	if b.ids[0] != b.ids[1] {
		t.Errorf("a repeat of the invocation has another id: %v", b.ids)
	}
}

func ExampleFunction_Invoke() {
	f, b := function()
	answer, err := f.Invoke(context.Background(), []byte(`{"event_id":"e-1","room_id":"room_id","accounts":["user1"]}`))
	fmt.Println(string(answer), err, b.ids)
	// Output: {"status":"delivered"} <nil> [e-1]
}

func FuzzInvoke(f *testing.F) {
	for _, payload := range golden(f) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		function, _ := function()
		if answer, err := function.Invoke(t.Context(), payload); err == nil && !json.Valid(answer) {
			t.Fatalf("answered %s", answer)
		}
	})
}
