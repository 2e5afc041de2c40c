package aws_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/streamendtest"
	"github.com/giftstats/giftstats/pkg/streamend/aws"
)

// An event without a time is about the show that was live when it was sent. A message that is moved back from a dead-letter queue days
// later has a new time, but the envelope in its body has the first one.
func TestEventInAnEnvelopeKeepsItsTime(t *testing.T) {
	const event = `{"room_id":"r","accounts":["a"]}`
	sent := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	moved := sent.Add(47 * time.Hour)
	eventBridge := func(at any) map[string]any {
		return map[string]any{"detail-type": "stream.ended", "id": "1", "time": at, "detail": json.RawMessage(event)}
	}
	sns := func(at any) map[string]any {
		return map[string]any{"Type": "Notification", "MessageId": "1", "Message": event, "Timestamp": at}
	}
	onQueue := func(body string, attributes map[string]string) any {
		m := message{id: "m", body: body, attributes: attributes, sent: fmt.Sprint(moved.UnixMilli())}
		return map[string]any{"Records": []any{m.record()}}
	}
	inBody := func(envelope any) any {
		body, err := json.Marshal(envelope)
		if err != nil {
			t.Fatal(err)
		}
		return onQueue(string(body), nil)
	}
	for _, test := range []struct {
		name    string
		payload any
		want    time.Time
	}{
		{name: "EventBridge on a queue", payload: inBody(eventBridge(sent)), want: sent},
		{name: "SNS on a queue", payload: inBody(sns(sent)), want: sent},
		{name: "EventBridge", payload: eventBridge(sent), want: sent},
		{name: "SNS", want: sent, payload: map[string]any{"Records": []any{map[string]any{"EventSource": "aws:sns", "Sns": sns(sent)}}}},
		{name: "no envelope", payload: onQueue(event, nil), want: moved},
		{
			name: "no envelope, moved by a program that keeps the time", want: sent,
			payload: onQueue(event, map[string]string{"giftstats_sent_ms": fmt.Sprint(sent.UnixMilli())}),
		},
		{name: "a time in the future", payload: inBody(eventBridge(time.Now().Add(time.Hour))), want: moved},
		{name: "a time that is a number", payload: inBody(eventBridge(sent.UnixMilli())), want: moved},
		{name: "a time without a zone", payload: inBody(sns("2026-11-23 12:00:00")), want: moved},
		{name: "no time in the envelope", payload: inBody(sns(nil)), want: moved},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := remembering(t, true)
			function, err := aws.New(aws.Config{Processor: streamendtest.Remembering(t, l, &receiver{})})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := json.Marshal(test.payload)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := function.Invoke(t.Context(), payload); err != nil {
				t.Fatal(err)
			}
			ended, err := l.LastEnded(t.Context(), "r")
			if err != nil || ended == nil {
				t.Fatalf("the ledger has %v, %v", ended, err)
			}
			if got, want := ended.EndedAt.UnixMilli(), test.want.UnixMilli(); got != want {
				t.Errorf("the show ended at %v, want %v", ended.EndedAt, test.want)
			}
		})
	}
}
