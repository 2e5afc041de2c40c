package giftstats

import (
	"context"
	"time"
)

// MaxMargin is the most time that WithMargin reserves. Writing an answer and handing it over takes less than half of it.
const MaxMargin = 300 * time.Millisecond

// WithMargin returns a copy of ctx whose deadline is earlier: by 300 ms, or by a fifth of the remaining time if that is less. The margin is
// for writing the answer after the work has ended at its deadline. Without a deadline, WithMargin adds none.
func WithMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-max(0, min(MaxMargin, time.Until(deadline)/5))))
}
