package awssecretsmanager_test

import (
	"bytes"
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

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
)

// failures are the ways to fail that a server can show, and what the error says then.
var failures = []struct {
	name    string
	fault   awsapi.Fault
	changes map[string]string
	want    []string
}{
	{"missing", awsapi.Fault{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret."}, nil,
		[]string{"ResourceNotFoundException: Secrets Manager can't find", "HTTP status 400, request id 00000000-", "check the name, the version stage, the region"}},
	{"forbidden", awsapi.Fault{Code: "AccessDeniedException", Message: "User: arn:aws:sts::1:r is not authorized"}, nil,
		[]string{"AccessDeniedException: User: arn", "needs secretsmanager:GetSecretValue"}},
	{"key", awsapi.Fault{Code: "DecryptionFailure"}, nil, []string{"DecryptionFailure", "kms:Decrypt"}},
	{"deleted", awsapi.Fault{Code: "InvalidRequestException", Message: "You can't perform this operation on the secret because it was marked for deletion."}, nil,
		[]string{"InvalidRequestException", "may be marked for deletion"}},
	{"expired", awsapi.Fault{Code: "ExpiredTokenException", Status: 403}, nil, []string{"ExpiredTokenException", "HTTP status 403", "have expired"}},
	{"throttled", awsapi.Fault{Code: "ThrottlingException", Message: "Rate exceeded"}, nil, []string{"ThrottlingException: Rate exceeded", "GIFTSTATS_SECRET_TTL"}},
	{"unknown code", awsapi.Fault{Code: "SomethingNew", Message: strings.Repeat("é", 500)}, nil, []string{"SomethingNew: " + strings.Repeat("é", 150) + "… ("}},
	{"no code", awsapi.Fault{Status: 503}, nil, []string{"HTTP status 503"}},
	{"a proxy's page", awsapi.Fault{Status: 502, Body: []byte("<html>" + value + token)}, nil, []string{"HTTP status 502 with an answer that is not the documented JSON"}},
	{"no JSON", awsapi.Fault{Body: []byte(value)}, nil, []string{"HTTP status 200 with an answer that is not the documented JSON"}},
	{"cut off", awsapi.Fault{Body: []byte(`{"SecretString":"` + value)}, nil, []string{"HTTP status 200 with an answer that is not the documented JSON"}},
	{"other type", awsapi.Fault{Body: []byte(`{"SecretString":{"` + value + `":1}}`)}, nil, []string{"HTTP status 200 with an answer that is not the documented JSON"}},
	{"bad base64", awsapi.Fault{Body: []byte(`{"SecretBinary":"` + value + `!"}`)}, nil, []string{"HTTP status 200 with an answer that is not the documented JSON"}},
	{"empty", awsapi.Fault{Body: []byte(`{"SecretString":""}`)}, nil, []string{"the secret app (AWSCURRENT) in AWS Secrets Manager is empty"}},
	{"a message with credentials", awsapi.Fault{Code: "SomethingNew", Message: "token " + token + " and key " + secretKey}, nil, []string{"token [redacted] and key [redacted]"}},
	{"refused signature", awsapi.Fault{Latency: 1}, map[string]string{"AWS_SECRET_ACCESS_KEY": "not-a-real-key-other"},
		[]string{"InvalidSignatureException: The request signature we calculated", "the credentials of the environment are not valid"}},
	{"unknown credentials", awsapi.Fault{Latency: 1}, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAOTHER"}, []string{"UnrecognizedClientException", "not valid"}},
	{"no credentials", awsapi.Fault{Latency: 1}, map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
		[]string{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set (Lambda sets them"}},
	{"impossible endpoint", awsapi.Fault{Latency: 1}, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, []string{"FIPS and custom endpoint are not supported"}},
	{"impossible region", awsapi.Fault{Latency: 1}, map[string]string{"AWS_REGION": "a/b", "AWS_ENDPOINT_URL": ""}, []string{"invalid input region"}},
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range failures {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.Misbehave(test.fault)
			_, err := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, test.changes)}).Fetch(t.Context())
			wantError(t, err, append(test.want, "app (AWSCURRENT)", "AWS Secrets Manager")...)
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
		store := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, test.changes)})
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

func TestContext(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(awsapi.Fault{Times: -1, Latency: time.Hour})
	store := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, nil)})
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
	store := newStore(t, awssecretsmanager.Options{SecretID: "app", Endpoint: gone.URL, Environment: environment(server, nil)})
	_, err := store.Fetch(t.Context())
	wantError(t, err, "no connection", "refused", "app (AWSCURRENT)")
}
