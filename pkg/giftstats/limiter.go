package giftstats

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// Limiter spaces the upstream calls of a process: every attempt takes one turn, whoever makes it.
//
// There is no burst. Upstream counts calls per second, and a bucket that saves up turns would let through a second's worth
// plus the bucket in some second; evenly spaced turns never do. They are spaced a little wider than the limit asks for,
// because calls that leave evenly arrive unevenly.
type Limiter struct{ bucket *rate.Limiter }

// headroom is the part of the limit that is used: at 200 per second the 201st call leaves 1.007 s after the first.
const headroom = 0.993

// NewLimiter allows perSecond calls per second; it must be above zero.
func NewLimiter(perSecond float64) *Limiter {
	return &Limiter{bucket: rate.NewLimiter(rate.Limit(perSecond*headroom), 1)}
}

// Wait blocks until the caller may make one upstream call. When the turn would come after the deadline of ctx it returns a
// rate_limited error at once and gives the turn back.
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
			Detail:     fmt.Sprintf("the next call to Tencent that the rate limit allows is %s away, and this request has not that long", delay.Round(time.Millisecond)),
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
