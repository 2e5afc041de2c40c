package aws_test

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

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/streamend/aws"
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

func function() (*aws.Function, *box) {
	b := &box{}
	return aws.New(streamend.NewProcessor(streamend.Config{
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

func record(id, body string) map[string]any {
	return map[string]any{"messageId": id, "eventSource": "aws:sqs", "body": body}
}

func TestBatchReportsWhatFailed(t *testing.T) {
	payload, err := json.Marshal(map[string]any{"Records": []any{
		record("good", `{"event_id":"e-1","room_id":"r","accounts":["a"]}`),
		record("poison", `not JSON`),
		record("down", `{"event_id":"e-2","room_id":"r","accounts":["down"]}`),
		record("no room", `{"event_id":"e-3"}`),
		record("owner", `{"event_id":"e-4","room_id":"r"}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	f, b := function()
	answer, err := f.Invoke(t.Context(), payload)
	if want := `{"batchItemFailures":[{"itemIdentifier":"poison"},{"itemIdentifier":"down"},{"itemIdentifier":"no room"}]}`; err != nil || string(answer) != want {
		t.Errorf("%v: %s", err, answer)
	}
	if len(b.ids) != 2 {
		t.Errorf("delivered %v", b.ids)
	}
}

func TestErrors(t *testing.T) {
	for name, payload := range map[string]string{
		"direct, down":        `{"room_id":"r","accounts":["down"]}`,
		"direct, no room":     `{}`,
		"direct, no JSON":     `nonsense`,
		"EventBridge, down":   `{"detail-type":"x","id":"1","detail":{"room_id":"r","accounts":["down"]}}`,
		"EventBridge, empty":  `{"detail-type":"x","id":"1"}`,
		"SNS, no JSON":        `{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"1","Message":"x"}}]}`,
		"SQS without an id":   `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`,
		"records of nobody":   `{"Records":[{"eventSource":"aws:s3"}]}`,
		"records of any type": `{"Records":7}`,
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

func TestTheCarrierNamesAnEventWithoutIDAndTime(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
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
