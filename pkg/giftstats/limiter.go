package giftstats

import (
	"container/list"
	"context"
	"errors"
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
// Callers get their turns in the order of their arrival, single requests before the queries of batches ([InBatch]). A caller whose
// context is done leaves the queue, and later callers move up.
//
// A limiter may have turns beyond its own rate: slots of a rate that several processes share ([NewSharingLimiter]). It has fewer for a
// while after Tencent has refused a call ([Limiter.Refused]).
type Limiter struct {
	interval time.Duration // between two turns of its own rate, at full pace

	mu     sync.Mutex
	pace   pace
	next   time.Time    // when the next turn of its own rate is due; in the past if nobody waits
	queues [2]list.List // of *caller: single requests, and the queries of batches
	timer  *time.Timer  // for the next turn; nil if nobody waits
	shared *shared      // nil without a shared rate
}

// caller waits for a turn.
type caller struct {
	ctx  context.Context
	turn chan struct{} // closed when the turn has come
}

// ErrNoTurn is the cause of the rate_limited errors of a [Limiter].
var ErrNoTurn = errors.New("this process may make no more calls before the deadline")

// headroom is the part of the limit that is used. At 200 calls per second, the 201st call leaves 1.007 s after the first.
const headroom = 0.993

// NewLimiter returns a limiter of perSecond calls per second, which must be positive.
func NewLimiter(perSecond float64) *Limiter { return &Limiter{interval: spacing(perSecond)} }

func spacing(perSecond float64) time.Duration {
	return time.Duration(float64(time.Second) / (perSecond * headroom))
}

type batchKey struct{}

// InBatch returns a context whose calls take their turns after those of single requests.
func InBatch(ctx context.Context) context.Context { return context.WithValue(ctx, batchKey{}, true) }

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
	select {
	case <-place.Value.(*caller).turn:
		return nil
	case <-ctx.Done():
		l.leave(place)
		return ctx.Err()
	}
}

// enter takes a turn, or a place in a queue if no turn is due yet, or neither if the turn is after the deadline. The check and the
// reservation are one step, so that a caller that is refused takes nothing from the others.
func (l *Limiter) enter(ctx context.Context) (*list.Element, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	queue, ahead := &l.queues[0], l.queues[0].Len()
	if ctx.Value(batchKey{}) != nil {
		queue, ahead = &l.queues[1], l.waiting()
	}
	if l.waiting() == 0 && l.next.Before(now) {
		l.next = now // turns that nobody wanted are lost
	}
	if ahead == 0 && l.take(now) {
		return nil, nil
	}
	delay := l.delay(now, ahead)
	if deadline, ok := ctx.Deadline(); ok && now.Add(delay).After(deadline) {
		return nil, &Error{
			Code:       CodeRateLimited,
			Detail:     fmt.Sprintf("the rate limit allows the next call only in %s, after the deadline", delay.Round(time.Millisecond)),
			RetryAfter: delay,
			Err:        ErrNoTurn,
		}
	}
	place := queue.PushBack(&caller{ctx, make(chan struct{})})
	l.plan(now)
	return place, nil
}

// leave removes a place from its queue. If its turn has just come, the turn is lost.
func (l *Limiter) leave(place *list.Element) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queues[0].Remove(place) // only one of the queues has it
	l.queues[1].Remove(place)
	if l.waiting() == 0 {
		l.stop()
	}
}

func (l *Limiter) waiting() int { return l.queues[0].Len() + l.queues[1].Len() }

// first returns the place whose turn is next.
func (l *Limiter) first() *list.Element {
	if place := l.queues[0].Front(); place != nil {
		return place
	}
	return l.queues[1].Front()
}

// take takes a turn if one is due. If the caller is late by less than an interval, because the timer was, the turns after it keep their
// times; if it is later, because the process was frozen, they start again from here, so that no burst follows.
func (l *Limiter) take(now time.Time) bool {
	if l.shared.take(now) {
		return true
	}
	if l.next.After(now) {
		return false
	}
	interval := l.pace.stretch(l.interval, now)
	l.next = l.next.Add(interval)
	if l.next.Before(now) {
		l.next = now.Add(interval)
	}
	return true
}

// delay returns how long a new caller waits at least, behind so many others.
func (l *Limiter) delay(now time.Time, ahead int) time.Duration {
	if perCall, ok := l.shared.perCall(l.interval); ok {
		return time.Duration(ahead) * l.pace.stretch(perCall, now)
	}
	return max(0, l.next.Sub(now)) + time.Duration(ahead)*l.pace.stretch(l.interval, now)
}

// call is called by the timer.
func (l *Limiter) call() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run(time.Now())
}

// run lets the callers go whose turns have come.
func (l *Limiter) run(now time.Time) {
	for l.waiting() > 0 && l.take(now) {
		place := l.first()
		close(place.Value.(*caller).turn)
		l.queues[0].Remove(place)
		l.queues[1].Remove(place)
	}
	l.plan(now)
}

// plan reserves shared slots if it is time to, and sets the timer for what comes next.
func (l *Limiter) plan(now time.Time) {
	l.stop()
	if l.waiting() == 0 {
		return
	}
	at := l.next
	if soonest, ok := l.planShared(now); ok && soonest.Before(at) {
		at = soonest
	}
	l.timer = time.AfterFunc(at.Sub(now), l.call)
}

func (l *Limiter) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}
