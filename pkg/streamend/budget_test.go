package streamend_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// limited is an engine behind a limiter, as Tencent's is.
type limited struct {
	engine
	limiter *giftstats.Limiter
}

func (l limited) GiftCount(ctx context.Context, q giftstats.Query) (giftstats.Stats, error) {
	if err := l.limiter.Wait(ctx); err != nil {
		return giftstats.Stats{}, err
	}
	return l.engine.GiftCount(ctx, q)
}

func (l limited) RoomInfo(ctx context.Context, roomID string) (giftstats.RoomInfo, error) {
	if err := l.limiter.Wait(ctx); err != nil {
		return giftstats.RoomInfo{}, err
	}
	return l.engine.RoomInfo(ctx, roomID)
}

func (l limited) RoomStats(ctx context.Context, roomID string) (giftstats.RoomStats, error) {
	if err := l.limiter.Wait(ctx); err != nil {
		return giftstats.RoomStats{}, err
	}
	return l.engine.RoomStats(ctx, roomID)
}

// turn processes the messages as one invocation does, and returns those that failed.
func turn(t *testing.T, b *box, rate float64, timeout time.Duration, messages []streamend.Message) []streamend.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var failed []streamend.Message
	processor := newProcessor(t, streamend.Config{
		Service: giftstats.NewService(limited{limiter: giftstats.NewLimiter(rate)}), Rate: rate,
		Receivers: []delivery.Receiver{{Name: "box", Deliverer: b}},
	})
	for i, err := range processor.ProcessAll(ctx, messages) {
		if permanent.Is(err) {
			t.Errorf("permanent failure: %v", err)
		}
		if err != nil {
			failed = append(failed, messages[i])
		}
	}
	return failed
}

func eventOf(id string, accounts int) streamend.Message {
	names := make([]string, accounts)
	for i := range names {
		names[i] = fmt.Sprintf("%q", fmt.Sprintf("a%d", i))
	}
	return streamend.Message{ID: id, Body: []byte(`{"event_id":"` + id + `","room_id":"r","accounts":[` + strings.Join(names, ",") + `]}`)}
}

// Ten events of 12 accounts at 4 calls per second take 38 s. If they shared the way to a deadline of 20 s, none of them would ever be
// delivered.
func TestBatchThatDoesNotFitMakesProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue []streamend.Message
		for i := range 10 {
			queue = append(queue, eventOf(fmt.Sprintf("e-%d", i), 12))
		}
		b := &box{}
		for turns := 1; len(queue) > 0; turns++ {
			before := len(queue)
			queue = turn(t, b, 4, 20*time.Second, queue)
			if len(queue) == before {
				t.Fatalf("turn %d delivered none of %d events", turns, before)
			}
			if turns > 4 {
				t.Fatalf("%d events are left after %d turns", len(queue), turns)
			}
		}
		if len(b.messages) != 10 {
			t.Errorf("%d deliveries of 10 events", len(b.messages))
		}
	})
}

// Nine events of 100 accounts at 20 calls per second take 46 s.
func TestLargeEventsDoNotStarveASmallOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue []streamend.Message
		for i := range 9 {
			queue = append(queue, eventOf(fmt.Sprintf("large-%d", i), 100))
		}
		queue = append(queue, eventOf("small", 1))
		failed := turn(t, &box{}, 20, 30*time.Second, queue)
		for _, message := range failed {
			if message.ID == "small" {
				t.Error("the small event was not delivered")
			}
		}
		if len(failed) > 5 {
			t.Errorf("%d of 10 events failed in a turn that has the time for four large ones", len(failed))
		}
	})
}

// CKafka delivers the whole batch again until none of its messages fails, each time from another message on. If the small events always
// came first, the large one among them would never be delivered: they need 24 s of the 20 s of a turn. The same holds the other way round.
func TestEveryEventOfARepeatedBatchHasItsTurn(t *testing.T) {
	const messages = 60
	for _, test := range []struct {
		name  string
		large int // how many events have 30 accounts
	}{
		{name: "one large event among small ones", large: 1},
		{name: "one small event among large ones", large: messages - 1},
		{name: "half of them large", large: messages / 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var batch []streamend.Message
				for i := range messages {
					accounts := 1
					if i < test.large {
						accounts = 30
					}
					batch = append(batch, eventOf(fmt.Sprintf("e-%d", i), accounts))
				}
				for first := range messages {
					failed := turn(t, &box{}, 10, 20*time.Second, slices.Concat(batch[first:], batch[:first]))
					for _, message := range failed {
						if message.ID == batch[first].ID {
							t.Errorf("the event %s was the first of its turn and was not delivered", message.ID)
						}
						if test.large == messages-1 && message.ID == batch[messages-1].ID {
							t.Errorf("the small event was not delivered in the turn of %s", batch[first].ID)
						}
					}
					if len(failed) == 0 {
						t.Error("there was time for all events, so that this test shows nothing")
					}
				}
			})
		})
	}
}

// noSlots is a ledger that fails.
type noSlots struct{}

func (noSlots) ReserveSlots(context.Context, int, time.Duration, time.Duration) (time.Time, bool, error) {
	return time.Time{}, false, errors.New("the table is down")
}

// 100 accounts take 26 s at 4 calls per second. Calls that are shared make that faster, but nothing depends on them.
func TestLargeEventUsesTheSharedRate(t *testing.T) {
	remembered, err := ledger.New(ledger.Config{Store: memory.New(time.Now), Retention: time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name        string
		source      giftstats.SlotSource
		least, most time.Duration
	}{
		{name: "of a ledger", source: remembered, most: 5 * time.Second},
		{name: "of a ledger that is down", source: noSlots{}, least: 20 * time.Second, most: 28 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := giftstats.NewSharingLimiter(4, giftstats.Sharing{
					PerSecond: 75, Source: test.source, Failed: func(context.Context, error) {},
				})
				processor := newProcessor(t, streamend.Config{
					Service: giftstats.NewService(limited{limiter: limiter}), Rate: 4,
					Receivers: []delivery.Receiver{{Name: "box", Deliverer: &box{}}},
				})
				started := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				if err := errors.Join(processor.ProcessAll(ctx, []streamend.Message{eventOf("e", 100)})...); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(started); took < test.least || took > test.most {
					t.Errorf("the event took %v, want %v to %v", took, test.least, test.most)
				}
			})
		})
	}
}
