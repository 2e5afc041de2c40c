package main

import (
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// The binary as it is deployed, called over net/rpc, against a simulated live engine and SSM. The credentials come with each
// invocation and change.
func TestBinary(t *testing.T) {
	binary := build.Binary(t, "")
	engine, upstream := fixture.Engine(t, nil)
	cloud := tencentapi.New(tencentapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", "v1", fixture.Document(fixture.SecretKey))
	function, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://app?version=v1&endpoint=" + cloud.URL, "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LOG_LEVEL": "debug",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()

	invoke := func(payload []byte, options scfruntime.Options) eventtest.Answer {
		t.Helper()
		reply, err := function.Invoke(t.Context(), payload, options)
		if err != nil || reply.ErrorType != "" {
			t.Fatalf("%v: %+v\n%s", err, reply, function.Output())
		}
		return eventtest.Read(t, reply.Payload)
	}
	sample := eventtest.Payload(t, eventtest.Tencent[0].Event(fixture.Sample()))
	withRole := scfruntime.Options{Environment: cloud.Environment()}
	for _, form := range eventtest.Tencent {
		t.Run(form.Name, func(t *testing.T) {
			fixture.WantSample(t, invoke(eventtest.Payload(t, form.Event(fixture.Sample())), withRole))
		})
	}
	withRole.Deadline = time.Unix(0, 0)
	if answer := invoke(sample, withRole); answer.Status != 200 {
		t.Errorf("without a deadline: %+v", answer)
	}
	withRole.Deadline = time.Time{}
	for name, payload := range map[string]string{"empty": "", "empty object": "{}", "timer": `{"Type":"Timer","Message":"{}"}`, "no JSON": "nonsense"} {
		if answer := invoke([]byte(payload), withRole); answer.Status != 400 || !strings.Contains(answer.Body, `"invalid_request"`) {
			t.Errorf("%s: %+v", name, answer)
		}
	}

	t.Run("rotation of the key and of the role's credentials needs no restart", func(t *testing.T) {
		cloud.SetCredentials(tencentapi.Credentials{SecretID: "AKIDSECOND", SecretKey: "second-not-real", Token: "second-not-real-token"})
		cloud.SetSecret("app", "v1", fixture.Document("another-not-real-key"))
		if err := engine.SetSecretKey("another-not-real-key"); err != nil {
			t.Fatal(err)
		}
		if answer := invoke(sample, scfruntime.Options{Environment: cloud.Environment()}); answer.Status != 200 {
			t.Errorf("%+v\n%s", answer, function.Output())
		}
	})
	for _, secret := range []string{fixture.SecretKey, fixture.APIKey, "another-not-real-key", "second-not-real", withRole.Environment["TENCENTCLOUD_SECRETKEY"]} {
		if strings.Contains(function.Output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

func TestWithoutARole(t *testing.T) {
	binary := build.Binary(t, "")
	_, upstream := fixture.Engine(t, nil)
	function, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://app?version=v1", "GIFTSTATS_ENDPOINT": upstream,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()
	reply, err := function.Invoke(t.Context(), eventtest.Payload(t, eventtest.Tencent[0].Event(fixture.Sample())), scfruntime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if answer := eventtest.Read(t, reply.Payload); answer.Status != 503 || !strings.Contains(answer.Body, `"secret_unavailable"`) || !fixture.Printed(function.Output, "give the function an execution role", 1) {
		t.Errorf("%+v\n%s", answer, function.Output())
	}
}

// A verified webhook invokes the stream-end function asynchronously.
func TestWebhookToFunction(t *testing.T) {
	binary := build.Binary(t, "")
	_, upstream := fixture.Engine(t, nil)
	cloud := tencentapi.New(tencentapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", "v1", fixture.Document(fixture.SecretKey))
	function, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://app?version=v1&endpoint=" + cloud.URL, "GIFTSTATS_ENDPOINT": upstream,
		"GIFTSTATS_QUEUE": "scf://ends?namespace=live&qualifier=$LATEST&endpoint=" + cloud.URL,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()
	for _, form := range eventtest.Tencent {
		reply, err := function.Invoke(t.Context(), eventtest.Payload(t, form.Event(fixture.LiveWebhook("room_id"))), scfruntime.Options{Environment: cloud.Environment()})
		if err != nil {
			t.Fatal(err)
		}
		if answer := eventtest.Read(t, reply.Payload); answer.Status != 200 {
			t.Errorf("%s: %+v\n%s", form.Name, answer, function.Output())
		}
	}
	invocations := cloud.Invocations()
	if len(invocations) != len(eventtest.Tencent) {
		t.Fatalf("%d invocations, want %d", len(invocations), len(eventtest.Tencent))
	}
	for _, invocation := range invocations {
		if event, err := streamend.Parse([]byte(invocation.ClientContext), ""); err != nil || event.RoomID != "room_id" || invocation.InvocationType != "Event" || invocation.FunctionName != "ends" {
			t.Errorf("%v: %+v", err, invocation)
		}
	}
}

func TestWrongSettingsEndTheProcess(t *testing.T) {
	binary := build.Binary(t, "")
	_, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_QUEUE": "sqs://a/b/c",
	}})
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{"GIFTSTATS_ENDPOINT is required", "GIFTSTATS_QUEUE must not be sqs:// on Tencent SCF"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}
