package main

import (
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
)

// The credentials for the secret come with the first event. While it is read, the connection to upstream is being opened, and
// neither waits for the other.
func TestFirstAnswerOverlaps(t *testing.T) {
	binary := build.Binary(t, "")
	connecting, reading := remote.NewGate(), remote.NewGate()
	defer connecting.Open()
	defer reading.Open()
	engine, _ := fixture.Engine(t, nil)
	upstream := remote.NewUpstream(t, engine, connecting.Hold)
	cloud := tencentapi.New(tencentapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", "v1", fixture.Document(fixture.SecretKey))
	function, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET":   "tencentssm://app?version=v1&endpoint=" + remote.InFrontOf(t, cloud.URL, reading.Hold),
		"GIFTSTATS_ENDPOINT": upstream.URL, "SSL_CERT_FILE": upstream.Certificate,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()

	invoke := func() {
		t.Helper()
		reply, err := function.Invoke(t.Context(), eventtest.Payload(t, eventtest.Tencent[0].Event(fixture.Sample())), scfruntime.Options{Environment: cloud.Environment()})
		if err != nil {
			t.Error(err)
			return
		}
		if answer := eventtest.Read(t, reply.Payload); answer.Status != 200 {
			t.Errorf("%+v\n%s", answer, function.Output())
		}
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		invoke()
	}()
	if !connecting.Await() || !reading.Await() { // both are held: neither can have waited for the other
		t.Errorf("connecting and reading the secret are not both under way during the first event\n%s", function.Output())
	}
	connecting.Open()
	reading.Open()
	<-answered
	invoke()
	if reads, connections, calls := cloud.Calls("GetSecretValue"), upstream.Connections(), engine.Count("get_gift_count"); reads != 1 || connections != 1 || calls != 2 {
		t.Errorf("%d reads of the secret, %d connections and %d calls, want 1, 1 and 2", reads, connections, calls)
	}
}
