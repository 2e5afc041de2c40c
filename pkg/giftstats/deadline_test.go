package giftstats_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestWithMargin(t *testing.T) {
	for _, test := range []struct {
		name       string
		left, want time.Duration
	}{
		{name: "much time", left: 10 * time.Second, want: 9700 * time.Millisecond},
		{name: "little time", left: time.Second, want: 800 * time.Millisecond},
		{name: "past deadline", left: -time.Second, want: -time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outer, cancel := context.WithTimeout(t.Context(), test.left)
				defer cancel()
				ctx, stop := giftstats.WithMargin(outer)
				defer stop()
				if deadline, _ := ctx.Deadline(); time.Until(deadline) != test.want {
					t.Errorf("%v are left, want %v", time.Until(deadline), test.want)
				}
			})
		})
	}
	t.Run("no deadline", func(t *testing.T) {
		ctx, cancel := giftstats.WithMargin(t.Context())
		defer cancel()
		if _, ok := ctx.Deadline(); ok {
			t.Error("WithMargin added a deadline")
		}
	})
}
