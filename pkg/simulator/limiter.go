package simulator

import (
	"sync"
	"time"
)

// window counts what happened within the last span of time, wherever that begins.
type window struct{ times []time.Time }

// add counts one at the time now and returns how many there are.
func (w *window) add(now time.Time, span time.Duration) int {
	n := w.count(now, span)
	w.times = append(w.times, now)
	return n + 1
}

// count forgets what is older than span and returns how many are left.
func (w *window) count(now time.Time, span time.Duration) int {
	for len(w.times) > 0 && now.Sub(w.times[0]) >= span {
		w.times = w.times[1:]
	}
	return len(w.times)
}

// limiter allows so many calls of a command in any second. A refused call does not count.
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
