// Package fault decides which calls of a simulated service go wrong. What going wrong means is up to the service.
package fault

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Rule selects calls.
type Rule struct {
	Target string // the calls of this name; if empty, any
	Skip   int    // let this many pass first
	Times  int    // then select this many; negative means no limit, 0 means 1, or no limit if Probability is set

	// Probability is the chance that a call is selected. If it is not between 0 and 1, every call is.
	Probability float64
}

// Queue holds rules, each with a value for the calls that it selects. The zero Queue is empty and ready to use. A Queue may
// be used from several goroutines.
type Queue[T any] struct {
	// Random returns numbers in [0, 1) for Probability. If several queues share it, it must be safe for concurrent use.
	// Default: [rand.Float64].
	Random func() float64

	mu      sync.Mutex
	entries []*entry[T]
}

type entry[T any] struct {
	Rule
	value T
}

// Add adds a rule. A call follows the first rule for its name; when that rule is used up, the next one takes over.
func (q *Queue[T]) Add(rule Rule, value T) {
	if rule.Times == 0 && rule.Probability > 0 {
		rule.Times = -1
	} else if rule.Times == 0 {
		rule.Times = 1
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.entries = append(q.entries, &entry[T]{rule, value})
}

// Clear removes all rules.
func (q *Queue[T]) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.entries = nil
}

// Take counts one call, and returns the value of the rule that selects it, if one does.
func (q *Queue[T]) Take(target string) (value T, selected bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.entries, func(e *entry[T]) bool { return e.Target == "" || e.Target == target })
	if i < 0 {
		return value, false
	}
	e := q.entries[i]
	if e.Skip > 0 {
		e.Skip--
		return value, false
	}
	if e.Probability > 0 && e.Probability < 1 && q.random() >= e.Probability {
		return value, false
	}
	if e.Times > 0 {
		e.Times--
	}
	if e.Times == 0 {
		q.entries = slices.Delete(q.entries, i, i+1)
	}
	return e.value, true
}

func (q *Queue[T]) random() float64 {
	if q.Random != nil {
		return q.Random()
	}
	return rand.Float64()
}

// Wait waits for a latency. It aborts the request with [http.ErrAbortHandler] if its context ends, or closed is closed,
// before that.
func Wait(ctx context.Context, latency time.Duration, closed <-chan struct{}) {
	if latency <= 0 {
		return
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	case <-closed:
		panic(http.ErrAbortHandler)
	}
}
