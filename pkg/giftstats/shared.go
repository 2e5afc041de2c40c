package giftstats

import (
	"container/list"
	"context"
	"math/rand/v2"
	"time"
)

const (
	slotAhead      = time.Second            // how far ahead a reserved slot begins at most
	slotLate       = 100 * time.Millisecond // how long after its time a slot may be used
	slotsAtOnce    = 20                     // the most that are reserved in one step, if the shared rate allows as many in half a second
	ownPatience    = 50 * time.Millisecond  // a caller whose turn at the limiter's own rate comes that soon needs no slot
	reserveLead    = 100 * time.Millisecond // how long before the last slot the next ones are reserved
	reserveTimeout = 500 * time.Millisecond
	failedBackOff  = time.Second // after the first failure of the source; it doubles with each further one
	fullBackOff    = 500 * time.Millisecond
	maxBackOff     = 4 * time.Second
	maxFullBackOff = 2 * time.Second
	downAfter      = 3 // failures after which the shared rate is not counted on any more
)

// SlotSource hands out slots: the turns of a rate that several processes share.
type SlotSource interface {
	// ReserveSlots takes n slots that are apart from each other, behind all slots taken before, and returns the time of the first one.
	// If that is later than within from now, it takes none and reports false.
	ReserveSlots(ctx context.Context, n int, apart, within time.Duration) (first time.Time, taken bool, err error)
}

// Sharing describes a shared rate. All fields are required.
type Sharing struct {
	PerSecond float64 // of all processes together, at least 1
	Source    SlotSource
	Failed    func(ctx context.Context, err error) // called for each failure of the source; must not block
}

// NewSharingLimiter returns a limiter of perSecond calls per second of its own, and further ones of a shared rate.
//
// It reserves slots only if callers would wait for its own turns: as many as callers wait, up to 20. Slots are reserved by a goroutine,
// so a slow source delays no turn. What nobody uses in time is lost. After a failure the limiter's own rate goes on, and the source is left
// alone for a few seconds. Nothing happens while nobody waits, because the process may be frozen then.
func NewSharingLimiter(perSecond float64, sharing Sharing) *Limiter {
	limiter := NewLimiter(perSecond)
	limiter.shared = &shared{
		source: sharing.Source, failed: sharing.Failed, apart: spacing(sharing.PerSecond),
		atOnce: max(1, min(slotsAtOnce, int(sharing.PerSecond/2))),
	}
	return limiter
}

// shared is a limiter's part of a shared rate. All methods may be called for nil.
type shared struct {
	source SlotSource
	failed func(context.Context, error)
	apart  time.Duration // between two slots
	atOnce int

	slots     []time.Time // reserved ones, by the wall clock: the monotonic one may stand still while the process is frozen
	reserving bool
	notBefore time.Time // of the next reservation
	failures  int       // of the source in a row
	full      int       // how often in a row others had taken all slots
}

// take takes a slot if one is due.
func (s *shared) take(now time.Time) bool {
	if s == nil {
		return false
	}
	s.drop(now)
	if len(s.slots) == 0 || s.slots[0].After(now) {
		return false
	}
	s.slots = s.slots[1:]
	return true
}

// drop forgets the slots that were not used in time, and all of them if the clock was set back.
func (s *shared) drop(now time.Time) {
	for len(s.slots) > 0 && now.Sub(s.slots[0]) > slotLate {
		s.slots = s.slots[1:]
	}
	if len(s.slots) > 0 && s.slots[0].Sub(now) > 2*slotAhead {
		s.slots = nil
	}
}

// perCall returns how far apart calls are at the limiter's own rate and the shared one together. It reports false if the shared one cannot
// be counted on. A single failure must not make the queries of a batch give up.
func (s *shared) perCall(own time.Duration) (time.Duration, bool) {
	if s == nil || s.failures >= downAfter {
		return 0, false
	}
	return time.Duration(1 / (1/float64(own) + 1/float64(s.apart))), true
}

// planShared starts a reservation if it is time to, and returns when there is something to do next: a slot, or a reservation.
func (l *Limiter) planShared(now time.Time) (at time.Time, ok bool) {
	s := l.shared
	if s == nil {
		return at, false
	}
	s.drop(now)
	if len(s.slots) > 0 {
		at, ok = s.slots[0], true
	}
	wanted := min(l.waiting()-l.ownTurns(now)-len(s.slots), s.atOnce)
	if wanted <= 0 || s.reserving {
		return at, ok
	}
	start := s.notBefore
	if len(s.slots) > 0 {
		start = latest(start, s.slots[len(s.slots)-1].Add(-reserveLead))
	}
	if start.After(now) {
		if !ok || start.Before(at) {
			at = start
		}
		return at, true
	}
	if within := l.patience(now); within > 0 {
		s.reserving = true
		go l.reserve(l.first().Value.(*caller).ctx, wanted, l.pace.stretch(s.apart, now), within)
	}
	return at, ok
}

// ownTurns returns how many turns of the limiter's own rate come soon.
func (l *Limiter) ownTurns(now time.Time) int {
	soon := now.Add(ownPatience).Sub(l.next)
	if soon < 0 {
		return 0
	}
	return 1 + int(soon/l.pace.stretch(l.interval, now))
}

// patience returns how long the most patient caller can wait, and at most slotAhead.
func (l *Limiter) patience(now time.Time) time.Duration {
	longest := time.Duration(0)
	for _, queue := range []*list.List{&l.queues[0], &l.queues[1]} {
		for place := queue.Front(); place != nil; place = place.Next() {
			deadline, ok := place.Value.(*caller).ctx.Deadline()
			if !ok {
				return slotAhead
			}
			longest = max(longest, deadline.Sub(now))
		}
	}
	return min(longest, slotAhead)
}

// reserve reserves slots. Its context has the values of a caller's: credentials may be among them.
func (l *Limiter) reserve(ctx context.Context, n int, apart, within time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reserveTimeout)
	defer cancel()
	asked := time.Now().Round(0)
	first, taken, err := l.shared.source.ReserveSlots(ctx, n, apart, within)
	frozen := time.Now().Round(0).Sub(asked) > 2*reserveTimeout
	if err != nil && !frozen {
		l.shared.failed(ctx, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, now := l.shared, time.Now()
	s.reserving = false
	switch {
	case frozen: // the outcome says nothing
	case err != nil:
		s.notBefore = now.Add(min(failedBackOff<<min(s.failures, 8), maxBackOff))
		s.failures++
	case !taken:
		wait := min(fullBackOff<<min(s.full, 8), maxFullBackOff)
		s.notBefore = now.Add(max(0, first.Sub(now)-within) + wait/2 + rand.N(wait/2))
		s.failures, s.full = 0, s.full+1
	default:
		s.failures, s.full = 0, 0
		for i := range n {
			s.slots = append(s.slots, first.Round(0).Add(time.Duration(i)*apart))
		}
	}
	l.run(now)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
