package main

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// The credentials for the secret store arrive with the first event. The program reads the secret and connects to upstream at the
// same time.
func TestFirstAnswerOverlaps(t *testing.T) {
	if !remote.InTime(func() time.Duration { return firstAnswerOverlaps(t) }) {
		t.Skip("this machine is too busy: the program itself gives up a connection or a read that is held for so long")
	}
}

// firstAnswerOverlaps returns how long connection and secret were held at most.
func firstAnswerOverlaps(t *testing.T) (held time.Duration) {
	t.Helper()
	connecting, reading := remote.NewGate(), remote.NewGate()
	program := deployed.NewTencent(t)
	upstream := remote.NewUpstream(t, program.Engine, connecting.Hold)
	store := remote.InFrontOf(t, program.Cloud.URL, reading.Hold)
	t.Cleanup(connecting.Open)
	t.Cleanup(reading.Open)
	program.Start(t, map[string]string{
		"GIFTSTATS_SECRET": deployed.SecretAt(store), "GIFTSTATS_ENDPOINT": upstream.URL, "SSL_CERT_FILE": upstream.Certificate,
	})

	payload := sample(t)
	first := make(chan scfruntime.Reply, 1)
	started := time.Now()
	go func() {
		reply, err := program.Invoke(t.Context(), payload, program.Role())
		if err != nil {
			t.Error(err)
		}
		first <- reply
	}()
	if !connecting.Await() || !reading.Await() { // both are held, so neither waits for the other
		t.Errorf("connecting and reading the secret are not both under way during the first event\n%s", program.Output())
	}
	connecting.Open()
	reading.Open()
	if held = time.Since(started); held > remote.MaxHold {
		<-first
		return held
	}
	fixture.WantSample(t, eventtest.Read(t, (<-first).Payload))
	fixture.WantSample(t, program.Answer(t, payload, program.Role()))
	deployed.WantCount(t, "reads of the secret", program.Cloud.Calls("GetSecretValue"), 1)
	deployed.WantCount(t, "connections", upstream.Connections(), 1)
	deployed.WantCount(t, "calls", program.Engine.Count("get_gift_count"), 2)
	return held
}
