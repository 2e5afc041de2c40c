package giftstats_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestUnusedSlotsAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := new(slots)
		limiter := source.limiter(1, 100)
		impatient, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		wait := func(ctx context.Context) {
			for range 40 {
				callers.Go(func() { limiter.Wait(ctx) })
			}
			synctest.Wait()
		}
		wait(impatient)
		cancel()
		callers.Wait()
		time.Sleep(2 * time.Second) // as long as the process is frozen
		source.change(func() { source.down = errors.New("the ledger is down") })
		patient, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		turns := 0
		for limiter.Wait(patient) == nil {
			turns++
		}
		if turns != 1 {
			t.Errorf("%d turns, want only the one of its own rate", turns)
		}
	})
}

func TestSlotsAfterTheDeadlineAreNotReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slots{free: time.Now().Add(800 * time.Millisecond)}
		limiter := source.limiter(0.1, 100)
		wantTurnAtOnce(t, limiter)
		soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := limiter.Wait(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait returned %v", err)
		}
		if calls, taken := source.counts(); calls != 1 || taken != 0 {
			t.Errorf("%d reservations took %d slots, want 1 and none", calls, taken)
		}
	})
}

// late is a context that is not done yet although its deadline has passed.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }

func TestNothingIsReservedForCallersThatAreTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slots{down: errors.New("the ledger is down")}
		limiter := source.limiter(0.01, 100)
		wantTurnAtOnce(t, limiter)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		callers.Go(func() { limiter.Wait(late{ctx, time.Now().Add(500 * time.Millisecond)}) })
		time.Sleep(10 * time.Second)
		if calls, _ := source.counts(); calls != 1 {
			t.Errorf("%d reservations, want only the one before the deadline", calls)
		}
		cancel()
		callers.Wait()
	})
}

// The turns of the limiter's own rate come on time, no matter how the ledger fails.
func TestOwnRateWithoutTheLedger(t *testing.T) {
	for _, test := range []struct {
		name    string
		latency time.Duration
		down    error
	}{
		{name: "failing", down: errors.New("the ledger is down")},
		{name: "not answering", latency: time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &slots{latency: test.latency, down: test.down}
				limiter := source.limiter(10, 80)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var turns upstream
				var callers sync.WaitGroup
				for range 64 {
					callers.Go(func() {
						for limiter.Wait(ctx) == nil {
							turns.accept(time.Now())
						}
					})
				}
				time.Sleep(20 * time.Second)
				source.change(func() {
					if n := turns.count(); n < 198 || n > 201 {
						t.Errorf("%d turns in 20 s, want 10 per second", n)
					}
					if source.calls > 8 || source.failures < source.calls-1 {
						t.Errorf("%d of %d reservations failed, want all of at most 8", source.failures, source.calls)
					}
					source.down, source.latency = nil, 0
				})
				time.Sleep(5 * time.Second)
				before := turns.count()
				time.Sleep(10 * time.Second)
				if n := turns.count() - before; n < 850 {
					t.Errorf("%d turns in 10 s after the ledger was back, want 90 per second", n)
				}
				cancel()
				callers.Wait()
			})
		})
	}
}

// A caller is refused at once only if both rates together cannot serve it, or if the ledger has been down for a while.
func TestRefusalsCountTheSharedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slots{down: errors.New("the ledger is down")}
		limiter := source.limiter(1, 99)
		var callers sync.WaitGroup
		all, cancel := context.WithCancel(giftstats.InBatch(t.Context()))
		for range 65 {
			callers.Go(func() { limiter.Wait(all) })
		}
		synctest.Wait()
		for _, test := range []struct {
			after time.Duration
			left  time.Duration
			want  error
		}{
			{left: 500 * time.Millisecond, want: giftstats.ErrNoTurn},
			{left: 700 * time.Millisecond, want: context.DeadlineExceeded},
			{after: 4 * time.Second, left: 700 * time.Millisecond, want: giftstats.ErrNoTurn},
		} {
			time.Sleep(test.after)
			ctx, stop := context.WithTimeout(giftstats.InBatch(t.Context()), test.left)
			if err := limiter.Wait(ctx); !errors.Is(err, test.want) {
				t.Errorf("%v before the deadline: %v, want %v", test.left, err, test.want)
			}
			stop()
		}
		cancel()
		callers.Wait()
	})
}

func TestRefusalByTencentSlowsTheSharedRateToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := new(slots).limiter(20, 80)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var turns upstream
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				for limiter.Wait(ctx) == nil {
					turns.accept(time.Now())
				}
			})
		}
		time.Sleep(2 * time.Second)
		limiter.Refused(time.Now())
		time.Sleep(500 * time.Millisecond) // slots that were reserved before
		before := turns.count()
		time.Sleep(time.Second)
		if n := turns.count() - before; n < 47 || n > 53 {
			t.Errorf("%d turns in a second after the refusal, want 50 of 100", n)
		}
		cancel()
		callers.Wait()
	})
}
