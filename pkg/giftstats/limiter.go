package giftstats

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// Limiter limits the rate of the upstream calls of a process. Every attempt takes one turn.
//
// It allows no burst. Tencent counts the calls of each second, and a bucket of saved turns would let its content pass in
// addition to a full second of calls. Evenly spaced turns never exceed the limit. The space between them is a little wider than
// the limit requires, because calls that leave at even intervals arrive at uneven ones.
type Limiter struct{ bucket *rate.Limiter }

// headroom is the part of the limit that is used. At 200 calls per second, the 201st call leaves 1.007 s after the first.
const headroom = 0.993

// NewLimiter returns a limiter of perSecond calls per second, which must be positive.
func NewLimiter(perSecond float64) *Limiter {
	return &Limiter{bucket: rate.NewLimiter(rate.Limit(perSecond*headroom), 1)}
}

// Wait blocks until the caller may make one upstream call. If that moment is after the deadline of ctx, Wait returns a
// rate_limited error at once and takes no turn.
func (l *Limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	turn := l.bucket.ReserveN(now, 1)
	delay := turn.DelayFrom(now)
	if delay == 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && now.Add(delay).After(deadline) {
		turn.CancelAt(now)
		return &Error{
			Code:       CodeRateLimited,
			Detail:     fmt.Sprintf("the rate limit allows the next call only in %s, after the deadline", delay.Round(time.Millisecond)),
			RetryAfter: delay,
		}
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}
