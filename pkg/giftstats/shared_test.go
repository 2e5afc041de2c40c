package giftstats_test

import (
	"context"
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

// counts returns how many reservations there were, and how many slots they took.
func (s *slots) counts() (calls, taken int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.taken
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
		calls, taken := source.counts()
		if calls > 60 {
			t.Errorf("%d reservations for 1,000 calls, want one for 20", calls)
		}
		if taken > 1000 {
			t.Errorf("%d slots were reserved for 1,000 calls", taken)
		}
		time.Sleep(time.Hour)
		if later, _ := source.counts(); later > calls+1 { // one may have been on its way
			t.Errorf("%d reservations in an hour without work", later-calls)
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
		writes, _ := source.counts()
		if perCall := float64(writes) / float64(calls); perCall > 0.15 {
			t.Errorf("%.2f reservations per call, want at most 0.15", perCall)
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
		if calls, _ := source.counts(); calls != 0 {
			t.Errorf("%d reservations", calls)
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
		if _, taken := source.counts(); taken != 9 {
			t.Errorf("%d slots were taken for ten requests, want 9", taken)
		}
	})
}
