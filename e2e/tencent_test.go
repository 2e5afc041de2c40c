//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// The package for SCF, called over net/rpc as the platform does, with an SSM and an SCF API that verify each TC3-HMAC-SHA256
// signature: from the secret and a request to an answer, and from a webhook over an asynchronous invocation to the customer.
func TestTencent(t *testing.T) { inTime(t, testTencent) }

func testTencent(t *testing.T) {
	engine, upstream := fixture.Engine(t, nil)
	cloud := tencentapi.New(tencentapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("giftstats", "v1", fixture.Document(fixture.SecretKey))
	customer := fixture.NewCustomer(t)
	folder := unzipped(t, "tencent.zip", "api", "streamend")
	secret := "tencentssm://giftstats?version=v1&endpoint=" + cloud.URL
	start := func(handler string, environment map[string]string) *scfruntime.Runtime {
		environment["GIFTSTATS_SECRET"], environment["GIFTSTATS_ENDPOINT"] = secret, upstream
		return startSCF(t, filepath.Join(folder, handler), environment)
	}
	api := start("api", map[string]string{"GIFTSTATS_QUEUE": "scf://streamend?endpoint=" + cloud.URL, "GIFTSTATS_LOG_LEVEL": "debug"})
	streamEnd := start("streamend", map[string]string{"GIFTSTATS_DELIVER": "log://," + customer.URL})
	invoke := func(function *scfruntime.Runtime, payload []byte) []byte {
		t.Helper()
		return invokeSCF(t, function, payload, cloud.Environment())
	}
	ask := func() {
		t.Helper()
		for _, form := range eventtest.Tencent {
			fixture.WantSample(t, eventtest.Read(t, invoke(api, eventtest.Payload(t, form.Event(fixture.Sample())))))
		}
	}

	ask()
	if got := cloud.Calls("GetSecretValue"); got != 1 {
		t.Errorf("the secret was read %d times, want once", got)
	}
	const key, role = "another-not-real-key", "another-not-real-role-key"
	cloud.SetCredentials(tencentapi.Credentials{SecretID: "AKIDSECOND", SecretKey: role, Token: "another-not-real-token"})
	cloud.SetSecret("giftstats", "v1", fixture.Document(key))
	if err := engine.SetSecretKey(key); err != nil {
		t.Fatal(err)
	}
	ask() // with the rotated key and credentials, without a restart

	webhook := eventtest.Payload(t, eventtest.Tencent[0].Event(fixture.LiveWebhook("room_id")))
	if answer := eventtest.Read(t, invoke(api, webhook)); answer.Status != 200 {
		t.Fatalf("%+v", answer)
	}
	invocations := cloud.Invocations()
	if len(invocations) != 1 || invocations[0].FunctionName != "streamend" || invocations[0].InvocationType != "Event" {
		t.Fatalf("%+v", invocations)
	}
	invoke(streamEnd, []byte(invocations[0].ClientContext))
	_, body := customer.Delivered()
	for _, want := range []string{`"total_coins":1`, `"complete":true`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the customer received %s, want it to contain %s", body, want)
		}
	}
	for _, secret := range append(fixture.Secrets(), key, role) {
		if strings.Contains(api.Output()+streamEnd.Output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

// startSCF runs a function until the test ends. An invocation has as much time as serverless.yml gives to the end of a stream.
func startSCF(t *testing.T, binary string, environment map[string]string) *scfruntime.Runtime {
	t.Helper()
	function, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		function.Close()
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(binary), function.Output())
		}
	})
	return function
}

// invokeSCF returns the function's reply to an event. The credentials of its role come with the invocation.
func invokeSCF(t *testing.T, function *scfruntime.Runtime, payload []byte, role map[string]string) []byte {
	t.Helper()
	started := time.Now()
	reply, err := function.Invoke(t.Context(), payload, scfruntime.Options{Environment: role})
	logIfSlow(t, "an invocation", started)
	if err != nil || reply.ErrorType != "" {
		t.Fatalf("%v: %+v", err, reply)
	}
	return reply.Payload
}
