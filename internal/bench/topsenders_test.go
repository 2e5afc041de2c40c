package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/ledger"
)

const (
	showGifts   = 100_000
	showSenders = 5000
	showTime    = time.Hour
	giftsAtOnce = 64
)

// BenchmarkTopSenders measures the question who gave how much in a show with 100,000 gifts: the first one to an instance, which reads
// all of them, and one a second later, which reads the latest.
func BenchmarkTopSenders(b *testing.B) {
	once(b, func() {
		for _, function := range []remembering{onAWS(b), onSCF(b)} {
			if !function.real {
				table.add(b, "top senders, "+function.name, "no redis-server: run make e2e", "", "", noGoal)
				continue
			}
			l, began := newLedger(b, function.store), time.Now().Add(-showTime).Truncate(time.Second)
			opened := ledger.Sighting{RoomID: "show", At: began, StartedAt: began, Opens: true, Confirmed: true, Owner: "user1"}
			if err := l.Observe(b.Context(), opened); err != nil {
				b.Fatal(err)
			}
			record(b, showGifts, began, showTime, func(ctx context.Context, gift ledger.Gift) error {
				return function.store.AddGift(ctx, gift, time.Now().Add(time.Hour))
			})
			before := processorTime(b, function.pid)
			first := askTopSenders(b, function)
			worked := processorTime(b, function.pid) - before
			time.Sleep(time.Second)
			later := askTopSenders(b, function)
			table.add(b, "top senders of 100,000 gifts, "+function.name, seconds(first), "", "< 1 s", goal(first < time.Second))
			table.add(b, "  processor time of the function", seconds(worked), times(worked, first), "", noGoal)
			table.add(b, "  a second later", milliseconds(later), times(later, first), "< 100 ms", goal(later < 100*time.Millisecond))
		}
	})
}

// record sends gifts of a show, at even intervals from began on, 64 at a time.
func record(b *testing.B, count int, began time.Time, over time.Duration, add func(context.Context, ledger.Gift) error) {
	var group errgroup.Group
	group.SetLimit(giftsAtOnce)
	for i := range count {
		gift := ledger.Gift{
			ID: "gift-" + strconv.Itoa(i), RoomID: "show", Sender: "viewer-" + strconv.Itoa(i%showSenders), Receivers: []string{"user1"},
			GiftID: "car", Count: 1, Coins: 100, At: began.Add(over * time.Duration(i) / time.Duration(count)).Truncate(time.Second),
		}
		group.Go(func() error { return add(b.Context(), gift) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

func askTopSenders(b *testing.B, function remembering) time.Duration {
	started := time.Now()
	answer := function.ask(eventtest.Request{
		Path: "/v1/top-senders", Query: url.Values{"room_id": {"show"}},
		Header: map[string]string{"Authorization": "Bearer " + fixture.APIKey, "Host": "example.com"},
	})
	took := time.Since(started)
	want := fmt.Sprintf(`"sender_count":%d`, showSenders)
	if answer.Status != http.StatusOK || !strings.Contains(answer.Body, want) {
		b.Fatalf("status %d, want 200 and %s: %.300s", answer.Status, want, answer.Body)
	}
	return took
}
