package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// The messages of one SQS batch are processed concurrently: upstream receives sixteen calls before it answers any. Otherwise a batch would
// take a round trip for each event, even if the rate limit allows more.
func TestBatchIsProcessedConcurrently(t *testing.T) {
	const messages, concurrent = 40, 16
	calling := remote.NewGate()
	program := deployed.NewAWS(t)
	endpoint := remote.InFrontOf(t, program.EngineURL, calling.Hold)
	t.Cleanup(calling.Open)
	program.Start(t, map[string]string{
		"GIFTSTATS_ENDPOINT": endpoint, "GIFTSTATS_RATE_LIMIT": "100000", "GIFTSTATS_TIMEOUT": "1m",
	})

	var batch struct{ Records []map[string]string }
	for i := range messages {
		batch.Records = append(batch.Records, map[string]string{
			"messageId": fmt.Sprint(i), "eventSource": "aws:sqs",
			"body": fmt.Sprintf(`{"event_id":"e-%d","room_id":"room_id","accounts":["user1"]}`, i),
		})
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan string, 1)
	go func() {
		reply, err := program.Invoke(t.Context(), payload)
		answered <- fmt.Sprintf("%s%s %v", reply.Payload, reply.ErrorMessage, err)
	}()
	for i := range concurrent {
		if !calling.Await() {
			t.Errorf("%d concurrent calls, want %d\n%s", i, concurrent, program.Output())
			break
		}
	}
	calling.Open()
	if answer := <-answered; answer != `{"batchItemFailures":[]} <nil>` {
		t.Errorf("%s\n%s", answer, program.Output())
	}
}
