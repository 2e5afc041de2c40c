package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// fleet is some instances of an api function that share a ledger and a rate.
type fleet struct {
	name      string // of the ledger
	engine    *simulator.Engine
	cloud     *awsapi.Server // nil on SCF
	instances []func(ctx context.Context, payload []byte) ([]byte, error)
	event     func(eventtest.Request) any
	atOnce    int        // requests that an instance handles at once
	writes    func() int // reservations in the ledger so far
}

// rates are those of each instance, and of all together.
type rates struct{ own, shared float64 }

func (r rates) variables() map[string]string {
	format := func(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }
	return map[string]string{"GIFTSTATS_RATE_LIMIT": format(r.own), "GIFTSTATS_RATE_SHARED": format(r.shared)}
}

// tencent starts the upstream of a fleet, with the limits that Tencent documents and 50 ms a call.
func tencent(b *testing.B) (*simulator.Engine, string) {
	engine, upstream := fixture.Engine(b, func(c *simulator.Config) { c.Limits = simulator.DocumentedLimits() })
	engine.Misbehave(simulator.Fault{Times: -1, Latency: 50 * time.Millisecond})
	return engine, upstream
}

// fleetOnAWS starts instances on Lambda, each of which handles two requests at once. moto cannot take the place of the fake of DynamoDB:
// it checks a condition and writes in two steps, so that two instances may get the same slots.
func fleetOnAWS(b *testing.B, n int, rates rates) *fleet {
	f := &fleet{name: "DynamoDB", event: eventtest.AWS[0].Event, atOnce: 2}
	var upstream string
	f.engine, upstream = tencent(b)
	f.cloud = fixture.AWS(b)
	f.cloud.CreateTable("giftstats", map[string]string{"open": "open"})
	f.cloud.Misbehave(awsapi.Fault{Times: -1, Latency: toTable})
	f.writes = func() int { return f.cloud.Calls("UpdateItem") }
	environment := f.cloud.Environment()
	maps.Copy(environment, rates.variables())
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LEDGER": "dynamodb://giftstats",
		"AWS_LAMBDA_MAX_CONCURRENCY": strconv.Itoa(f.atOnce),
	})
	binary := build.Program(b, build.Functions+"aws/api", "lambda.norpc")
	for range n {
		function, err := lambdaruntime.Start(b.Context(), lambdaruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(function.Close)
		f.instances = append(f.instances, func(ctx context.Context, payload []byte) ([]byte, error) {
			reply, err := function.Invoke(ctx, payload)
			return answered(reply.Payload, reply.ErrorType, err)
		})
	}
	return f
}

// fleetOnSCF starts instances on SCF, each of which handles one request after the other, with Redis.
func fleetOnSCF(b *testing.B, n int, rates rates) *fleet {
	f := &fleet{name: "Redis", event: eventtest.Tencent[0].Event, atOnce: 1}
	var upstream string
	f.engine, upstream = tencent(b)
	cloud := fixture.Tencent(b)
	address, _ := startRedis(b)
	f.writes = func() int { return scripts(b, address) }
	environment := rates.variables()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET":   "tencentssm://app?version=v1&endpoint=" + cloud.URL,
		"GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LEDGER": "redis://" + address + "/0",
	})
	binary := build.Program(b, build.Functions+"tencent/api", "")
	for range n {
		function, err := scfruntime.Start(b.Context(), scfruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(function.Close)
		f.instances = append(f.instances, func(ctx context.Context, payload []byte) ([]byte, error) {
			reply, err := function.Invoke(ctx, payload, scfruntime.Options{Environment: cloud.Environment()})
			return answered(reply.Payload, reply.ErrorType, err)
		})
	}
	return f
}

func answered(payload []byte, errorType string, err error) ([]byte, error) {
	if err == nil && errorType != "" {
		err = errors.New(errorType)
	}
	return payload, err
}

// scripts returns how many scripts a Redis has run. It is 0 for miniredis, which does not count them.
func scripts(b *testing.B, address string) int {
	conn, err := redigo.Dial("tcp", address, redigo.DialUsername(fixture.LedgerUser), redigo.DialPassword(fixture.LedgerPassword))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	info, _ := redigo.String(conn.Do("INFO", "commandstats"))
	_, line, _ := strings.Cut(info, "cmdstat_eval:calls=")
	digits, _, _ := strings.Cut(line, ",")
	count, _ := strconv.Atoi(digits)
	return count
}

// single is the event of a single request.
func (f *fleet) single(b *testing.B) []byte { return eventtest.Payload(b, f.event(fixture.Sample())) }

// batch is the event of a batch.
func (f *fleet) batch(b *testing.B, queries int) []byte {
	request := fixture.Sample()
	text := strings.Repeat(`,{"room_id":"room_id","account":"user1"}`, queries)[1:]
	request.Method, request.Query, request.Body = http.MethodPost, nil, `{"queries":[`+text+`]}`
	return eventtest.Payload(b, f.event(request))
}

// succeeded returns how many queries of a batch have an answer.
func succeeded(b *testing.B, payload []byte) int {
	var body struct{ Succeeded int }
	if err := json.Unmarshal([]byte(eventtest.Read(b, payload).Body), &body); err != nil {
		b.Errorf("%v: %s", err, payload[:min(len(payload), 300)])
	}
	return body.Succeeded
}

// calls returns how many calls have arrived at Tencent so far.
func (f *fleet) calls() int { return f.engine.Count("get_gift_count") }

// perSecond counts the calls of some time.
func (f *fleet) perSecond(span time.Duration) float64 {
	before, started := f.calls(), time.Now()
	time.Sleep(span)
	return float64(f.calls()-before) / time.Since(started).Seconds()
}

func rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }
