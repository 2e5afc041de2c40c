package main

import (
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/streamend"
)

func sample(t *testing.T) []byte {
	t.Helper()
	return eventtest.Payload(t, eventtest.AWS[0].Event(fixture.Sample()))
}

func TestProgram(t *testing.T) {
	program := deployed.NewAWS(t)
	program.Start(t, map[string]string{"GIFTSTATS_LOG_LEVEL": "debug"})
	for _, form := range eventtest.AWS {
		t.Run(form.Name, func(t *testing.T) {
			fixture.WantSample(t, program.Answer(t, eventtest.Payload(t, form.Event(fixture.Sample()))))
		})
	}
	if got := program.Cloud.Calls("GetSecretValue"); got != 1 {
		t.Errorf("the secret was read %d times, want once", got)
	}
	for name, payload := range map[string]string{
		"empty object": `{}`,
		"SQS":          `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`,
		"number":       `7`,
	} {
		t.Run(name, func(t *testing.T) {
			deployed.WantProblem(t, program.Answer(t, []byte(payload)), 400, "invalid_request")
		})
	}
	t.Run("rotation needs no restart", func(t *testing.T) {
		program.Cloud.SetSecret("app", fixture.Document(deployed.AnotherKey))
		if err := program.Engine.SetSecretKey(deployed.AnotherKey); err != nil {
			t.Fatal(err)
		}
		fixture.WantSample(t, program.Answer(t, sample(t)))
	})
	deployed.WantNoSecrets(t, program.Output(), program.Secrets())
	deployed.WantLogged(t, program,
		`"upstream call"`, `"_aws":{"Timestamp":`, `"secret_refreshes":1`, `"function":"function","version":"`)
}

// The page arrives through every gateway. One that may not decode base64 gets it uncompressed.
func TestConsole(t *testing.T) {
	program := deployed.NewAWS(t)
	program.Start(t, map[string]string{"GIFTSTATS_CONSOLE": "true"})
	for _, form := range eventtest.AWS {
		t.Run(form.Name, func(t *testing.T) {
			for path, want := range fixture.Console() {
				answer := program.Answer(t, eventtest.Payload(t, form.Event(fixture.Browser(path))))
				fixture.WantConsole(t, answer, form.Name != "REST API", want)
			}
		})
	}
}

// A verified webhook is put on the queue, in the form that the stream-end function decodes.
func TestWebhookToQueue(t *testing.T) {
	program := deployed.NewAWS(t)
	program.Start(t, map[string]string{"GIFTSTATS_QUEUE": program.Queue("ends")})
	for _, form := range eventtest.AWS {
		answer := program.Answer(t, eventtest.Payload(t, form.Event(fixture.LiveWebhook("room_id"))))
		if want := `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`; answer.Status != 200 || answer.Body != want {
			t.Errorf("%s: %+v\n%s", form.Name, answer, program.Output())
		}
	}
	messages := program.Cloud.Messages()
	if len(messages) != len(eventtest.AWS) {
		t.Fatalf("%d messages on the queue, want %d", len(messages), len(eventtest.AWS))
	}
	for _, message := range messages {
		if want := program.Cloud.QueueURL("ends"); message.QueueURL != want {
			t.Errorf("message on %s, want %s", message.QueueURL, want)
		}
		event, err := streamend.Parse([]byte(message.Body), "")
		if err != nil {
			t.Fatalf("%v in %s", err, message.Body)
		}
		if event.RoomID != "room_id" || event.Source != streamend.SourceLive {
			t.Errorf("event of room %q from %q, want room_id from live", event.RoomID, event.Source)
		}
	}
	t.Run("queue down", func(t *testing.T) {
		program.Cloud.Misbehave(awsapi.Fault{Action: "SendMessage", Times: -1, Code: "AccessDeniedException"})
		answer := program.Answer(t, eventtest.Payload(t, eventtest.AWS[0].Event(fixture.LiveWebhook("room_id"))))
		if answer.Status != 503 {
			t.Errorf("status = %d, want 503: %s", answer.Status, answer.Body)
		}
		deployed.WantLogged(t, program, "needs sqs:SendMessage")
	})
}

// The program starts while the secret store is down, and responds with the reason.
func TestStoreDown(t *testing.T) {
	program := deployed.NewAWS(t)
	program.Cloud.Misbehave(awsapi.Fault{Times: -1, Code: "AccessDeniedException"})
	program.Start(t, nil)
	deployed.WantProblem(t, program.Answer(t, sample(t)), 503, "secret_unavailable")
}

func TestInvalidSettingsEndTheProcess(t *testing.T) {
	err := deployed.StartErrorAWS(t, map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://app", "GIFTSTATS_TIMEOUT": "3", "GIFTSTATS_TYPO": "x",
	})
	deployed.WantInError(t, err, "GIFTSTATS_SECRET must not be tencentssm:// on AWS Lambda", "GIFTSTATS_ENDPOINT is required",
		"GIFTSTATS_TIMEOUT must be", "GIFTSTATS_TYPO: unknown setting")
}
