package giftstats_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// interval is the time between two turns of the limiters of these tests, at most.
const interval = 5100 * time.Microsecond

// wantTurnAtOnce wants the next turn within an interval.
func wantTurnAtOnce(t *testing.T, limiter *giftstats.Limiter) {
	t.Helper()
	started := time.Now()
	if err := limiter.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > interval {
		t.Errorf("the next caller waited %v, want at most %v", took, interval)
	}
}

func TestRefusedWaitsCostNoTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // more threads than cores interrupt each other between any two steps
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(200)
		wantTurnAtOnce(t, limiter)
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				for range 100_000 / 64 {
					if err := limiter.Wait(soon); !errors.Is(err, giftstats.CodeRateLimited) {
						t.Errorf("error %v, want rate_limited", err)
						return
					}
				}
			})
		}
		callers.Wait()
		wantTurnAtOnce(t, limiter)
	})
}

func TestImpatientCallersLeaveNoQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(200)
		impatient, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 400 {
			callers.Go(func() { limiter.Wait(impatient) })
		}
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		cancel()
		callers.Wait()
		wantTurnAtOnce(t, limiter)
	})
}

func TestCallersBehindOneThatGivesUpMoveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(200)
		wantTurnAtOnce(t, limiter)
		impatient, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		var order []int
		var at []time.Time
		var callers sync.WaitGroup
		for i := range 100 {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = impatient
			}
			callers.Go(func() {
				if limiter.Wait(ctx) == nil {
					mu.Lock()
					defer mu.Unlock()
					order, at = append(order, i), append(at, time.Now())
				}
			})
			synctest.Wait() // the caller is in the queue
		}
		started := time.Now()
		cancel()
		callers.Wait()
		if took := time.Since(started); took > 50*interval {
			t.Errorf("50 turns took %v, want %v: the turns of those who gave up were not given on", took, 50*interval)
		}
		for i, caller := range order {
			if caller != 2*i+1 {
				t.Fatalf("turn %d went to caller %d, want the order of arrival: %v", i, caller, order)
			}
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < 5*time.Millisecond {
				t.Errorf("turn %d came %v after the one before, want even spaces", i, gap)
			}
		}
	})
}
