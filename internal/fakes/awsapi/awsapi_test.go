package awsapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func start(t *testing.T) *awsapi.Server {
	t.Helper()
	server := awsapi.New(awsapi.Config{Now: func() time.Time { return noon }})
	t.Cleanup(server.Close)
	return server
}

// call is one request before it is signed.
type call struct {
	method, target, contentType, body string
	service, region                   string
	at                                time.Time
	credentials                       aws.Credentials
	sign                              func(*http.Request) // further headers, before the signature
	after                             func(*http.Request) // changes, after it
}

func getSecretValue(server *awsapi.Server, body string) call {
	return newCall(server, "secretsmanager.GetSecretValue", "secretsmanager", "application/x-amz-json-1.1", body)
}

func newCall(server *awsapi.Server, target, service, contentType, body string) call {
	return call{
		method: http.MethodPost, target: target, contentType: contentType, body: body,
		service: service, region: server.Lookup("AWS_REGION"), at: noon,
		credentials: aws.Credentials{
			AccessKeyID:     server.Lookup("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: server.Lookup("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    server.Lookup("AWS_SESSION_TOKEN"),
		},
	}
}

// reply is what came back: the status, the header and the JSON.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

func (r reply) code() string { code, _ := r.body["__type"].(string); return code }

func (c call) send(t *testing.T, server *awsapi.Server) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+"/", strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", c.target)
	request.Header.Set("Content-Type", c.contentType)
	if c.sign != nil {
		c.sign(request)
	}
	hash := sha256.Sum256([]byte(c.body))
	err = v4.NewSigner().SignHTTP(t.Context(), c.credentials, request, hex.EncodeToString(hash[:]), c.service, c.region, c.at)
	if err != nil {
		t.Fatal(err)
	}
	if c.after != nil {
		c.after(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: response.StatusCode, header: response.Header}
	if len(raw) > 0 && json.Unmarshal(raw, &r.body) != nil {
		r.body = map[string]any{"raw": string(raw)}
	}
	return r
}

func TestSignature(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*call)
		code   string // "" for accepted
	}{
		{name: "right", change: func(*call) {}},
		{name: "right, five minutes late", change: func(c *call) { c.at = noon.Add(-5 * time.Minute) }},
		{
			name:   "right, with a header more",
			change: func(c *call) { c.sign = func(r *http.Request) { r.Header.Set("X-Amz-User-Agent", "test") } },
		},
		{
			name:   "without",
			change: func(c *call) { c.after = func(r *http.Request) { r.Header.Del("Authorization") } },
			code:   "MissingAuthenticationTokenException",
		},
		{
			name: "other algorithm",
			change: func(c *call) {
				c.after = func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }
			},
			code: "IncompleteSignatureException",
		},
		{
			name: "no signature",
			change: func(c *call) {
				c.after = func(r *http.Request) {
					r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request")
				}
			},
			code: "IncompleteSignatureException",
		},
		{
			name:   "no date",
			change: func(c *call) { c.after = func(r *http.Request) { r.Header.Del("X-Amz-Date") } },
			code:   "IncompleteSignatureException",
		},
		{
			name:   "other access key",
			change: func(c *call) { c.credentials.AccessKeyID = "AKIAOTHER" },
			code:   "UnrecognizedClientException",
		},
		{
			name:   "other secret key",
			change: func(c *call) { c.credentials.SecretAccessKey = "not-a-real-key-other" },
			code:   "InvalidSignatureException",
		},
		{
			name:   "other session token",
			change: func(c *call) { c.credentials.SessionToken = "not-a-real-token-other" },
			code:   "UnrecognizedClientException",
		},
		{
			name:   "no session token",
			change: func(c *call) { c.credentials.SessionToken = "" },
			code:   "UnrecognizedClientException",
		},
		{
			name:   "too old",
			change: func(c *call) { c.at = noon.Add(-5*time.Minute - time.Second) },
			code:   "InvalidSignatureException",
		},
		{
			name:   "too new",
			change: func(c *call) { c.at = noon.Add(5*time.Minute + time.Second) },
			code:   "InvalidSignatureException",
		},
		{
			name: "other day in the scope",
			change: func(c *call) {
				c.after = func(r *http.Request) {
					r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/20261123/", "/20261122/", 1))
				}
			},
			code: "InvalidSignatureException",
		},
		{name: "other region", change: func(c *call) { c.region = "us-east-1" }, code: "InvalidSignatureException"},
		{name: "other service", change: func(c *call) { c.service = "sqs" }, code: "InvalidSignatureException"},
		{
			name: "body changed",
			change: func(c *call) {
				c.after = func(r *http.Request) {
					r.Body = io.NopCloser(strings.NewReader(`{"SecretId":"xpp"}`))
				}
			},
			code: "InvalidSignatureException",
		},
		{
			name: "header changed",
			change: func(c *call) {
				c.sign = func(r *http.Request) { r.Header.Set("X-Amz-User-Agent", "test") }
				c.after = func(r *http.Request) { r.Header.Set("X-Amz-User-Agent", "other") }
			},
			code: "InvalidSignatureException",
		},
		{
			name:   "query changed",
			change: func(c *call) { c.after = func(r *http.Request) { r.URL.RawQuery = "a=b" } },
			code:   "InvalidSignatureException",
		},
		{
			name: "header of AWS not signed",
			change: func(c *call) {
				c.after = func(r *http.Request) { r.Header.Set("X-Amz-User-Agent", "test") }
			},
			code: "InvalidSignatureException",
		},
		{
			name: "host not signed",
			change: func(c *call) {
				c.after = func(r *http.Request) {
					r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";host;", ";", 1))
				}
			},
			code: "InvalidSignatureException",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.SetSecret("app", "not-a-real-key-value")
			c := getSecretValue(server, `{"SecretId":"app"}`)
			test.change(&c)
			got := c.send(t, server)
			status := http.StatusOK
			if test.code != "" {
				status = http.StatusForbidden
			}
			if got.status != status {
				t.Errorf("status %d, want %d", got.status, status)
			}
			if got.code() != test.code {
				t.Errorf("answer %v, want %q", got.body, test.code)
			}
			if test.code != "" && got.body["SecretString"] != nil {
				t.Error("a refused request was answered with the secret")
			}
		})
	}
}

// AWS repeats the session token in this message, so the message must not be logged as it is.
func TestMismatchRepeatsTheCanonicalRequest(t *testing.T) {
	t.Parallel()
	server := start(t)
	c := getSecretValue(server, `{}`)
	c.credentials.SecretAccessKey = "not-a-real-key-other"
	message, _ := c.send(t, server).body["message"].(string)
	if !strings.Contains(message, "\nx-amz-security-token:"+c.credentials.SessionToken+"\n") {
		t.Errorf("message = %q", message)
	}
}

func TestSetCredentials(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "value")
	old := getSecretValue(server, `{"SecretId":"app"}`)
	server.SetCredentials(awsapi.Credentials{AccessKeyID: "AKIAEXAMPLE2", SecretAccessKey: "not-a-real-key-2"})
	if got := old.send(t, server); got.status != 403 {
		t.Errorf("with the old credentials: %d %v", got.status, got.body)
	}
	if got := getSecretValue(server, `{"SecretId":"app"}`).send(t, server); got.status != 200 {
		t.Errorf("with the new credentials: %d %v", got.status, got.body)
	}
}

func TestRequestsThatAreNoCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*call)
		code   string
	}{
		{
			name:   "unknown target",
			change: func(c *call) { c.target = "secretsmanager.DeleteSecret" },
			code:   "UnknownOperationException",
		},
		{name: "no target", change: func(c *call) { c.target = "" }, code: "UnknownOperationException"},
		{name: "GET", change: func(c *call) { c.method = http.MethodGet }, code: "UnknownOperationException"},
		{name: "content type", change: func(c *call) { c.contentType = "application/json" }, code: "SerializationException"},
		{name: "not JSON", change: func(c *call) { c.body = "SecretId=app" }, code: "SerializationException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			c := getSecretValue(server, `{"SecretId":"app"}`)
			test.change(&c)
			if got := c.send(t, server); got.status != 400 || got.code() != test.code {
				t.Errorf("answer %d %v, want %s", got.status, got.body, test.code)
			}
		})
	}
}

func TestTooLargeARequestIsCutOff(t *testing.T) {
	t.Parallel()
	server := start(t)
	response, err := http.Post(server.URL, "application/x-amz-json-1.1", bytes.NewReader(make([]byte, 3<<20)))
	if err == nil {
		response.Body.Close()
		t.Errorf("answered with %s", response.Status)
	}
	if server.Calls("") != 0 {
		t.Error("it was counted as a request")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "value")
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			server.SetSecret("other", "value")
			server.Misbehave(awsapi.Fault{Action: "PutEvents"})
			getSecretValue(server, `{"SecretId":"app"}`).send(t, server)
			server.Messages()
			server.Events()
		})
	}
	clients.Wait()
	if got := server.Calls("GetSecretValue"); got != 8 {
		t.Errorf("%d calls, want 8", got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "value")
	server.Misbehave(awsapi.Fault{Action: "SendMessage", Status: 500})
	server.Misbehave(awsapi.Fault{Action: "GetSecretValue", Skip: 1, Times: 2, Code: "ThrottlingException", Message: "Rate exceeded"})
	server.Misbehave(awsapi.Fault{Status: 503})
	server.Misbehave(awsapi.Fault{Body: []byte(`"no object"`)})
	server.Misbehave(awsapi.Fault{Code: "InternalServiceError", Status: 500})
	server.Misbehave(awsapi.Fault{Latency: time.Nanosecond})
	server.Misbehave(awsapi.Fault{Times: -1, Status: 502})
	c := getSecretValue(server, `{"SecretId":"app"}`)
	for i, want := range []struct {
		status int
		code   string
	}{
		{status: 200}, {status: 400, code: "ThrottlingException"}, {status: 400, code: "ThrottlingException"}, {status: 503}, {status: 200}, {
			status: 500,
			code:   "InternalServiceError",
		}, {
			status: 200,
		}, {
			status: 502,
		}, {
			status: 502,
		},
	} {
		if got := c.send(t, server); got.status != want.status || got.code() != want.code {
			t.Errorf("request %d: %d %v, want %d %s", i, got.status, got.body, want.status, want.code)
		}
	}
	server.Heal()
	if got := c.send(t, server); got.status != 200 {
		t.Errorf("healed: %d %v", got.status, got.body)
	}
	if got := server.Calls("GetSecretValue"); got != 10 || server.Calls("") != 10 || server.Calls("SendMessage") != 0 {
		t.Errorf("%d calls counted, want 10", got)
	}
}
