// Package cloudapi is what the fakes of AWS and of Tencent Cloud share: a server on loopback that counts its requests and
// fails on demand, and the form of the Authorization header.
package cloudapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator/fault"
)

// Fault is a way to misbehave. A fault with only a Latency delays the normal answer.
//
// Code, Status or Body replaces the answer: the request is neither checked nor carried out.
type Fault struct {
	Action string // spoil requests for this action; if empty, for any
	Skip   int    // let this many requests pass first
	Times  int    // then spoil this many; 0 means 1, negative means no limit

	Lost    bool          // carry the request out, and break the connection instead of answering
	Latency time.Duration // wait before anything else; if the caller leaves before that, nothing is carried out
	Status  int           // of the answer; default: the status of the service
	Code    string        // error code of the service, like ThrottlingException or RequestLimitExceeded
	Message string        // the text that goes with Code
	Body    []byte        // the whole answer
}

func (f Fault) replaces() bool { return f.Code != "" || f.Status != 0 || f.Body != nil }

// Protocol is what differs between the clouds.
type Protocol struct {
	MaxBody int64 // bytes; a request with more is aborted
	// Action names what a request asks for.
	Action func(r *http.Request) string
	// Answer checks a request, carries it out and answers it.
	Answer func(w http.ResponseWriter, r *http.Request, requestID string, body []byte)
	// Fail answers in place of the service.
	Fail func(w http.ResponseWriter, requestID string, f Fault)
}

// Server is a server of the cloud. All methods may be called from several goroutines.
type Server struct {
	URL      string // http://127.0.0.1:port
	protocol Protocol
	http     *httptest.Server
	faults   fault.Queue[Fault]
	closed   chan struct{}

	mu       sync.Mutex
	calls    map[string]int // by action
	requests int
}

// Start starts a server. The caller closes it.
func Start(protocol Protocol) *Server {
	s := &Server{protocol: protocol, closed: make(chan struct{}), calls: map[string]int{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close aborts requests that wait, and shuts the server down. It may be called once.
func (s *Server) Close() {
	close(s.closed)
	s.http.Close()
}

// Misbehave adds a fault. A request takes the first fault for its action; when that fault is used up, the next one takes over.
func (s *Server) Misbehave(f Fault) {
	f.Body = slices.Clone(f.Body)
	s.faults.Add(fault.Rule{Target: f.Action, Skip: f.Skip, Times: f.Times}, f)
}

// Heal removes all faults.
func (s *Server) Heal() { s.faults.Clear() }

// Calls counts the requests for an action, like GetSecretValue, including refused and spoiled ones; "" counts all.
func (s *Server) Calls(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if action == "" {
		return s.requests
	}
	return s.calls[action]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.protocol.MaxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has gone, or the body is too large
	}
	action := s.protocol.Action(r)
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", s.count(action))
	f, _ := s.faults.Take(action)
	fault.Wait(r.Context(), f.Latency, s.closed)
	if f.replaces() {
		s.protocol.Fail(w, id, f)
		return
	}
	if f.Lost {
		s.protocol.Answer(httptest.NewRecorder(), r, id, body)
		panic(http.ErrAbortHandler)
	}
	s.protocol.Answer(w, r, id, body)
}

// count counts a request and returns its number.
func (s *Server) count(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[action]++
	s.requests++
	return s.requests
}

// Authorization is the content of an Authorization header.
type Authorization struct {
	KeyID, Date   string
	Scope         []string // region and service at AWS, product at Tencent
	SignedHeaders []string // in lower case
	Signature     string
}

// ParseAuthorization reads a header of the form "ALGORITHM Credential=KEYID/DATE/SCOPE/…/TERMINATOR, SignedHeaders=a;b,
// Signature=hex", with the given number of parts in its scope.
func ParseAuthorization(header, algorithm, terminator string, scope int) (Authorization, bool) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return Authorization{}, false
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	credential := strings.Split(fields["Credential"], "/")
	last := len(credential) - 1
	if last != scope+2 || credential[last] != terminator || fields["SignedHeaders"] == "" || fields["Signature"] == "" {
		return Authorization{}, false
	}
	return Authorization{
		KeyID: credential[0], Date: credential[1], Scope: credential[2:last],
		SignedHeaders: strings.Split(fields["SignedHeaders"], ";"), Signature: fields["Signature"],
	}, true
}
