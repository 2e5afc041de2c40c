package tencentssm_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
)

const notJSON = "the answer is not the documented JSON, or was cut off"

// failures are the ways to fail that a server can show, and what the error says then.
var failures = []struct {
	name    string
	fault   tencentapi.Fault
	changes map[string]string
	want    []string
}{
	{"missing", tencentapi.Fault{Code: "ResourceNotFound", Message: "The secret does not exist."}, nil,
		[]string{"ResourceNotFound: The secret does not exist. (request id 00000000-", "needs its real version, like version=v1"}},
	{"disabled", tencentapi.Fault{Code: "ResourceUnavailable.ResourceDisabled"}, nil, []string{"ResourceUnavailable.ResourceDisabled", "disabled or marked for deletion"}},
	{"forbidden", tencentapi.Fault{Code: "UnauthorizedOperation"}, nil, []string{"UnauthorizedOperation", "needs ssm:GetSecretValue"}},
	{"forbidden by CAM", tencentapi.Fault{Code: "AuthFailure.UnauthorizedOperation"}, nil, []string{"needs ssm:GetSecretValue"}},
	{"clock", tencentapi.Fault{Code: "AuthFailure.SignatureExpire"}, nil, []string{"the clock is more than five minutes wrong"}},
	{"KMS", tencentapi.Fault{Code: "FailedOperation.AccessKmsError"}, nil, []string{"FailedOperation.AccessKmsError", "KMS key"}},
	{"throttled", tencentapi.Fault{Code: "RequestLimitExceeded"}, nil, []string{"RequestLimitExceeded", "GIFTSTATS_SECRET_TTL"}},
	{"unknown code", tencentapi.Fault{Code: "InternalError", Message: strings.Repeat("é", 500) + "\nmore"}, nil, []string{"InternalError: " + strings.Repeat("é", 150) + "… ("}},
	{"a message with credentials", tencentapi.Fault{Code: "InternalError", Message: "token " + token + " and key " + secretKey}, nil, []string{"token [redacted] and key [redacted]"}},
	{"a proxy's page", tencentapi.Fault{Status: 502, Body: []byte("<html>" + value + token)}, nil, []string{"HTTP status 502, which the API never has"}},
	{"a status with JSON", tencentapi.Fault{Status: 403, Body: []byte(`{"message":"` + value + token + `"}`)}, nil, []string{"HTTP status 403"}},
	{"no JSON", tencentapi.Fault{Body: []byte(value)}, nil, []string{notJSON}},
	{"cut off", tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":"` + value)}, nil, []string{notJSON}},
	{"other type", tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":["` + value + `"]}}`)}, nil, []string{notJSON}},
	{"too large", tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":"` + strings.Repeat(value, 10000) + `"}}`)}, nil, []string{notJSON}},
	{"no base64", tencentapi.Fault{Body: []byte(`{"Response":{"SecretBinary":"` + value + `!"}}`)}, nil, []string{"its binary value is no base64"}},
	{"empty", tencentapi.Fault{Body: []byte(`{"Response":{}}`)}, nil, []string{"it is empty"}},
	{"refused signature", tencentapi.Fault{Latency: 1}, map[string]string{"TENCENTCLOUD_SECRETKEY": "not-a-real-key-other"},
		[]string{"AuthFailure.SignatureFailure", "the credentials of the environment are not valid"}},
	{"unknown credentials", tencentapi.Fault{Latency: 1}, map[string]string{"TENCENTCLOUD_SECRETID": "AKIDOTHER"},
		[]string{"AuthFailure.SecretIdNotFound", "ssm.intl.tencentcloudapi.com"}},
	{"old token", tencentapi.Fault{Latency: 1}, map[string]string{"TENCENTCLOUD_SESSIONTOKEN": "not-a-real-token-other"}, []string{"AuthFailure.TokenFailure"}},
	{"no credentials", tencentapi.Fault{Latency: 1}, map[string]string{"TENCENTCLOUD_SECRETID": ""},
		[]string{"no Tencent Cloud credentials: TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY are not both set; give the function an execution role"}},
	{"no region", tencentapi.Fault{Latency: 1}, map[string]string{"TENCENTCLOUD_REGION": ""}, []string{"no region is known: add region=…"}},
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range failures {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.Misbehave(test.fault)
			store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: lookup(server, test.changes)})
			_, err := store.Fetch(t.Context())
			wantError(t, err, append(test.want, "app (version v1)", "Tencent's Secrets Manager")...)
		})
	}
}

// The SDK must not write anything by itself. This test is not parallel, because it puts something in place of os.Stderr.
func TestNothingIsLogged(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var standard bytes.Buffer
	log.SetOutput(&standard)
	defer log.SetOutput(os.Stderr)
	defer func(before *os.File) { os.Stderr = before }(os.Stderr)
	os.Stderr = file
	for _, test := range failures {
		server := start(t)
		server.Misbehave(test.fault)
		store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: lookup(server, test.changes)})
		store.Fetch(t.Context()) // fails
		if test.changes == nil {
			store.Fetch(t.Context()) // succeeds
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if written, err := io.ReadAll(file); err != nil || len(written) > 0 || standard.Len() > 0 {
		t.Errorf("written: %s %s %v", written, standard.String(), err)
	}
}

func TestNoVariables(t *testing.T) {
	t.Parallel()
	_, err := newStore(t, tencentssm.Options{SecretName: "app"}).Fetch(t.Context())
	wantError(t, err, "app (version SSM_Current)", "no Tencent Cloud credentials")
}

func TestContext(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(tencentapi.Fault{Times: -1, Latency: time.Hour})
	store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup})
	hurried, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := store.Fetch(hurried)
	wantError(t, err, "no answer in time", "a function in a VPC needs")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v is no DeadlineExceeded", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = store.Fetch(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v is no Canceled", err)
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	server := start(t)
	store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: gone.URL, Lookup: server.Lookup})
	_, err := store.Fetch(t.Context())
	wantError(t, err, "no connection", "refused", "app (version v1)")
}

// A redirect is not followed: the headers hold the token.
func TestNoRedirects(t *testing.T) {
	t.Parallel()
	server := start(t)
	front := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusTemporaryRedirect))
	t.Cleanup(front.Close)
	store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: front.URL, Lookup: server.Lookup})
	_, err := store.Fetch(t.Context())
	wantError(t, err, "HTTP status 307")
	if server.Calls("") != 0 {
		t.Error("the redirect was followed")
	}
}

// Odd headers make the SDK take other ways through its code.
func TestAnswersThatTheSDKReadsInAnotherWay(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	io.WriteString(writer, `{"Response":{"SecretString":"`+value+`"}}`)
	writer.Close()
	for _, test := range []struct {
		name, header, value string
		body                []byte
		want                string // of the error; "" for the secret
	}{
		{"compressed", "Content-Encoding", "gzip", zipped.Bytes(), ""},
		{"other compression", "Content-Encoding", "br", zipped.Bytes(), notJSON},
		{"stream of events", "Content-Type", "text/event-stream", []byte("data: " + value + "\n\n"), notJSON},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(test.header, test.value)
				w.Write(test.body)
			}))
			t.Cleanup(server.Close)
			store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: start(t).Lookup})
			got, err := store.Fetch(t.Context())
			if test.want == "" {
				if err != nil || string(got) != value {
					t.Errorf("Fetch = %q, %v", got, err)
				}
				return
			}
			wantError(t, err, test.want)
		})
	}
}
