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

// Fault is a way to misbehave.
//
// Status, Code, Body and Reset replace the answer: the call is neither checked nor carried out. With only Latency, Header or
// CutBody, it is carried out as usual.
type Fault struct {
	Command string // spoil calls of this command; if empty, of any
	Skip    int    // let this many calls pass first
	Times   int    // then spoil this many; negative means no limit, 0 means 1, or no limit if Probability is set

	// Probability is the chance that a call is spoiled, drawn from Config.Rand. If it is not between 0 and 1, every call is.
	Probability float64

	Latency time.Duration // wait before anything else; if the caller leaves before that, nothing is carried out
	Status  int           // HTTP status, 200 to 599; without Code and Body, the answer is plain text, like that of a proxy
	Header  http.Header   // of the answer
	Code    int           // ErrorCode
	Info    string        // the ErrorInfo that goes with Code
	Body    []byte        // the whole answer
	CutBody bool          // announce the whole answer, send half of it and close the connection
	Reset   bool          // send no answer and reset the connection
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

// replaces reports whether the fault replaces the answer by one without an envelope.
func (f *Fault) replaces() bool { return f.Body != nil || f.plain() }

// plain reports whether the answer is a bare HTTP status, as from a proxy in front of the API.
func (f *Fault) plain() bool {
	return f.Body == nil && f.Code == 0 && f.Status != 0 && f.Status != http.StatusOK
}

// send writes the answer of the engine, or the fault's own answer, with the changes of the fault.
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

// reset resets the connection without an answer: the TCP connection in HTTP/1, the stream in HTTP/2.
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
