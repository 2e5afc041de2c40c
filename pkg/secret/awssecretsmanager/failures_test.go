package awssecretsmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
)

// failures are the failures of a server, with the parts of the error for each.
var failures = []struct {
	name    string
	fault   awsapi.Fault
	changes map[string]string
	want    []string
}{
	{
		name:  "missing",
		fault: awsapi.Fault{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret."},
		want: []string{
			"ResourceNotFoundException: Secrets Manager can't find", "HTTP status 400, request id 00000000-",
			"check the name, the version stage, the region",
		},
	},
	{
		name:  "forbidden",
		fault: awsapi.Fault{Code: "AccessDeniedException", Message: "User: arn:aws:sts::1:r is not authorized"},
		want:  []string{"AccessDeniedException: User: arn", "needs secretsmanager:GetSecretValue"},
	},
	{name: "key", fault: awsapi.Fault{Code: "DecryptionFailure"}, want: []string{"DecryptionFailure", "kms:Decrypt"}},
	{
		name: "deleted",
		fault: awsapi.Fault{
			Code: "InvalidRequestException", Message: "You can't perform this operation on the secret because it was marked for deletion.",
		},
		want: []string{"InvalidRequestException", "may be marked for deletion"},
	},
	{
		name:  "expired",
		fault: awsapi.Fault{Code: "ExpiredTokenException", Status: 403},
		want:  []string{"ExpiredTokenException", "HTTP status 403", "have expired"},
	},
	{
		name:  "throttled",
		fault: awsapi.Fault{Code: "ThrottlingException", Message: "Rate exceeded"},
		want:  []string{"ThrottlingException: Rate exceeded", "GIFTSTATS_SECRET_TTL"},
	},
	{
		name:  "unknown code",
		fault: awsapi.Fault{Code: "SomethingNew", Message: strings.Repeat("é", 500)},
		want:  []string{"SomethingNew: " + strings.Repeat("é", 150) + "… ("},
	},
	{name: "no code", fault: awsapi.Fault{Status: 503}, want: []string{"HTTP status 503"}},
	{
		name:  "a proxy's page",
		fault: awsapi.Fault{Status: 502, Body: []byte("<html>" + secrettest.Value + secrettest.CloudToken)},
		want:  []string{"HTTP status 502 with a response that is not the documented JSON"},
	},
	{
		name:  "not JSON",
		fault: awsapi.Fault{Body: []byte(secrettest.Value)},
		want:  []string{"HTTP status 200 with a response that is not the documented JSON"},
	},
	{
		name:  "cut off",
		fault: awsapi.Fault{Body: []byte(`{"SecretString":"` + secrettest.Value)},
		want:  []string{"HTTP status 200 with a response that is not the documented JSON"},
	},
	{
		name:  "other type",
		fault: awsapi.Fault{Body: []byte(`{"SecretString":{"` + secrettest.Value + `":1}}`)},
		want:  []string{"HTTP status 200 with a response that is not the documented JSON"},
	},
	{
		name:  "bad base64",
		fault: awsapi.Fault{Body: []byte(`{"SecretBinary":"` + secrettest.Value + `!"}`)},
		want:  []string{"HTTP status 200 with a response that is not the documented JSON"},
	},
	{
		name:  "empty",
		fault: awsapi.Fault{Body: []byte(`{"SecretString":""}`)},
		want:  []string{"the secret app (AWSCURRENT) in AWS Secrets Manager is empty"},
	},
	{
		name:  "a message with credentials",
		fault: awsapi.Fault{Code: "SomethingNew", Message: "token " + secrettest.CloudToken + " and key " + secrettest.CloudKey},
		want:  []string{"token [redacted] and key [redacted]"},
	},
	{
		name:    "refused signature",
		fault:   awsapi.Fault{Latency: 1},
		changes: map[string]string{"AWS_SECRET_ACCESS_KEY": "not-a-real-key-other"},
		want:    []string{"InvalidSignatureException: The request signature we calculated", "the credentials of the environment are not valid"},
	},
	{
		name:    "unknown credentials",
		fault:   awsapi.Fault{Latency: 1},
		changes: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAOTHER"},
		want:    []string{"UnrecognizedClientException", "not valid"},
	},
	{
		name:    "no credentials",
		fault:   awsapi.Fault{Latency: 1},
		changes: map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
		want:    []string{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set (Lambda sets them"},
	},
	{
		name:    "impossible endpoint",
		fault:   awsapi.Fault{Latency: 1},
		changes: map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"},
		want:    []string{"FIPS and custom endpoint are not supported"},
	},
	{
		name:    "impossible region",
		fault:   awsapi.Fault{Latency: 1},
		changes: map[string]string{"AWS_REGION": "a/b", "AWS_ENDPOINT_URL": ""},
		want:    []string{"invalid input region"},
	},
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range failures {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.Misbehave(test.fault)
			_, err := newStore(t, awssecretsmanager.Config{SecretID: "app", Environment: environment(server, test.changes)}).Fetch(t.Context())
			secrettest.WantError(t, err, append(test.want, "app (AWSCURRENT)", "AWS Secrets Manager")...)
		})
	}
}

// The SDK must not log by itself. This test is not parallel, because it replaces os.Stderr.
func TestNothingIsLogged(t *testing.T) {
	secrettest.WantNothingWritten(t, func() {
		for _, test := range failures {
			server := start(t)
			server.Misbehave(test.fault)
			store := newStore(t, awssecretsmanager.Config{SecretID: "app", Environment: environment(server, test.changes)})
			store.Fetch(t.Context()) // fails
			if test.changes == nil {
				store.Fetch(t.Context()) // succeeds
			}
		}
	})
}

func TestFetchEndsWithTheContext(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(awsapi.Fault{Times: -1, Latency: time.Hour})
	store := newStore(t, awssecretsmanager.Config{SecretID: "app", Environment: environment(server, nil)})
	secrettest.CheckContext(t, store)
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, awssecretsmanager.Config{SecretID: "app", Endpoint: secrettest.ClosedURL(), Environment: environment(server, nil)})
	_, err := store.Fetch(t.Context())
	secrettest.WantError(t, err, "no connection", "refused", "app (AWSCURRENT)")
}
