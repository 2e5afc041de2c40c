package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// Events arrive from SQS, EventBridge, SNS and direct invocations. Summaries leave through the log, a signed HTTPS delivery, a queue
// and a bus.
func TestProgram(t *testing.T) {
	program := deployed.NewAWS(t)
	customer := fixture.NewCustomer(t)
	program.Start(t, map[string]string{
		"GIFTSTATS_DELIVER": strings.Join([]string{"log://", customer.URL, program.Queue("results"), "eventbridge://results"}, ","),
	})

	kinds := []string{"sqs", "sqs-sns", "sqs-eventbridge", "sns", "eventbridge", "direct"}
	for _, kind := range kinds {
		payload, err := os.ReadFile("../../../pkg/streamend/aws/testdata/" + kind + ".json")
		if err != nil {
			t.Fatal(err)
		}
		// The room of the simulator was created just now, and a room that was created after the end would be another stream.
		payload = bytes.ReplaceAll(payload, []byte("2026-11-23T12:00:00Z"), []byte(time.Now().UTC().Format(time.RFC3339)))
		reply := program.Reply(t, payload)
		if reply.ErrorType != "" || strings.Contains(string(reply.Payload), "itemIdentifier") {
			t.Errorf("%s: %+v\n%s", kind, reply, program.Output())
		}
	}
	delivered, _ := customer.Delivered()
	messages := program.Cloud.Messages()
	deployed.WantCount(t, "deliveries", len(delivered), len(kinds))
	deployed.WantCount(t, "messages on the queue", len(messages), len(kinds))
	deployed.WantCount(t, "events on the bus", len(program.Cloud.Events()), len(kinds))
	if t.Failed() {
		t.FailNow()
	}
	deployed.WantLoggedTimes(t, program, `"msg":"stream.summary"`, len(kinds))
	checkSummary(t, messages[0].Body)

	t.Run("a batch reports the failed messages", func(t *testing.T) {
		record := func(id, body string) string {
			return fmt.Sprintf(`{"messageId":%q,"eventSource":"aws:sqs","body":%q}`, id, body)
		}
		payload := `{"Records":[` + strings.Join([]string{
			record("good", `{"event_id":"e-2","room_id":"room_id"}`),
			record("poison", `x`),
			record("gone", `{"event_id":"e-3","room_id":"dissolved"}`),
		}, ",") + `]}`
		reply := program.Reply(t, []byte(payload))
		if want := `{"batchItemFailures":[{"itemIdentifier":"poison"}]}`; string(reply.Payload) != want {
			t.Errorf("reply = %s, want %s", reply.Payload, want)
		}
		deployed.WantLogged(t, program, "event failed permanently", "the event must be a JSON object")
	})
	t.Run("a temporary failure is an error of the invocation", func(t *testing.T) {
		program.Cloud.Misbehave(awsapi.Fault{Action: "PutEvents", Times: -1, Code: "AccessDeniedException"})
		reply := program.Reply(t, []byte(`{"event_id":"e-4","room_id":"room_id"}`))
		if reply.ErrorType == "" {
			t.Error("the invocation succeeded")
		}
		if want := "needs events:PutEvents on this bus"; !strings.Contains(reply.ErrorMessage, want) {
			t.Errorf("error = %s, want %q in it", reply.ErrorMessage, want)
		}
	})
	deployed.WantNoSecrets(t, program.Output(), program.Secrets())
}

// checkSummary checks the summary of the event e-1, in which user1 received one coin.
func checkSummary(t *testing.T, body string) {
	t.Helper()
	type account struct {
		Account string `json:"account"`
		Coins   int64  `json:"total_coins"`
	}
	var summary struct {
		Type string
		Data struct {
			EventID  string `json:"event_id"`
			Complete bool
			Accounts []account
		}
	}
	if err := json.Unmarshal([]byte(body), &summary); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if summary.Type != "stream.summary" {
		t.Errorf("type = %q", summary.Type)
	}
	if summary.Data.EventID != "e-1" {
		t.Errorf("event_id = %q, want e-1", summary.Data.EventID)
	}
	if !summary.Data.Complete {
		t.Error("the summary is not complete")
	}
	if want := (account{Account: "user1", Coins: 1}); len(summary.Data.Accounts) != 1 || summary.Data.Accounts[0] != want {
		t.Errorf("accounts = %+v, want only %+v", summary.Data.Accounts, want)
	}
}
