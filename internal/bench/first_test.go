package bench

import (
	"maps"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// The distances. One read of the secret and one call cannot overlap.
const (
	toStore    = 60 * time.Millisecond
	toUpstream = 40 * time.Millisecond // one call
	toConnect  = 40 * time.Millisecond // one TLS connection, up to the server's first answer
	ideal      = toStore + toUpstream
	answers    = 21 // first answers on each cloud
)

// BenchmarkFirstAnswer measures the time to the answer to the first event: on AWS from the start of the process, on Tencent Cloud
// from the event, which brings the credentials.
func BenchmarkFirstAnswer(b *testing.B) {
	once(b, func() {
		measure := map[string]func() time.Duration{"AWS, from the start": firstOnAWS(b), "SCF, from the event": firstOnSCF(b)}
		took := map[string][]time.Duration{}
		names := []string{"AWS, from the start", "SCF, from the event"}
		for range answers {
			for _, name := range names {
				took[name] = append(took[name], measure[name]())
			}
		}
		for _, name := range names {
			middle := median(took[name])
			met := goal(quotient(middle, ideal) <= 1.15)
			table.add(b, "first answer, "+name, milliseconds(middle), times(middle, ideal), "<= 1.15 x 100 ms", met)
		}
	})
}

func farUpstream(b *testing.B) *remote.Upstream {
	engine, _ := fixture.Engine(b, nil)
	engine.Misbehave(simulator.Fault{Times: -1, Latency: toUpstream})
	return remote.NewUpstream(b, engine, func() { time.Sleep(toConnect) })
}

func firstOnAWS(b *testing.B) func() time.Duration {
	binary, upstream, cloud := build.Program(b, build.Functions+"aws/api", "lambda.norpc"), farUpstream(b), fixture.AWS(b)
	cloud.Misbehave(awsapi.Fault{Action: "GetSecretValue", Times: -1, Latency: toStore})
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream.URL, "SSL_CERT_FILE": upstream.Certificate,
	})
	payload := eventtest.Payload(b, eventtest.AWS[0].Event(fixture.Sample()))
	return func() time.Duration {
		started := time.Now()
		function, err := lambdaruntime.Start(b.Context(), lambdaruntime.Config{Binary: binary, Environment: environment})
		if err != nil {
			b.Fatal(err)
		}
		defer function.Close()
		reply, err := function.Invoke(b.Context(), payload)
		took := time.Since(started)
		if err != nil || eventtest.Read(b, reply.Payload).Status != 200 {
			b.Fatalf("%v: %s\n%s", err, reply.Payload, function.Output())
		}
		return took
	}
}

func firstOnSCF(b *testing.B) func() time.Duration {
	binary, upstream, cloud := build.Program(b, build.Functions+"tencent/api", ""), farUpstream(b), fixture.Tencent(b)
	cloud.Misbehave(tencentapi.Fault{Action: "GetSecretValue", Times: -1, Latency: toStore})
	environment := map[string]string{
		"GIFTSTATS_SECRET":   "tencentssm://app?version=v1&endpoint=" + cloud.URL,
		"GIFTSTATS_ENDPOINT": upstream.URL, "SSL_CERT_FILE": upstream.Certificate,
	}
	payload := eventtest.Payload(b, eventtest.Tencent[0].Event(fixture.Sample()))
	return func() time.Duration {
		function, err := scfruntime.Start(b.Context(), scfruntime.Config{Binary: binary, Environment: environment})
		if err != nil {
			b.Fatal(err)
		}
		defer function.Close()
		started := time.Now()
		reply, err := function.Invoke(b.Context(), payload, scfruntime.Options{Environment: cloud.Environment()})
		took := time.Since(started)
		if err != nil || eventtest.Read(b, reply.Payload).Status != 200 {
			b.Fatalf("%v: %s\n%s", err, reply.Payload, function.Output())
		}
		return took
	}
}
