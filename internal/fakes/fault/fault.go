// Package fault is how the fakes of cloud APIs misbehave on demand.
package fault

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is a way to misbehave. What is not set stays as usual: with only a Latency, the request is answered after it.
//
// Code, or Status alone, or Body stands in for the service: the request is neither checked nor carried out.
type Fault struct {
	Action string // whose requests; "" for any
	Skip   int    // let so many requests through first
	Times  int    // then spoil so many; 0 is once, negative for ever

	Latency time.Duration // wait before anything else; when the caller goes before that, nothing is carried out
	Status  int           // of the answer; default: as the service answers
	Code    string        // the service's error code
	Message string        // that goes with Code
	Body    []byte        // answer this, whatever it is
}

// Replaces reports whether the fault answers by itself.
func (f Fault) Replaces() bool { return f.Code != "" || f.Status != 0 || f.Body != nil }

// Queue holds the faults of one server. The zero Queue cannot be used: see [NewQueue].
type Queue struct {
	closed chan struct{} // with the server
	mu     sync.Mutex
	faults []*Fault
}

// NewQueue makes a queue without faults.
func NewQueue() *Queue { return &Queue{closed: make(chan struct{})} }

// Close ends what waits.
func (q *Queue) Close() { close(q.closed) }

// Add adds a fault. A request takes the first one that is meant for its action; the next gets its turn when that one is used
// up.
func (q *Queue) Add(fault Fault) {
	fault.Body = slices.Clone(fault.Body)
	if fault.Times == 0 {
		fault.Times = 1
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults = append(q.faults, &fault)
}

// Heal removes all faults.
func (q *Queue) Heal() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults = nil
}

// Take returns the fault for one request; the zero Fault when there is none.
func (q *Queue) Take(action string) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, fault := range q.faults {
		switch {
		case fault.Action != "" && fault.Action != action:
			continue
		case fault.Skip > 0:
			fault.Skip--
			return Fault{}
		case fault.Times > 0:
			fault.Times--
		}
		if fault.Times == 0 {
			q.faults = slices.Delete(q.faults, i, i+1)
		}
		return *fault
	}
	return Fault{}
}

// Wait lets the latency of a fault pass. It ends the request when the caller or the server has gone before.
func (q *Queue) Wait(ctx context.Context, latency time.Duration) {
	if latency <= 0 {
		return
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	case <-q.closed:
		panic(http.ErrAbortHandler)
	}
}
