package main

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// Before the first event, the program reads the secret and connects to upstream, both at the same time. The event then needs
// neither.
func TestFirstAnswerIsPrepared(t *testing.T) {
	if !remote.InTime(func() time.Duration { return firstAnswerIsPrepared(t) }) {
		t.Skip("this machine is too busy: the program itself gives up a connection or a read that is held for so long")
	}
}

// firstAnswerIsPrepared returns how long connection and secret were held at most.
func firstAnswerIsPrepared(t *testing.T) (held time.Duration) {
	t.Helper()
	connecting, reading := remote.NewGate(), remote.NewGate()
	program := deployed.NewAWS(t)
	upstream := remote.NewUpstream(t, program.Engine, connecting.Hold)
	variables := map[string]string{
		"GIFTSTATS_ENDPOINT": upstream.URL, "SSL_CERT_FILE": upstream.Certificate,
		"AWS_ENDPOINT_URL": remote.InFrontOf(t, program.Cloud.URL, reading.Hold),
	}
	t.Cleanup(connecting.Open)
	t.Cleanup(reading.Open)
	started := time.Now()
	program.Start(t, variables)

	if !connecting.Await() || !reading.Await() { // both are held, so neither waits for the other
		t.Fatalf("connecting and reading the secret were not both started before the first event\n%s", program.Output())
	}
	if program.Engine.Count("") != 0 || len(program.Replies()) != 0 {
		t.Fatal("there was an event")
	}
	connecting.Open()
	reading.Open()
	if held = time.Since(started); held > remote.MaxHold {
		return held
	}
	for range 2 {
		fixture.WantSample(t, program.Answer(t, sample(t)))
	}
	deployed.WantCount(t, "reads of the secret", program.Cloud.Calls("GetSecretValue"), 1)
	deployed.WantCount(t, "connections", upstream.Connections(), 1)
	deployed.WantCount(t, "calls", program.Engine.Count("get_gift_count"), 2)
	return held
}
