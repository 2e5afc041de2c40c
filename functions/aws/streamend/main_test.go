package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// The binary as it is deployed: SQS batches, EventBridge, SNS and direct invocations in; a signed HTTPS delivery, a queue and a
// bus out.
func TestBinary(t *testing.T) {
	binary := build.Binary(t, "lambda.norpc")
	_, upstream := fixture.Engine(t, nil)
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", fixture.Document(fixture.SecretKey))
	customer := fixture.NewCustomer(t)
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream,
		"GIFTSTATS_DELIVER": "log://," + customer.URL + ",sqs://" + strings.TrimPrefix(cloud.QueueURL("results"), "http://") + ",eventbridge://results",
	})
	function, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()

	kinds := []string{"sqs", "sqs-sns", "sqs-eventbridge", "sns", "eventbridge", "direct"}
	for _, kind := range kinds {
		payload, err := os.ReadFile("../../../pkg/streamend/aws/testdata/" + kind + ".json")
		if err != nil {
			t.Fatal(err)
		}
		reply, err := function.Invoke(t.Context(), payload)
		if err != nil || reply.ErrorType != "" || strings.Contains(string(reply.Payload), "itemIdentifier") {
			t.Errorf("%s: %v: %+v\n%s", kind, err, reply, function.Output())
		}
	}
	delivered, _ := customer.Delivered()
	if len(delivered) != len(kinds) || len(cloud.Messages()) != len(kinds) || len(cloud.Events()) != len(kinds) || !fixture.Printed(function.Output, `"msg":"stream.summary"`, len(kinds)) {
		t.Fatalf("%d events gave %d deliveries, %d messages, %d events on the bus", len(kinds), len(delivered), len(cloud.Messages()), len(cloud.Events()))
	}
	var summary struct {
		Type string
		Data struct {
			EventID  string `json:"event_id"`
			Complete bool
			Accounts []struct {
				Account string
				Coins   int64 `json:"total_coins"`
			}
		}
	}
	if err := json.Unmarshal([]byte(cloud.Messages()[0].Body), &summary); err != nil || summary.Type != "stream.summary" || summary.Data.EventID != "e-1" || !summary.Data.Complete ||
		len(summary.Data.Accounts) != 1 || summary.Data.Accounts[0].Account != "user1" || summary.Data.Accounts[0].Coins != 1 {
		t.Errorf("%v: %s", err, cloud.Messages()[0].Body)
	}

	t.Run("a batch reports just what failed", func(t *testing.T) {
		record := func(id, body string) string {
			return fmt.Sprintf(`{"messageId":%q,"eventSource":"aws:sqs","body":%q}`, id, body)
		}
		payload := `{"Records":[` + record("good", `{"event_id":"e-2","room_id":"room_id"}`) + `,` + record("poison", `x`) + `,` + record("gone", `{"event_id":"e-3","room_id":"dissolved"}`) + `]}`
		reply, err := function.Invoke(t.Context(), []byte(payload))
		if want := `{"batchItemFailures":[{"itemIdentifier":"poison"}]}`; err != nil || string(reply.Payload) != want {
			t.Errorf("%v: %s", err, reply.Payload)
		}
		if !fixture.Printed(function.Output, "event given up: no repeat can help", 1) || !fixture.Printed(function.Output, "the event is no JSON object", 1) {
			t.Error("the log does not say why the poison is given up")
		}
	})
	t.Run("what fails now is an error of the invocation", func(t *testing.T) {
		cloud.Misbehave(awsapi.Fault{Action: "PutEvents", Times: -1, Code: "AccessDeniedException"})
		reply, err := function.Invoke(t.Context(), []byte(`{"event_id":"e-4","room_id":"room_id"}`))
		if err != nil || reply.ErrorType == "" || !strings.Contains(reply.ErrorMessage, "needs events:PutEvents on this bus") {
			t.Errorf("%v: %+v", err, reply)
		}
	})
	for _, secret := range []string{fixture.SecretKey, fixture.DeliveryKey, environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]} {
		if strings.Contains(function.Output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}
