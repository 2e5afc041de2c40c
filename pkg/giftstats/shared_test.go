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

// slots is a ledger that hands out slots.
type slots struct {
	latency time.Duration

	mu           sync.Mutex
	free         time.Time
	down         error
	calls, taken int
	failures     int
}

func (s *slots) ReserveSlots(ctx context.Context, n int, apart, within time.Duration) (time.Time, bool, error) {
	s.mu.Lock()
	s.calls++
	latency, down := s.latency, s.down
	s.mu.Unlock()
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		return time.Time{}, false, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case down != nil:
		return time.Time{}, false, down
	case s.free.Before(now):
		s.free = now
	case s.free.Sub(now) > within:
		return s.free, false, nil
	}
	first := s.free
	s.free = s.free.Add(time.Duration(n) * apart)
	s.taken += n
	return first, true, nil
}

func (s *slots) change(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// limiter returns one that shares the slots.
func (s *slots) limiter(own, shared float64) *giftstats.Limiter {
	return giftstats.NewSharingLimiter(own, giftstats.Sharing{
		PerSecond: shared, Source: s, Failed: func(context.Context, error) { s.change(func() { s.failures++ }) },
	})
}

// upstream counts the calls of each second, as Tencent does. A limit of 0 means none.
type upstream struct {
	limit int

	mu       sync.Mutex
	accepted []time.Time
	refused  int
}

func (u *upstream) accept(at time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := len(u.accepted); u.limit > 0 && n >= u.limit && at.Sub(u.accepted[n-u.limit]) < time.Second {
		u.refused++
		return false
	}
	u.accepted = append(u.accepted, at)
	return true
}

// count returns how many calls were accepted.
func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.accepted)
}

// busiest returns the most calls in any second.
func busiest(calls []time.Time) int {
	most, from := 0, 0
	for to, at := range calls {
		for at.Sub(calls[from]) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

func TestBatchUsesTheSharedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slots{latency: 10 * time.Millisecond}
		e := &engine{latency: 50 * time.Millisecond, limiter: source.limiter(4, 80)}
		started := time.Now()
		for i, result := range giftstats.NewService(e).GiftStatsBatch(t.Context(), queries(1000)) {
			if result.Err != nil {
				t.Fatalf("result %d: %v", i, result.Err)
			}
		}
		if took := time.Since(started); took > 12500*time.Millisecond {
			t.Errorf("1,000 queries at 84/s took %v, want 12 s", took)
		}
		if most := busiest(e.at); most > 85 {
			t.Errorf("%d calls in one second, want at most 84, and one for the start", most)
		}
		if source.calls > 60 {
			t.Errorf("%d reservations for 1,000 calls, want one for 20", source.calls)
		}
		if source.taken > 1000 {
			t.Errorf("%d slots were reserved for 1,000 calls", source.taken)
		}
		time.Sleep(time.Hour)
		if calls := source.calls; calls > 60 {
			t.Errorf("%d reservations after an hour without work", calls)
		}
	})
}

func TestSharedRateOfManyProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slots{latency: 5 * time.Millisecond}
		var together upstream
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var callers sync.WaitGroup
		for range 20 {
			limiter := source.limiter(4, 80)
			for range 64 {
				callers.Go(func() {
					for limiter.Wait(giftstats.InBatch(ctx)) == nil {
						together.accept(time.Now())
						time.Sleep(50 * time.Millisecond)
					}
				})
			}
		}
		callers.Wait()
		calls := len(together.accepted)
		if rate := calls / 30; rate < 145 || rate > 162 {
			t.Errorf("%d calls per second, want nearly 160", rate)
		}
		if most := busiest(together.accepted[40:]); most > 162 { // at the start, each has a turn at once
			t.Errorf("%d calls in one second, want at most 160", most)
		}
		if writes := float64(source.calls) / float64(calls); writes > 0.15 {
			t.Errorf("%.2f reservations per call, want at most 0.15", writes)
		}
	})
}

func TestRequestsWithinTheOwnRateReserveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := new(slots)
		limiter := source.limiter(4, 80)
		for range 20 {
			wantTurnAtOnce(t, limiter)
			time.Sleep(250 * time.Millisecond)
		}
		time.Sleep(200 * time.Millisecond)
		if source.calls != 0 {
			t.Errorf("%d reservations", source.calls)
		}
	})
}

func TestRequestBeyondTheOwnRateTakesASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slots{latency: time.Millisecond}
		limiter := source.limiter(4, 80)
		for range 10 {
			wantTurnAtOnce(t, limiter)
			time.Sleep(15 * time.Millisecond)
		}
		if source.taken != 9 {
			t.Errorf("%d slots were taken for ten requests, want 9", source.taken)
		}
	})
}

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
			t.Errorf("%d turns, want only the one of the own rate", turns)
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
		if source.calls != 1 || source.taken != 0 {
			t.Errorf("%d reservations took %d slots, want 1 and none", source.calls, source.taken)
		}
	})
}

// Whatever the ledger does, the turns of the own rate come when they are due.
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
