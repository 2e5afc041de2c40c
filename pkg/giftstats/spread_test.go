package giftstats_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestSpread(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100} {
		calls := make([]atomic.Int32, n)
		giftstats.Spread(n, 7, func(i int) { calls[i].Add(1) })
		for i := range calls {
			if got := calls[i].Load(); got != 1 {
				t.Errorf("of %d: %d was called %d times", n, i, got)
			}
		}
	}
}

func TestWithMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for total, want := range map[time.Duration]time.Duration{10 * time.Second: 9700 * time.Millisecond, time.Second: 800 * time.Millisecond, -time.Second: -time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), total)
			defer cancel()
			inner, stop := giftstats.WithMargin(ctx)
			defer stop()
			if deadline, _ := inner.Deadline(); time.Until(deadline) != want {
				t.Errorf("of %v, %v are left, want %v", total, time.Until(deadline), want)
			}
		}
		ctx, cancel := giftstats.WithMargin(t.Context())
		defer cancel()
		if _, ok := ctx.Deadline(); ok {
			t.Error("there is a deadline where there was none")
		}
	})
}
