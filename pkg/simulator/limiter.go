package simulator

import (
	"sync"
	"time"
)

// window counts events within the last span of time.
type window struct{ times []time.Time }

// add adds an event and returns the number of events in the window.
func (w *window) add(now time.Time, span time.Duration) int {
	n := w.count(now, span)
	w.times = append(w.times, now)
	return n + 1
}

// count removes events that are older than span and returns the number of those that remain.
func (w *window) count(now time.Time, span time.Duration) int {
	for len(w.times) > 0 && now.Sub(w.times[0]) >= span {
		w.times = w.times[1:]
	}
	return len(w.times)
}

// limiter allows a number of calls per command in any period of one second. A refused call does not count.
type limiter struct {
	mu      sync.Mutex
	limited map[string]*limited
}

type limited struct {
	perSecond int
	taken     window
}

func newLimiter(limits map[string]int) *limiter {
	l := &limiter{limited: map[string]*limited{}}
	for command, perSecond := range limits {
		l.limited[command] = &limited{perSecond: perSecond}
	}
	return l
}

func (l *limiter) take(command string, now time.Time) error {
	of := l.limited[command]
	if of == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if of.taken.count(now, time.Second) >= of.perSecond {
		return refuse(codeFrequency, "%s is limited to %d calls per second", command, of.perSecond)
	}
	of.taken.add(now, time.Second)
	return nil
}
