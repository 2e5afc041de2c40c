package bench

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

const (
	giftRounds = 2000 // webhooks of each kind
	burst      = 10_000
)

// BenchmarkGifts measures what the webhook of a gift costs, compared with a webhook that is verified and acknowledged only, and how
// many gifts of one show the ledger records in a second.
func BenchmarkGifts(b *testing.B) {
	once(b, func() {
		for _, function := range []remembering{onAWS(b), onSCF(b)} {
			addWebhook(b, function)
			if function.real {
				addBurst(b, function.name, function.store)
			}
		}
		addBurst(b, "memory", memory.New(time.Now))
	})
}

// addWebhook measures one instance, which takes one webhook after the other.
func addWebhook(b *testing.B, function remembering) {
	var gifts, others []time.Duration
	for i := range giftRounds {
		sender := "viewer-" + strconv.Itoa(i%500)
		others = append(others, acknowledged(b, function, fixture.MemberWebhook("room_id", sender)))
		gifts = append(gifts, acknowledged(b, function, fixture.GiftWebhook("room_id", sender)))
	}
	var total time.Duration
	for _, took := range gifts {
		total += took
	}
	what := "gift webhook, " + function.name
	base, middle := percentile(others, 50), percentile(gifts, 50)
	added := percentile(gifts, 99) - percentile(others, 99)
	table.add(b, what, milliseconds(middle), times(middle, base), "", noGoal)
	table.add(b, "  added, p50", milliseconds(middle-base), "", "", noGoal)
	table.add(b, "  added, p99", milliseconds(added), "", "< 50 ms", goal(added < 50*time.Millisecond))
	table.add(b, "  gifts per second and instance", fmt.Sprintf("%.0f", giftRounds/total.Seconds()), "", "", noGoal)
}

func acknowledged(b *testing.B, function remembering, webhook eventtest.Request) time.Duration {
	started := time.Now()
	answer := function.ask(webhook)
	took := time.Since(started)
	if answer.Status != http.StatusOK {
		b.Fatalf("%+v", answer)
	}
	return took
}

// percentile returns the value that p percent of the values do not exceed. It sorts them.
func percentile(values []time.Duration, p int) time.Duration {
	slices.Sort(values)
	return values[(len(values)-1)*p/100]
}

// addBurst measures the gifts of one show that arrive 64 at a time, as from many instances.
func addBurst(b *testing.B, name string, store ledger.Store) {
	l, started := newLedger(b, store), time.Now()
	record(b, burst, started, time.Second, l.RecordGift)
	rate := burst / time.Since(started).Seconds()
	what, figure := "gifts of one show, 64 at a time, "+name, fmt.Sprintf("%.0f/s", rate)
	if name == "DynamoDB" { // the fake needs most of the time
		table.add(b, what, figure, "", "", noGoal)
		return
	}
	table.add(b, what, figure, "", ">= 1000/s", goal(rate >= 1000))
}
