package streamend

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// budgetTime is the time that the calls of all events that ask at the same time may take at the rate limit. With more, events would wait
// for each other until the deadline, and none of them would be finished.
const budgetTime = 2 * time.Second

// budget lets only so many events ask for their numbers at the same time as the rate limit can serve.
type budget struct {
	rate float64 // calls per second
	size int64

	mu      sync.Mutex
	free    int64
	waiting []*share // in the order of the batch, and then first come, first served
}

// share is the part of the budget that an event needs.
type share struct {
	place, calls int64
	granted      chan struct{} // is closed when the calls may be made
}

func newBudget(rate float64) *budget {
	size := max(1, int64(math.Ceil(rate*budgetTime.Seconds())))
	return &budget{rate: rate, size: size, free: size}
}

// placeKey is the key of a context for the place of an event in its batch.
type placeKey struct{}

func withPlace(ctx context.Context, place int) context.Context {
	return context.WithValue(ctx, placeKey{}, int64(place))
}

// take waits for the turn of an event that needs so many calls. It fails at once if they do not fit before the deadline of ctx, so
// that nothing is spent on what would be lost. The caller calls done after its calls.
func (b *budget) take(ctx context.Context, calls int) (done func(), err error) {
	place, _ := ctx.Value(placeKey{}).(int64)
	s := &share{place: place, calls: min(int64(calls), b.size), granted: make(chan struct{})}
	b.enter(s)
	select {
	case <-s.granted:
	case <-ctx.Done():
		b.leave(s)
		return nil, fmt.Errorf("no time left for the calls of this event: %w", ctx.Err())
	}
	needed := time.Duration(float64(calls) / b.rate * float64(time.Second))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < needed {
		b.leave(s)
		return nil, giftstats.Errorf(giftstats.CodeUpstreamTimeout,
			"%d calls at %g per second need more time than is left; the event was not processed", calls, b.rate)
	}
	return func() { b.leave(s) }, nil
}

func (b *budget) enter(s *share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, _ := slices.BinarySearchFunc(b.waiting, s, func(other, s *share) int { return cmp.Or(cmp.Compare(other.place, s.place), -1) })
	b.waiting = slices.Insert(b.waiting, i, s)
	b.grant()
}

// leave gives back the calls of a share, or only its place if it was not granted.
func (b *budget) leave(s *share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, s); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	} else {
		b.free += s.calls
	}
	b.grant()
}

// grant grants the next shares, as long as there are calls for them. The budget is locked.
func (b *budget) grant() {
	for len(b.waiting) > 0 && b.waiting[0].calls <= b.free {
		next := b.waiting[0]
		b.waiting = slices.Delete(b.waiting, 0, 1)
		b.free -= next.calls
		close(next.granted)
	}
}
