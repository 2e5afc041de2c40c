package giftstats

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A timer that is late must not lead to a burst: Tencent counts the calls of each second. The test calls the limiter as its timer does.
func TestTurnsAfterALateTimer(t *testing.T) {
	const interval = time.Second // at one call per second, and a little more
	for _, test := range []struct {
		name  string
		late  time.Duration
		turns int32
		next  time.Duration // from the late moment until the next turn, at most
	}{
		{name: "on time", turns: 1, next: 2 * interval},
		{name: "by less than an interval, the next turn keeps its time", late: interval / 2, turns: 1, next: interval * 6 / 10},
		{name: "by a minute, after a freeze, the missed turns are lost", late: time.Minute, turns: 1, next: 2 * interval},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := NewLimiter(1)
				if err := limiter.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				var turns atomic.Int32
				var callers sync.WaitGroup
				for range 100 {
					callers.Go(func() {
						if limiter.Wait(t.Context()) == nil {
							turns.Add(1)
						}
					})
				}
				synctest.Wait()
				limiter.mu.Lock()
				limiter.stop()
				late := limiter.next.Add(test.late)
				limiter.run(late)
				if next := limiter.next.Sub(late); next <= 0 || next > test.next {
					t.Errorf("the next turn is %v after the late one, want at most %v", next, test.next)
				}
				limiter.mu.Unlock()
				synctest.Wait()
				if got := turns.Load(); got != test.turns {
					t.Errorf("%d callers got a turn at once, want %d", got, test.turns)
				}
				callers.Wait()
			})
		})
	}
}
