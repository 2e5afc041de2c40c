// Package tencentapi is a fake endpoint of Tencent Cloud's API 3.0 on loopback, for tests: GetSecretValue of the Secrets
// Manager (SSM) and Invoke of the Serverless Cloud Functions (SCF).
//
// It checks the signature of each request (TC3-HMAC-SHA256) by its own calculation, answers with Tencent's own texts and errors,
// keeps what it receives, and fails on demand. One server represents all products.
//
// Sources: https://cloud.tencent.com/document/api/1140/40522, https://tencentcloud.com/document/api/583/17243,
// https://www.tencentcloud.com/document/product/1078/38636 (common parameters),
// https://www.tencentcloud.com/document/product/1078/38639 (answers)
package tencentapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/cloudapi"
)

const maxBody = 8 << 20 // bytes; the API accepts at most 10 MB

// Credentials are those of the only client.
type Credentials struct {
	SecretID  string
	SecretKey string
	Token     string // if empty, a request must not have a token
}

// Config of a [Server]. Empty fields have defaults.
type Config struct {
	Credentials Credentials // default: made-up ones with a token, as an SCF function has
	Region      string      // in Environment; default: ap-singapore
	Now         func() time.Time
}

// Fault is a way to misbehave. Its Code is an error code of the service, like RequestLimitExceeded.
type Fault = cloudapi.Fault

// Server is the endpoint. All methods may be called from several goroutines.
type Server struct {
	*cloudapi.Server
	region     string
	now        func() time.Time
	operations map[string]operation // by action

	mu          sync.Mutex
	credentials Credentials
	secrets     map[secretVersion]secretValue
	invocations []Invocation
	invoked     func(Invocation) string
}

// operation is a call that the server supports.
type operation struct {
	product, version string
	// serve carries out the call. The server is locked.
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
		region:      cmp.Or(config.Region, "ap-singapore"),
		now:         config.Now,
		credentials: config.Credentials,
		secrets:     map[secretVersion]secretValue{},
	}
	s.operations = map[string]operation{
		"GetSecretValue": {"ssm", "2019-09-23", s.getSecretValue},
		"Invoke":         {"scf", "2018-04-16", s.invoke},
	}
	s.Server = cloudapi.Start(cloudapi.Protocol{MaxBody: maxBody, Action: action, Answer: s.serve, Fail: fail})
	return s
}

// SetCredentials replaces the credentials that requests must be signed with, as SCF does every few hours.
func (s *Server) SetCredentials(credentials Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credentials = credentials
}

// Environment returns the variables that SCF sets for a function with these credentials. The endpoint is not one of them: it is
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

// Lookup returns a variable of Environment, like os.Getenv.
func (s *Server) Lookup(name string) string { return s.Environment()[name] }

func action(r *http.Request) string { return r.Header.Get("X-Tc-Action") }

func (s *Server) serve(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	answer, failed := s.answer(r, action(r), body)
	send(w, id, answer, failed)
}

// fail answers in place of the service.
func fail(w http.ResponseWriter, id string, f Fault) {
	if f.Code != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	if f.Code != "" {
		send(w, id, nil, &failure{f.Code, f.Message})
		return
	}
	w.Write(f.Body)
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
	json.NewEncoder(w).Encode(map[string]any{"Response": response}) // fails only if the caller has gone
}

// decode reads the body of a call.
func decode(body []byte, into any) *failure {
	if err := json.Unmarshal(body, into); err != nil {
		return &failure{"InvalidParameter", "Invalid JSON, or not the input of this call."}
	}
	return nil
}
