package awsapi

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
	Status  int           // of the answer; default: 400 with Code, else 200
	Code    string        // AWS's error code, like ThrottlingException
	Message string        // that goes with Code
	Body    []byte        // answer this, whatever it is
}

// Misbehave adds a fault. A request takes the first one that is meant for its action; the next gets its turn when that one is
// used up.
func (s *Server) Misbehave(fault Fault) {
	fault.Body = slices.Clone(fault.Body)
	if fault.Times == 0 {
		fault.Times = 1
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = append(s.faults.queue, &fault)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = nil
}

type faults struct {
	closed chan struct{} // with the server
	mu     sync.Mutex
	queue  []*Fault
}

// take returns the fault for one request.
func (f *faults) take(action string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.queue {
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
			f.queue = slices.Delete(f.queue, i, i+1)
		}
		return *fault
	}
	return Fault{}
}

// wait lets the latency pass. It ends the request when the caller or the server has gone before.
func (f *faults) wait(ctx context.Context, latency time.Duration) {
	if latency <= 0 {
		return
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	case <-f.closed:
		panic(http.ErrAbortHandler)
	}
}

// replaces reports whether the fault answers by itself.
func (f *Fault) replaces() bool { return f.Code != "" || f.Status != 0 || f.Body != nil }

func (f *Fault) send(w http.ResponseWriter) {
	switch {
	case f.Code != "":
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		(&failure{status: status, code: f.Code, message: f.Message}).send(w)
		return
	case f.Status != 0:
		w.WriteHeader(f.Status)
	}
	w.Write(f.Body)
}
