package bench

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/remote"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// BenchmarkBatch measures a batch of 1,000 queries, from the event to the answer, and the peak memory of the process.
func BenchmarkBatch(b *testing.B) {
	once(b, func() {
		binary := build.Program(b, build.Functions+"aws/api", "lambda.norpc")
		const due, rounds = 5 * time.Second, 3
		limited := newBatches(b, binary, far{limits: simulator.DocumentedLimits(), latency: 50 * time.Millisecond, rate: "200"})
		took := limited.median(b, rounds)
		inTime := quotient(took, due) > 0.98 && quotient(took, due) < 1.02
		table.add(b, "batch of 1,000 at 200/s", seconds(took), times(took, due), "5.0 s +- 2 %", goal(inTime))
		limited.addPeak(b, "", rounds)
		secure := newBatches(b, binary, far{limits: simulator.DocumentedLimits(), latency: 50 * time.Millisecond, rate: "200", tls: true})
		secure.median(b, 1)
		secure.addPeak(b, ", over TLS", 1)

		free := newBatches(b, binary, far{limits: map[string]int{}, latency: 20 * time.Millisecond, rate: "100000", tls: true})
		took = free.median(b, 9)
		table.add(b, "batch of 1,000, no limit, TLS", seconds(took), "", "< 0.5 s", goal(took < 500*time.Millisecond))
		table.add(b, "  connections", strconv.Itoa(free.connections()), "", "<= 64", goal(free.connections() <= 64))
		memory := residentPeak(b, free.function.PID())
		table.add(b, "  peak RSS", fmt.Sprintf("%.1f MB", memory), "", "< 25 MB", goal(memory < 25))
	})
}

// far is an upstream.
type far struct {
	limits  map[string]int
	latency time.Duration
	rate    string // GIFTSTATS_RATE_LIMIT
	tls     bool
}

// batches sends batches to one process.
type batches struct {
	engine      *simulator.Engine
	connections func() int
	function    *lambdaruntime.Runtime
	payload     []byte
}

func newBatches(b *testing.B, binary string, to far) *batches {
	engine, plain := fixture.Engine(b, func(c *simulator.Config) { c.Limits = to.limits })
	engine.Misbehave(simulator.Fault{Times: -1, Latency: to.latency})
	cloud := fixture.AWS(b)
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": plain, "GIFTSTATS_RATE_LIMIT": to.rate,
	})
	one := &batches{engine: engine}
	if to.tls {
		upstream := remote.NewUpstream(b, engine, func() {})
		environment["GIFTSTATS_ENDPOINT"], environment["SSL_CERT_FILE"] = upstream.URL, upstream.Certificate
		one.connections = upstream.Connections
	}
	config := lambdaruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute}
	var err error
	if one.function, err = lambdaruntime.Start(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(one.function.Close)
	queries := strings.Repeat(`,{"room_id":"room_id","account":"user1"}`, giftstats.MaxBatch)[1:]
	request := fixture.Sample()
	request.Method, request.Query, request.Body = http.MethodPost, nil, `{"queries":[`+queries+`]}`
	one.payload = eventtest.Payload(b, eventtest.AWS[0].Event(fixture.Sample()))
	one.ask(b, `"total_coins":1`) // reads the secret before the first batch
	one.payload = eventtest.Payload(b, eventtest.AWS[0].Event(request))
	return one
}

// addPeak adds the number of calls in the busiest second of the upstream, and the number of calls that it refused.
func (s *batches) addPeak(b *testing.B, how string, rounds int) {
	peak, refused := s.engine.Peak("get_gift_count"), s.engine.Count("get_gift_count")-rounds*giftstats.MaxBatch-1
	table.add(b, "  most calls in any second"+how, strconv.Itoa(peak), "", "<= 200", goal(peak <= 200))
	if refused > 0 {
		table.add(b, "  refused and repeated"+how, strconv.Itoa(refused), "", "0", goal(false))
	}
}

func (s *batches) median(b *testing.B, rounds int) time.Duration {
	var took []time.Duration
	for range rounds {
		time.Sleep(time.Second) // the limiter still counts the calls of the round before
		started := time.Now()
		s.ask(b, `"succeeded":1000`)
		took = append(took, time.Since(started))
	}
	return median(took)
}

func (s *batches) ask(b *testing.B, want string) {
	b.Helper()
	reply, err := s.function.Invoke(b.Context(), s.payload)
	if err != nil || reply.ErrorType != "" {
		b.Fatalf("%v: %+v", err, reply)
	}
	if answer := eventtest.Read(b, reply.Payload); !strings.Contains(answer.Body, want) {
		b.Fatal(answer.Body[:min(len(answer.Body), 300)])
	}
}
