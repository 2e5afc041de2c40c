package giftstats

import (
	"context"
	"time"
)

// maxMargin is the most time that WithMargin keeps back: enough to write an answer and hand it over, twice.
const maxMargin = 300 * time.Millisecond

// WithMargin ends the context of an invocation 300 ms, or a fifth of the time that is left, before its deadline, so that what
// has been found out by then can still be told.
func WithMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-max(0, min(maxMargin, time.Until(deadline)/5))))
}
