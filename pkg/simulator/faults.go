package simulator

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator/fault"
)

// Fault is a way to misbehave. What is not set stays as usual.
//
// Status, Code, Body and Reset stand in for the engine: the call is neither checked nor carried out. After Latency, and with
// Header and CutBody, it is carried out as usual.
type Fault struct {
	Command string // whose calls; "" for any
	Skip    int    // let so many calls through first
	Times   int    // then spoil so many; negative means no limit, 0 means 1, or no limit if Probability is set

	// Probability is the chance that a call is spoiled, drawn from Config.Rand. If it is not between 0 and 1, every call is.
	Probability float64

	Latency time.Duration // wait before anything else; when the caller goes before that, nothing is carried out
	Status  int           // HTTP status, 200 to 599; without Code and Body, the answer is plain text as a proxy's is
	Header  http.Header   // of the answer
	Code    int           // ErrorCode
	Info    string        // the ErrorInfo that goes with Code
	Body    []byte        // answer this
	CutBody bool          // announce the whole answer, send half of it and close the connection
	Reset   bool          // answer nothing and reset the connection
}

// Misbehave adds a fault. A call takes the first fault for its command; when that fault is used up, the next one takes over.
func (e *Engine) Misbehave(f Fault) {
	f.Header = f.Header.Clone()
	f.Body = slices.Clone(f.Body)
	e.faults.Add(fault.Rule{Target: f.Command, Skip: f.Skip, Times: f.Times, Probability: f.Probability}, f)
}

// Heal removes all faults and all rules that lose webhooks.
func (e *Engine) Heal() {
	e.faults.Clear()
	e.losses.Clear()
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
