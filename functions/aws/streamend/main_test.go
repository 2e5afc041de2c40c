package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
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

// An event that can never succeed, or whose summary a receiver has refused permanently, is on the dead-letter queue after one attempt.
func TestProgramSendsDeadLetters(t *testing.T) {
	program := deployed.NewAWS(t)
	customer := fixture.NewCustomer(t)
	customer.Answer(http.StatusGone)
	program.Start(t, map[string]string{
		"GIFTSTATS_DELIVER":      customer.URL + "/not-a-real-path-secret," + program.Queue("results"),
		"GIFTSTATS_DEAD_LETTERS": program.Queue("dead"),
	})
	refused := `{"event_id":"e-1","room_id":"room_id","accounts":["user1"]}`
	invoke := func(want string) {
		t.Helper()
		payload := fmt.Sprintf(`{"Records":[{"messageId":"poison","eventSource":"aws:sqs","body":"x"},`+
			`{"messageId":"refused","eventSource":"aws:sqs","body":%q}]}`, refused)
		if reply := program.Reply(t, []byte(payload)); string(reply.Payload) != want {
			t.Errorf("reply = %s%s, want %s", reply.Payload, reply.ErrorMessage, want)
		}
	}
	invoke(`{"batchItemFailures":[]}`)
	bodies := map[string]string{}
	for _, message := range program.Cloud.Messages() {
		if strings.HasSuffix(message.QueueURL, "/dead") {
			bodies[message.Body] = string(message.Attributes["giftstats_reason"])
		}
	}
	if len(bodies) != 2 {
		t.Errorf("the dead letters are %v, want both messages as they were", bodies)
	}
	if !strings.Contains(bodies["x"], "the event must be a JSON object") {
		t.Errorf("the reason for the poison is %q", bodies["x"])
	}
	if !strings.Contains(bodies[refused], "answered with 410 Gone") {
		t.Errorf("the reason for the refused event is %q", bodies[refused])
	}
	deployed.WantLogged(t, program, "event failed permanently", `"code":"delivery_failed"`, "answered with 410 Gone")

	program.Cloud.Misbehave(awsapi.Fault{Action: "SendMessage", Times: -1, Code: "AccessDeniedException"})
	invoke(`{"batchItemFailures":[{"itemIdentifier":"poison"},{"itemIdentifier":"refused"}]}`)
	deployed.WantLogged(t, program, "dead letter not sent; the event will be retried", "needs sqs:SendMessage on this queue")

	secrets := append(program.Secrets(), "not-a-real-path-secret")
	deployed.WantNoSecrets(t, program.Output(), secrets)
	for _, reason := range bodies {
		deployed.WantNoSecrets(t, reason, secrets)
	}
}

// Wrong settings are named when the process starts.
func TestProgramRefusesDeadLettersWithoutTLS(t *testing.T) {
	err := deployed.StartErrorAWS(t, map[string]string{
		"GIFTSTATS_SECRET": "env://NOT_USED", "GIFTSTATS_ENDPOINT": "singapore", "GIFTSTATS_DEAD_LETTERS": "sqs://queues.example/1/dead",
		"AWS_ENDPOINT_URL_SQS": "http://queues.example",
	})
	want := "GIFTSTATS_DEAD_LETTERS: AWS_ENDPOINT_URL_SQS must start with https://"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %q", err, want)
	}
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
