package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// The binary as it is deployed, under a Lambda Runtime API, against a simulated live engine and Secrets Manager.
func TestBinary(t *testing.T) {
	binary := build.Binary(t, "lambda.norpc")
	engine, upstream := fixture.Engine(t, nil)
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", fixture.Document(fixture.SecretKey))
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LOG_LEVEL": "debug"})
	function, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()

	invoke := func(payload []byte) eventtest.Answer {
		t.Helper()
		reply, err := function.Invoke(t.Context(), payload)
		if err != nil || reply.ErrorType != "" {
			t.Fatalf("%v: %+v\n%s", err, reply, function.Output())
		}
		return eventtest.Read(t, reply.Payload)
	}
	for _, form := range eventtest.AWS {
		t.Run(form.Name, func(t *testing.T) {
			fixture.WantSample(t, invoke(eventtest.Payload(t, form.Event(fixture.Sample()))))
		})
	}
	if got := cloud.Calls("GetSecretValue"); got != 1 {
		t.Errorf("the secret was read %d times, want once", got)
	}
	for name, payload := range map[string]string{"empty object": "{}", "SQS": `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`, "no object": "7"} {
		if answer := invoke([]byte(payload)); answer.Status != 400 || !strings.Contains(answer.Body, `"invalid_request"`) {
			t.Errorf("%s: %+v", name, answer)
		}
	}

	t.Run("rotation needs no restart", func(t *testing.T) {
		cloud.SetSecret("app", fixture.Document("another-not-real-key"))
		if err := engine.SetSecretKey("another-not-real-key"); err != nil {
			t.Fatal(err)
		}
		if answer := invoke(eventtest.Payload(t, eventtest.AWS[0].Event(fixture.Sample()))); answer.Status != 200 {
			t.Errorf("%+v\n%s", answer, function.Output())
		}
	})
	for _, secret := range []string{fixture.SecretKey, fixture.APIKey, "another-not-real-key", environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]} {
		if strings.Contains(function.Output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
	for _, want := range []string{`"upstream call"`, `"_aws":{"Timestamp":`, `"secret_refreshes":1`, `"function":"function","version":"`} {
		if !fixture.Printed(function.Output, want, 1) {
			t.Errorf("%s was not logged", want)
		}
	}
}

// A verified webhook goes onto the queue, and its end is what the stream-end function takes.
func TestWebhookToQueue(t *testing.T) {
	binary := build.Binary(t, "lambda.norpc")
	_, upstream := fixture.Engine(t, nil)
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", fixture.Document(fixture.SecretKey))
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_QUEUE": "sqs://" + strings.TrimPrefix(cloud.QueueURL("ends"), "http://"),
	})
	function, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()
	for _, form := range eventtest.AWS {
		reply, err := function.Invoke(t.Context(), eventtest.Payload(t, form.Event(fixture.LiveWebhook("room_id"))))
		if err != nil {
			t.Fatal(err)
		}
		if answer := eventtest.Read(t, reply.Payload); answer.Status != 200 || answer.Body != `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}` {
			t.Errorf("%s: %+v\n%s", form.Name, answer, function.Output())
		}
	}
	messages := cloud.Messages()
	if len(messages) != len(eventtest.AWS) {
		t.Fatalf("%d messages on the queue, want %d", len(messages), len(eventtest.AWS))
	}
	for _, message := range messages {
		if event, err := streamend.Parse([]byte(message.Body), ""); err != nil || event.RoomID != "room_id" || event.Source != streamend.SourceLive || message.QueueURL != cloud.QueueURL("ends") {
			t.Errorf("%v: %+v", err, message)
		}
	}
	cloud.Misbehave(awsapi.Fault{Action: "SendMessage", Times: -1, Code: "AccessDeniedException"})
	reply, err := function.Invoke(t.Context(), eventtest.Payload(t, eventtest.AWS[0].Event(fixture.LiveWebhook("room_id"))))
	if err != nil {
		t.Fatal(err)
	}
	if answer := eventtest.Read(t, reply.Payload); answer.Status != 503 || !fixture.Printed(function.Output, "needs sqs:SendMessage", 1) {
		t.Errorf("queue down: %+v\n%s", answer, function.Output())
	}
}

func TestStartsWithoutAStore(t *testing.T) {
	binary := build.Binary(t, "lambda.norpc")
	_, upstream := fixture.Engine(t, nil)
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.Misbehave(awsapi.Fault{Times: -1, Code: "AccessDeniedException"})
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream})
	function, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()
	reply, err := function.Invoke(t.Context(), eventtest.Payload(t, eventtest.AWS[0].Event(fixture.Sample())))
	if err != nil {
		t.Fatal(err)
	}
	if answer := eventtest.Read(t, reply.Payload); answer.Status != 503 || !strings.Contains(answer.Body, `"secret_unavailable"`) {
		t.Errorf("%+v", answer)
	}
}

func TestWrongSettingsEndTheProcess(t *testing.T) {
	binary := build.Binary(t, "lambda.norpc")
	_, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://app", "GIFTSTATS_TIMEOUT": "3", "GIFTSTATS_TYPO": "x",
	}})
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{"GIFTSTATS_SECRET must not be tencentssm:// on AWS Lambda", "GIFTSTATS_ENDPOINT is required", "GIFTSTATS_TIMEOUT must be", "GIFTSTATS_TYPO: unknown setting"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}
