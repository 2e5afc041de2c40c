package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// The messages of one SQS batch are processed side by side: upstream sees sixteen calls before it has answered any. One at a
// time, a batch would take a round trip for each event, whatever the rate limit allows.
func TestBatchIsProcessedSideBySide(t *testing.T) {
	const messages, atOnce = 40, 16
	binary := build.Binary(t, "lambda.norpc")
	calling := remote.NewGate()
	defer calling.Open()
	_, engine := fixture.Engine(t, nil)
	upstream := remote.InFrontOf(t, engine, calling.Hold)
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", fixture.Document(fixture.SecretKey))
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_RATE_LIMIT": "100000", "GIFTSTATS_TIMEOUT": "20s"})
	function, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()

	var batch struct{ Records []map[string]string }
	for i := range messages {
		batch.Records = append(batch.Records, map[string]string{"messageId": fmt.Sprint(i), "eventSource": "aws:sqs",
			"body": fmt.Sprintf(`{"event_id":"e-%d","room_id":"room_id","accounts":["user1"]}`, i)})
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan string, 1)
	go func() {
		reply, err := function.Invoke(t.Context(), payload)
		answered <- fmt.Sprintf("%s%s %v", reply.Payload, reply.ErrorMessage, err)
	}()
	for i := range atOnce {
		if !calling.Await() {
			t.Errorf("%d calls were under way at once, want %d\n%s", i, atOnce, function.Output())
			break
		}
	}
	calling.Open()
	if answer := <-answered; answer != `{"batchItemFailures":[]} <nil>` {
		t.Errorf("%s\n%s", answer, function.Output())
	}
}
