package streamend

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// budgetTime is the time that the calls of all events that ask at the same time may take at the rate limit. With more, events would wait
// for each other until the deadline, and none of them would be finished.
const budgetTime = 2 * time.Second

// budget lets only so many events ask for their numbers at the same time as the rate limit can serve.
type budget struct {
	rate  float64 // calls per second
	size  int64
	calls *semaphore.Weighted // first come, first served
}

func newBudget(rate float64) *budget {
	size := max(1, int64(math.Ceil(rate*budgetTime.Seconds())))
	return &budget{rate, size, semaphore.NewWeighted(size)}
}

// take waits for the turn of an event that needs so many calls. It fails at once if they do not fit before the deadline of ctx, so
// that nothing is spent on what would be lost. The caller calls done after its calls.
func (b *budget) take(ctx context.Context, calls int) (done func(), err error) {
	n := min(int64(calls), b.size)
	if err := b.calls.Acquire(ctx, n); err != nil {
		return nil, fmt.Errorf("no time left for the calls of this event: %w", err)
	}
	needed := time.Duration(float64(calls) / b.rate * float64(time.Second))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < needed {
		b.calls.Release(n)
		return nil, giftstats.Errorf(giftstats.CodeUpstreamTimeout,
			"%d calls at %g per second need more time than is left; the event was not processed", calls, b.rate)
	}
	return func() { b.calls.Release(n) }, nil
}
