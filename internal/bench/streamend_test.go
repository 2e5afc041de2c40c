package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// BenchmarkStreamEnd measures one SQS batch of events. Each makes four upstream calls: for the numbers of the account and of the room,
// and before and after them for the room's CreateTime, which tells whether it is still the same stream.
func BenchmarkStreamEnd(b *testing.B) {
	once(b, func() {
		const events, calls, rate, roundTrip = 200, 3, 200, 50 * time.Millisecond
		engine, upstream := fixture.Engine(b, func(c *simulator.Config) { c.Limits = simulator.DocumentedLimits() })
		engine.Misbehave(simulator.Fault{Times: -1, Latency: roundTrip})
		cloud := fixture.AWS(b)
		environment := cloud.Environment()
		maps.Copy(environment, map[string]string{
			"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_RATE_LIMIT": strconv.Itoa(rate),
		})
		binary := build.Program(b, build.Functions+"aws/streamend", "lambda.norpc")
		config := lambdaruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute}
		function, err := lambdaruntime.Start(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(function.Close)
		payload := sqsBatch(b, events)
		var took []time.Duration
		for range 3 {
			started := time.Now()
			reply, err := function.Invoke(b.Context(), payload)
			took = append(took, time.Since(started))
			if err != nil || string(reply.Payload) != `{"batchItemFailures":[]}` {
				b.Fatalf("%v: %s\n%s", err, reply.Payload, function.Output())
			}
			time.Sleep(time.Second)
		}
		const due, oneByOne = events * calls * time.Second / rate, events * calls * roundTrip
		middle := median(took)
		what, met := fmt.Sprintf("%d stream ends, %d calls each, at %d/s", events, calls, rate), goal(quotient(middle, due) <= 1.05)
		table.add(b, what, seconds(middle), times(middle, due), "<= 1.05 x 3 s", met)
		table.add(b, "  one call a round trip (computed)", seconds(oneByOne), times(oneByOne, due), "", noGoal)
		peak := engine.Peak("")
		table.add(b, "  most calls in any second", strconv.Itoa(peak), "", "<= 200", goal(peak <= rate))
	})
}

func sqsBatch(b *testing.B, events int) []byte {
	type record struct {
		MessageID   string `json:"messageId"`
		EventSource string `json:"eventSource"`
		Body        string `json:"body"`
	}
	var batch struct{ Records []record }
	const event = `{"event_id":"e-%d","room_id":"room_id","accounts":["user1"],` +
		`"room_totals":{"total_viewers":1,"total_gifts_sent":1,"total_gift_coins":1,"total_unique_gift_senders":1,"total_likes_received":0}}`
	for i := range events {
		batch.Records = append(batch.Records, record{strconv.Itoa(i), "aws:sqs", fmt.Sprintf(event, i)})
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		b.Fatal(err)
	}
	return payload
}
