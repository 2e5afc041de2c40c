// Package tencentapi is a fake endpoint of Tencent Cloud's API 3.0 on loopback, for tests: GetSecretValue of the Secrets
// Manager (SSM) and Invoke of the Serverless Cloud Functions (SCF).
//
// It checks the signature of each request (TC3-HMAC-SHA256) by its own calculation, gives Tencent's own answers and errors,
// keeps what it was sent, and fails on demand. One server stands for all products.
//
// Sources: https://cloud.tencent.com/document/api/1140/40522, https://tencentcloud.com/document/api/583/17243,
// https://www.tencentcloud.com/document/product/1078/38636 (common parameters),
// https://www.tencentcloud.com/document/product/1078/38639 (answers)
package tencentapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/fault"
)

const maxBody = 8 << 20 // bytes; the API takes no more than 10 MB

// Credentials of the only client there is.
type Credentials struct {
	SecretID  string
	SecretKey string
	Token     string // none: a request must not have one
}

// Config of a [Server]. What is empty has a default.
type Config struct {
	Credentials Credentials // default: made-up ones with a token, as an SCF function has
	Region      string      // that Environment names; default: ap-singapore
	Now         func() time.Time
}

// Server is the endpoint. All methods may be called from several goroutines.
type Server struct {
	URL    string // http://127.0.0.1:port
	region string
	now    func() time.Time
	http   *httptest.Server
	faults *fault.Queue

	mu          sync.Mutex
	credentials Credentials
	operations  map[string]operation // by action
	calls       map[string]int       // by action
	requests    int
	secrets     map[secretVersion]secretValue
	invocations []Invocation
	invoked     func(Invocation) string
}

// operation is one call that the server knows.
type operation struct {
	product, version string
	// serve carries the call out while the server is locked.
	serve func(r *http.Request, body []byte) (map[string]any, *failure)
}

// failure is an error as Tencent sends it: with HTTP status 200.
type failure struct{ Code, Message string }

// New starts a server. The caller closes it.
func New(config Config) *Server {
	if config.Credentials == (Credentials{}) {
		config.Credentials = Credentials{"AKIDEXAMPLE", "not-a-real-key-tencent-secret", "not-a-real-token-tencent-session"}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{
		faults:      fault.NewQueue(),
		region:      cmp.Or(config.Region, "ap-singapore"),
		now:         config.Now,
		credentials: config.Credentials,
		calls:       map[string]int{},
		secrets:     map[secretVersion]secretValue{},
	}
	s.operations = map[string]operation{
		"GetSecretValue": {"ssm", "2019-09-23", s.getSecretValue},
		"Invoke":         {"scf", "2018-04-16", s.invoke},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends what is waiting and shuts the server down. It may be called once.
func (s *Server) Close() {
	s.faults.Close()
	s.http.Close()
}

// SetCredentials replaces the credentials that requests must be signed with, as SCF does every few hours.
func (s *Server) SetCredentials(credentials Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credentials = credentials
}

// Environment gives the variables that SCF sets for a function with these credentials. The endpoint is none of them: it is
// a parameter of the secret's or queue's URL.
func (s *Server) Environment() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]string{
		"TENCENTCLOUD_REGION":       s.region,
		"TENCENTCLOUD_SECRETID":     s.credentials.SecretID,
		"TENCENTCLOUD_SECRETKEY":    s.credentials.SecretKey,
		"TENCENTCLOUD_SESSIONTOKEN": s.credentials.Token,
	}
}

// Lookup gives one variable of Environment, like os.Getenv.
func (s *Server) Lookup(name string) string { return s.Environment()[name] }

// Calls counts the requests for an action, like GetSecretValue, the refused and spoilt ones included; "" counts all.
func (s *Server) Calls(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if action == "" {
		return s.requests
	}
	return s.calls[action]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has gone, or sends without end
	}
	action := r.Header.Get("X-Tc-Action")
	id := s.begin(action)
	fault := s.faults.Take(action)
	s.faults.Wait(r.Context(), fault.Latency)
	if fault.Replaces() {
		sendFault(fault, w, id)
		return
	}
	answer, failed := s.answer(r, action, body)
	send(w, id, answer, failed)
}

// begin counts the request and gives its id.
func (s *Server) begin(action string) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[action]++
	s.requests++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.requests)
}

// answer checks a request and carries it out.
func (s *Server) answer(r *http.Request, action string, body []byte) (map[string]any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op, known := s.operations[action]
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/":
		return nil, &failure{"UnsupportedProtocol", "only POST / is simulated"}
	case action == "":
		return nil, &failure{"MissingParameter", "The request is missing the parameter `Action`."}
	case !known:
		return nil, &failure{"InvalidAction", "The request action is invalid."}
	case r.Header.Get("X-Tc-Version") != op.version:
		return nil, &failure{"NoSuchVersion", "The API version does not exist."}
	}
	if failed := s.verify(r, op.product, body); failed != nil {
		return nil, failed
	}
	if r.Header.Get("X-Tc-Region") == "" {
		return nil, &failure{"MissingParameter", "The request is missing the parameter `Region`."}
	}
	return op.serve(r, body)
}

// send writes the answer, or the error, in the envelope that all calls have.
func send(w http.ResponseWriter, id string, answer map[string]any, failed *failure) {
	response := map[string]any{"RequestId": id}
	if failed != nil {
		response["Error"] = failed
	}
	for name, value := range answer {
		response[name] = value
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"Response": response}) // plain data encodes; a caller that has gone does not matter
}

// decode reads the body of a call.
func decode(body []byte, into any) *failure {
	if err := json.Unmarshal(body, into); err != nil {
		return &failure{"InvalidParameter", "The body is not the JSON of this call."}
	}
	return nil
}
