package giftstats

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// Limiter limits the rate of the upstream calls of a process. Every attempt takes one turn.
//
// It allows no burst. Tencent counts the calls of each second, and a bucket of saved turns would let its content pass in
// addition to a full second of calls. Evenly spaced turns never exceed the limit. The space between them is a little wider than
// the limit requires, because calls that leave at even intervals arrive at uneven ones.
//
// Callers get their turns in the order of their arrival. A caller whose context is done leaves the queue, and later callers move up.
type Limiter struct {
	interval time.Duration // between two turns

	mu    sync.Mutex
	next  time.Time   // when the next turn is due; in the past if nobody waits
	queue list.List   // of chan struct{}, each closed when its turn has come
	timer *time.Timer // of the first in the queue; nil if nobody waits
}

// headroom is the part of the limit that is used. At 200 calls per second, the 201st call leaves 1.007 s after the first.
const headroom = 0.993

// NewLimiter returns a limiter of perSecond calls per second, which must be positive.
func NewLimiter(perSecond float64) *Limiter {
	return &Limiter{interval: time.Duration(float64(time.Second) / (perSecond * headroom))}
}

// Wait blocks until the caller may make one upstream call. If that moment is after the deadline of ctx, Wait returns a
// rate_limited error at once and takes no turn.
func (l *Limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	place, err := l.enter(ctx)
	if place == nil {
		return err
	}
	turn := place.Value.(chan struct{})
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.leave(place)
		return ctx.Err()
	}
}

// enter takes a turn, or a place in the queue if the turn is not due yet, or neither if the turn is after the deadline. The check and
// the reservation are one step, so that a caller that is refused takes nothing from the others.
func (l *Limiter) enter(ctx context.Context) (*list.Element, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.queue.Len() == 0 && !l.next.After(now) {
		l.next = now.Add(l.interval)
		return nil, nil
	}
	delay := max(0, l.next.Sub(now)) + time.Duration(l.queue.Len())*l.interval
	if deadline, ok := ctx.Deadline(); ok && now.Add(delay).After(deadline) {
		return nil, &Error{
			Code:       CodeRateLimited,
			Detail:     fmt.Sprintf("the rate limit allows the next call only in %s, after the deadline", delay.Round(time.Millisecond)),
			RetryAfter: delay,
		}
	}
	place := l.queue.PushBack(make(chan struct{}))
	if l.timer == nil {
		l.timer = time.AfterFunc(delay, l.call)
	}
	return place, nil
}

// leave removes a place from the queue. If its turn has just come, the turn is lost.
func (l *Limiter) leave(place *list.Element) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue.Remove(place)
	if l.queue.Len() == 0 {
		l.stop()
	}
}

func (l *Limiter) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

// call lets the first of the queue go. If the timer was late, by less than an interval, the turns after it keep their times; if it was
// later, because the process was frozen, they start again from here, so that no burst follows.
func (l *Limiter) call() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for l.queue.Len() > 0 && !l.next.After(now) {
		close(l.queue.Remove(l.queue.Front()).(chan struct{}))
		l.next = l.next.Add(l.interval)
		if l.next.Before(now) {
			l.next = now.Add(l.interval)
		}
	}
	l.stop()
	if l.queue.Len() > 0 {
		l.timer = time.AfterFunc(l.next.Sub(now), l.call)
	}
}
