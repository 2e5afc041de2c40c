package main

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/streamend"
)

func sample(t *testing.T) []byte {
	t.Helper()
	return eventtest.Payload(t, eventtest.Tencent[0].Event(fixture.Sample()))
}

// The credentials of the role arrive with each invocation, and change.
func TestProgram(t *testing.T) {
	program := deployed.NewTencent(t)
	program.Start(t, map[string]string{"GIFTSTATS_LOG_LEVEL": "debug"})
	for _, form := range eventtest.Tencent {
		t.Run(form.Name, func(t *testing.T) {
			fixture.WantSample(t, program.Answer(t, eventtest.Payload(t, form.Event(fixture.Sample())), program.Role()))
		})
	}
	t.Run("without a deadline", func(t *testing.T) {
		options := program.Role()
		options.Deadline = time.Unix(0, 0)
		fixture.WantSample(t, program.Answer(t, sample(t), options))
	})
	for name, payload := range map[string]string{
		"empty":        ``,
		"empty object": `{}`,
		"timer":        `{"Type":"Timer","Message":"{}"}`,
		"not JSON":     `nonsense`,
	} {
		t.Run(name, func(t *testing.T) {
			deployed.WantProblem(t, program.Answer(t, []byte(payload), program.Role()), 400, "invalid_request")
		})
	}
	secrets := program.Secrets()
	t.Run("rotation of the key and of the role's credentials needs no restart", func(t *testing.T) {
		program.Cloud.SetCredentials(tencentapi.Credentials{
			SecretID: "AKIDSECOND", SecretKey: "second-not-real", Token: "second-not-real-token",
		})
		program.Cloud.SetSecret("app", "v1", fixture.Document(deployed.AnotherKey))
		if err := program.Engine.SetSecretKey(deployed.AnotherKey); err != nil {
			t.Fatal(err)
		}
		fixture.WantSample(t, program.Answer(t, sample(t), program.Role()))
	})
	deployed.WantNoSecrets(t, program.Output(), append(secrets, program.Secrets()...))
}

// The page arrives through every gateway, uncompressed, because none is documented to decode base64.
func TestConsole(t *testing.T) {
	program := deployed.NewTencent(t)
	program.Start(t, map[string]string{"GIFTSTATS_CONSOLE": "true"})
	for _, form := range eventtest.Tencent {
		t.Run(form.Name, func(t *testing.T) {
			for path, want := range fixture.Console() {
				answer := program.Answer(t, eventtest.Payload(t, form.Event(fixture.Browser(path))), program.Role())
				fixture.WantConsole(t, answer, false, want)
			}
		})
	}
}

func TestWithoutARole(t *testing.T) {
	program := deployed.NewTencent(t)
	program.Start(t, map[string]string{"GIFTSTATS_SECRET": "tencentssm://app?version=v1"})
	deployed.WantProblem(t, program.Answer(t, sample(t), scfruntime.Options{}), 503, "secret_unavailable")
	deployed.WantLogged(t, program, "give the function an execution role")
}

// A verified webhook invokes the stream-end function asynchronously, with the event in the form that the function decodes.
func TestWebhookToFunction(t *testing.T) {
	program := deployed.NewTencent(t)
	program.Start(t, map[string]string{
		"GIFTSTATS_QUEUE": "scf://ends?namespace=live&qualifier=$LATEST&endpoint=" + program.Cloud.URL,
	})
	for _, form := range eventtest.Tencent {
		payload := eventtest.Payload(t, form.Event(fixture.LiveWebhook("room_id")))
		if answer := program.Answer(t, payload, program.Role()); answer.Status != 200 {
			t.Errorf("%s: %+v\n%s", form.Name, answer, program.Output())
		}
	}
	invocations := program.Cloud.Invocations()
	if len(invocations) != len(eventtest.Tencent) {
		t.Fatalf("%d invocations, want %d", len(invocations), len(eventtest.Tencent))
	}
	for _, invocation := range invocations {
		if invocation.FunctionName != "ends" || invocation.InvocationType != "Event" {
			t.Errorf("invocation = %+v, want the function ends with the type Event", invocation)
		}
		event, err := streamend.Parse([]byte(invocation.ClientContext), "")
		if err != nil {
			t.Fatalf("%v in %s", err, invocation.ClientContext)
		}
		if event.RoomID != "room_id" {
			t.Errorf("event of room %q, want room_id", event.RoomID)
		}
	}
}

func TestInvalidSettingsEndTheProcess(t *testing.T) {
	err := deployed.StartErrorTencent(t, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_QUEUE": "sqs://a/b/c",
	})
	deployed.WantInError(t, err, "GIFTSTATS_ENDPOINT is required", "GIFTSTATS_QUEUE must not be sqs:// on Tencent SCF")
}
