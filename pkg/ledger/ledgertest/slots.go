package ledgertest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

const (
	slotsApart     = 2 * time.Second
	slotsWithin    = 50 * time.Second
	slotsPrecision = 10 * time.Millisecond // of the times of slots
)

// imprecision is how much too early a slot may seem to be. A store may use the clock of its server, which has gone on since started, while
// the clock of the tests stands still.
func imprecision(started time.Time) time.Duration { return slotsPrecision + time.Since(started) }

// reserve takes slots. They must not begin before earliest.
func (w *world) reserve(t *testing.T, n int, earliest, started time.Time) time.Time {
	t.Helper()
	first, taken, err := w.store.ReserveSlots(t.Context(), n, slotsApart, slotsWithin)
	if err != nil || !taken {
		t.Fatalf("ReserveSlots returned %v, %v, %v", first, taken, err)
	}
	if first.Before(earliest.Add(-imprecision(started))) {
		t.Errorf("the first of %d slots is at %v, want not before %v", n, first, earliest)
	}
	return first
}

func slots(t *testing.T, w *world) {
	started, end := time.Now(), Start
	for _, n := range []int{1, 3, 2} {
		end = w.reserve(t, n, end, started).Add(time.Duration(n) * slotsApart)
	}
	// A repeated write may waste slots: three answers are lost at most.
	if latest := Start.Add((6 + 3*3) * slotsApart); end.After(latest) {
		t.Errorf("six slots end at %v, want at most %v", end, latest)
	}
	for range 2 {
		first, taken, err := w.store.ReserveSlots(t.Context(), 1, slotsApart, 2*time.Second)
		if err != nil || taken {
			t.Fatalf("slots that are too far ahead: %v, %v, %v", first, taken, err)
		}
		if first.Before(end.Add(-imprecision(started))) || first.After(end) {
			t.Errorf("the next slot is said to be at %v, want %v", first, end)
		}
	}
	if first := w.reserve(t, 1, end, started); first.After(end) {
		t.Errorf("after a refusal, the next slot is at %v, want %v", first, end)
	}
}

func concurrentSlots(t *testing.T, w *world) {
	const users = 8
	started := time.Now()
	firsts := make([]time.Time, users)
	var running sync.WaitGroup
	for i := range users {
		running.Go(func() {
			var taken bool
			var err error
			if firsts[i], taken, err = w.store.ReserveSlots(t.Context(), 1, slotsApart, slotsWithin); err != nil || !taken {
				t.Errorf("ReserveSlots returned %v, %v", taken, err)
			}
		})
	}
	running.Wait()
	slices.SortFunc(firsts, time.Time.Compare)
	for i := 1; i < users; i++ {
		if gap := firsts[i].Sub(firsts[i-1]); gap < slotsApart-imprecision(started) {
			t.Errorf("two users have slots that are only %v apart", gap)
		}
	}
}

// TestSlotsInTime tests the slots of a store whose clock the test can set. The store is empty.
func TestSlotsInTime(t *testing.T, store ledger.Store, set func(time.Time)) {
	for _, test := range []struct {
		name      string
		now, want time.Time
	}{
		{name: "never used", now: Start, want: Start},
		{name: "in use", now: Start.Add(5 * time.Millisecond), want: Start.Add(20 * time.Millisecond)},
		{name: "at the end", now: Start.Add(40 * time.Millisecond), want: Start.Add(40 * time.Millisecond)},
		{name: "after a pause", now: Start.Add(time.Minute), want: Start.Add(time.Minute)},
		{name: "behind another clock", now: Start.Add(59 * time.Second), want: Start.Add(time.Minute + 20*time.Millisecond)},
		{name: "after a clock that was wrong", now: Start.Add(-time.Hour), want: Start.Add(-time.Hour)},
		{name: "after that", now: Start.Add(-time.Hour), want: Start.Add(-time.Hour + 20*time.Millisecond)},
	} {
		set(test.now)
		first, taken, err := store.ReserveSlots(t.Context(), 2, 10*time.Millisecond, 2*time.Second)
		if err != nil || !taken || !first.Equal(test.want) {
			t.Errorf("%s: the first slot is at %v (%v, %v), want %v", test.name, first, taken, err, test.want)
		}
	}
	set(Start.Add(-time.Hour - 10*time.Second))
	if first, taken, err := store.ReserveSlots(t.Context(), 2, 10*time.Millisecond, time.Second); err != nil || taken {
		t.Errorf("slots ten seconds ahead were taken: %v, %v", first, err)
	}
}
