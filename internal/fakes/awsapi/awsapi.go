// Package awsapi is a fake AWS endpoint on loopback, for tests: Secrets Manager's GetSecretValue, SQS's SendMessage, EventBridge's
// PutEvents, and what the ledger needs of DynamoDB.
//
// It checks the signature of each request as AWS does, answers with AWS's own texts and errors, keeps what it receives, and fails
// on demand. One server represents all services; its URL goes into AWS_ENDPOINT_URL.
//
// Sources: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html,
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html,
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html,
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
package awsapi

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/cloudapi"
)

const (
	account = "123456789012" // the account of every simulated resource
	maxBody = 1 << 21        // bytes; no call of these services accepts more
)

// Credentials are those of the only client.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // if empty, a request must not have a session token
}

// Config of a [Server]. Empty fields have defaults.
type Config struct {
	Credentials Credentials // default: made-up ones with a session token, as a Lambda function has
	Region      string      // default: eu-west-1
	Now         func() time.Time
}

// Fault is a way to misbehave. Its Code is an error code of the service, like ThrottlingException.
type Fault = cloudapi.Fault

// Server is the endpoint. All methods may be called from several goroutines.
type Server struct {
	*cloudapi.Server
	region     string
	now        func() time.Time
	operations map[string]operation // by X-Amz-Target

	mu          sync.Mutex
	credentials Credentials
	secrets     map[string]stages // by name
	versions    int               // of all secrets
	messages    []Message
	events      []Event
	refuse      []string // error codes for the next entries of PutEvents
	tables      map[string]*table
	pageSize    int // items in an answer of Query; 0: no limit
	batchSize   int // entries of a batch call that are processed; 0: no limit; negative: none
}

// operation is a call that the server supports.
type operation struct {
	service     string // as in the scope of the signature
	action      string
	contentType string
	// serve carries out the call. The server is locked.
	serve func(body []byte) (any, *failure)
}

// failure is an error as AWS sends it.
type failure struct {
	status        int
	code, message string
	query         string // the code in the header X-Amzn-Query-Error, which SQS sends in addition to the one in JSON
	item          item   // the stored one, which DynamoDB returns on demand if a condition is not met
}

// New starts a server. The caller closes it.
func New(config Config) *Server {
	if config.Credentials == (Credentials{}) {
		config.Credentials = Credentials{"AKIAEXAMPLE", "not-a-real-key-aws-secret", "not-a-real-token-aws-session"}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{
		region:      cmp.Or(config.Region, "eu-west-1"),
		now:         config.Now,
		credentials: config.Credentials,
		secrets:     map[string]stages{},
		tables:      map[string]*table{},
	}
	s.operations = map[string]operation{
		"secretsmanager.GetSecretValue": {"secretsmanager", "GetSecretValue", "application/x-amz-json-1.1", s.getSecretValue},
		"AmazonSQS.SendMessage":         {"sqs", "SendMessage", "application/x-amz-json-1.0", s.sendMessage},
		"AWSEvents.PutEvents":           {"events", "PutEvents", "application/x-amz-json-1.1", s.putEvents},
	}
	maps.Copy(s.operations, s.tableOperations())
	s.Server = cloudapi.Start(cloudapi.Protocol{MaxBody: maxBody, Action: s.action, Answer: s.serve, Fail: fail})
	return s
}

// SetCredentials replaces the credentials that requests must be signed with.
func (s *Server) SetCredentials(credentials Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credentials = credentials
}

// Environment returns the variables with which an AWS client finds the server and is authorized.
func (s *Server) Environment() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]string{
		"AWS_REGION":            s.region,
		"AWS_ENDPOINT_URL":      s.URL,
		"AWS_ACCESS_KEY_ID":     s.credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": s.credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":     s.credentials.SessionToken,
	}
}

// Lookup returns a variable of Environment, like os.Getenv.
func (s *Server) Lookup(name string) string { return s.Environment()[name] }

func (s *Server) action(r *http.Request) string {
	return s.operations[r.Header.Get("X-Amz-Target")].action
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	w.Header().Set("X-Amzn-Requestid", id)
	op := s.operations[r.Header.Get("X-Amz-Target")]
	answer, failed := s.answer(r, op, body)
	if failed != nil {
		failed.send(w)
		return
	}
	send(w, op.contentType, http.StatusOK, answer)
}

// fail answers in place of the service.
func fail(w http.ResponseWriter, id string, f Fault) {
	w.Header().Set("X-Amzn-Requestid", id)
	if f.Code != "" {
		failed := failure{status: cmp.Or(f.Status, http.StatusBadRequest), code: f.Code, message: f.Message}
		failed.send(w)
		return
	}
	w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
	w.Write(f.Body)
}

// answer checks a request and carries it out.
func (s *Server) answer(r *http.Request, op operation, body []byte) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case op.serve == nil || r.Method != http.MethodPost:
		return nil, &failure{status: 400, code: "UnknownOperationException"}
	case r.Header.Get("Content-Type") != op.contentType:
		return nil, &failure{status: 400, code: "SerializationException", message: "the content type must be " + op.contentType}
	}
	if failed := s.verify(r, op.service, body); failed != nil {
		return nil, failed
	}
	return op.serve(body)
}

func (f *failure) send(w http.ResponseWriter) {
	if f.query != "" {
		w.Header().Set("X-Amzn-Query-Error", f.query+";Sender")
	}
	answer := map[string]any{"__type": f.code, "message": f.message}
	if f.item != nil {
		answer["Item"] = f.item
	}
	send(w, "application/x-amz-json-1.1", f.status, answer)
}

func send(w http.ResponseWriter, contentType string, status int, answer any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer) // fails only if the caller has gone
}

// decode reads the body of a call.
func decode(body []byte, into any) *failure {
	if err := json.Unmarshal(body, into); err != nil {
		return &failure{status: 400, code: "SerializationException", message: "invalid JSON, or not the input of this call"}
	}
	return nil
}
