package simulator

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Fault is a way to misbehave. What is not set stays as usual.
//
// Status, Code, Body and Reset stand in for the engine: the call is neither checked nor carried out. After Latency, and with
// Header and CutBody, it is carried out as usual.
type Fault struct {
	Command string // whose calls; "" for any
	Skip    int    // let so many calls through first
	Times   int    // then spoil so many; 0 is once, negative for ever

	Latency time.Duration // wait before anything else; when the caller goes before that, nothing is carried out
	Status  int           // HTTP status, 200 to 599; without Code and Body, the answer is plain text as a proxy's is
	Header  http.Header   // of the answer
	Code    int           // ErrorCode
	Info    string        // the ErrorInfo that goes with Code
	Body    []byte        // answer this
	CutBody bool          // announce the whole answer, send half of it and close the connection
	Reset   bool          // answer nothing and reset the connection
}

// Misbehave adds a fault. A call takes the first of the faults that are meant for its command, and the next one gets its turn
// when that one is used up: its Skip and its Times.
func (e *Engine) Misbehave(fault Fault) {
	fault.Header = fault.Header.Clone()
	fault.Body = slices.Clone(fault.Body)
	if fault.Times == 0 {
		fault.Times = 1
	}
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.queue = append(e.faults.queue, &fault)
}

// Heal removes all faults.
func (e *Engine) Heal() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.queue = nil
}

type faults struct {
	mu    sync.RWMutex
	queue []*Fault
}

// take returns the fault for one call of a command.
func (f *faults) take(command string) Fault {
	f.mu.RLock()
	none := len(f.queue) == 0
	f.mu.RUnlock()
	if none {
		return Fault{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.queue {
		switch {
		case fault.Command != "" && fault.Command != command:
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

// wait lets the latency pass. It ends the request when the caller has gone before.
func (f *Fault) wait(ctx context.Context) {
	if f.Latency <= 0 {
		return
	}
	timer := time.NewTimer(f.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

// replaces reports whether the fault answers by itself, with an answer that is no envelope.
func (f *Fault) replaces() bool { return f.Body != nil || f.plain() }

// plain reports whether the answer is a bare HTTP status, as something before the API would give it.
func (f *Fault) plain() bool {
	return f.Body == nil && f.Code == 0 && f.Status != 0 && f.Status != http.StatusOK
}

// send writes the engine's answer, or the fault's own, as the fault wants it.
func (f *Fault) send(w http.ResponseWriter, answer []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	if f.plain() {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		answer = []byte(strconv.Itoa(f.Status) + " " + http.StatusText(f.Status) + "\n")
	} else if f.Body != nil {
		answer = f.Body
	}
	header.Set("Content-Length", strconv.Itoa(len(answer)))
	for name, values := range f.Header {
		header[name] = values
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	if !f.CutBody {
		w.Write(answer)
		return
	}
	w.Write(answer[:len(answer)/2])
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// reset breaks the connection off without an answer: by a TCP reset in HTTP/1, by a stream reset in HTTP/2.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
		defer conn.Close()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}
