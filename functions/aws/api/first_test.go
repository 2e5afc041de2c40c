package main

import (
	"maps"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// Before the first event there are a read of the secret and a connection to upstream under way, neither waiting for the other;
// the event then needs no second of either.
func TestFirstAnswerIsPrepared(t *testing.T) {
	binary := build.Binary(t, "lambda.norpc")
	connecting, reading := remote.NewGate(), remote.NewGate()
	defer connecting.Open()
	defer reading.Open()
	engine, _ := fixture.Engine(t, nil)
	upstream := remote.NewUpstream(t, engine, connecting.Hold)
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", fixture.Document(fixture.SecretKey))
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream.URL,
		"AWS_ENDPOINT_URL": remote.InFrontOf(t, cloud.URL, reading.Hold), "SSL_CERT_FILE": upstream.Certificate,
	})
	function, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Binary: binary, Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()

	if !connecting.Await() || !reading.Await() { // both are held: neither can have waited for the other
		t.Fatalf("connecting and reading the secret did not both begin before the first event\n%s", function.Output())
	}
	if engine.Count("") != 0 || len(function.Replies()) != 0 {
		t.Fatal("there was an event")
	}
	connecting.Open()
	reading.Open()
	for range 2 {
		reply, err := function.Invoke(t.Context(), eventtest.Payload(t, eventtest.AWS[0].Event(fixture.Sample())))
		if err != nil {
			t.Fatal(err)
		}
		if answer := eventtest.Read(t, reply.Payload); answer.Status != 200 {
			t.Errorf("%+v\n%s", answer, function.Output())
		}
	}
	if reads, connections, calls := cloud.Calls("GetSecretValue"), upstream.Connections(), engine.Count("get_gift_count"); reads != 1 || connections != 1 || calls != 2 {
		t.Errorf("%d reads of the secret, %d connections and %d calls, want 1, 1 and 2", reads, connections, calls)
	}
}
