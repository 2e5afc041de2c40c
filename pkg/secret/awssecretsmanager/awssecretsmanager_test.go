package awssecretsmanager_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
)

var _ secret.Store = (*awssecretsmanager.Store)(nil)

func start(t *testing.T) *awsapi.Server {
	t.Helper()
	server := awsapi.New(awsapi.Config{Credentials: awsapi.Credentials{
		AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: secrettest.CloudKey, SessionToken: secrettest.CloudToken,
	}})
	t.Cleanup(server.Close)
	server.SetSecret("app", secrettest.Value)
	return server
}

// environment returns the environment of a client of the server, with changes. The client makes one attempt, to keep the tests short.
func environment(server *awsapi.Server, changes map[string]string) awsenv.Environment {
	return awsenv.New(func(name string) string {
		if changed, ok := changes[name]; ok {
			return changed
		}
		if name == "AWS_MAX_ATTEMPTS" {
			return "1"
		}
		return server.Lookup(name)
	})
}

func newStore(t *testing.T, config awssecretsmanager.Config) *awssecretsmanager.Store {
	t.Helper()
	store, err := awssecretsmanager.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestNew(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"
	region := map[string]string{"AWS_REGION": "eu-west-1"}
	for _, test := range []struct {
		name               string
		secretID, endpoint string
		environment        map[string]string
		want               string // part a part of the error; "": no error
	}{
		{name: "name", secretID: "app", environment: region},
		{name: "name, no region", secretID: "app", want: "the region is unknown: set AWS_REGION, or use the secret's ARN"},
		{name: "ARN, no region", secretID: arn},
		{name: "ARN of China", secretID: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a/b-AbCdEf"},
		{name: "nothing", environment: region, want: "the secret's name or ARN is required"},
		{
			name:        "ARN of something else",
			secretID:    "arn:aws:sqs:eu-west-1:123456789012:queue",
			environment: region,
			want:        "the ARN must be like arn:aws:secretsmanager:",
		},
		{
			name:        "ARN without region",
			secretID:    "arn:aws:secretsmanager::123456789012:secret:app",
			environment: region,
			want:        "the ARN must be like",
		},
		{
			name:        "ARN of no secret",
			secretID:    "arn:aws:secretsmanager:eu-west-1:123456789012:app",
			environment: region,
			want:        "the ARN must be like",
		},
		{name: "half an ARN", secretID: "arn:aws:secretsmanager", environment: region, want: "the ARN must be like"},
		{
			name:        "endpoint",
			secretID:    "app",
			endpoint:    "https://vpce-1.secretsmanager.eu-west-1.vpce.amazonaws.com",
			environment: region,
		},
		{
			name:        "open endpoint",
			secretID:    "app",
			endpoint:    "http://secretsmanager.example",
			environment: region,
			want:        "the endpoint must start with https://",
		},
		{
			name:        "open endpoint in a variable",
			secretID:    "app",
			environment: map[string]string{"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://a.example"},
			want:        "AWS_ENDPOINT_URL must start with https://",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := awssecretsmanager.New(awssecretsmanager.Config{
				SecretID: test.secretID, Endpoint: test.endpoint, Environment: awsenv.New(func(name string) string { return test.environment[name] }),
			})
			if test.want == "" {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			secrettest.WantError(t, err, "AWS Secrets Manager", test.want)
		})
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("rotated", "old")
	server.SetSecret("rotated", "new")
	server.SetSecretBinary("bytes", []byte{0, 1, 2})
	arn := server.SecretARN("app")
	for _, test := range []struct {
		name    string
		config  awssecretsmanager.Config
		changes map[string]string
		want    string
	}{
		{name: "name", config: awssecretsmanager.Config{SecretID: "app"}, want: secrettest.Value},
		{name: "ARN", config: awssecretsmanager.Config{SecretID: arn}, want: secrettest.Value},
		{
			name:    "ARN and no region",
			config:  awssecretsmanager.Config{SecretID: arn},
			changes: map[string]string{"AWS_REGION": ""},
			want:    secrettest.Value,
		},
		{
			name:    "ARN of another region",
			config:  awssecretsmanager.Config{SecretID: arn},
			changes: map[string]string{"AWS_REGION": "us-east-1"},
			want:    secrettest.Value,
		},
		{
			name:   "previous version",
			config: awssecretsmanager.Config{SecretID: "rotated", VersionStage: "AWSPREVIOUS"},
			want:   "old",
		},
		{name: "current version", config: awssecretsmanager.Config{SecretID: "rotated", VersionStage: "AWSCURRENT"}, want: "new"},
		{name: "binary", config: awssecretsmanager.Config{SecretID: "bytes"}, want: "\x00\x01\x02"},
		{
			name:    "endpoint of the config",
			config:  awssecretsmanager.Config{SecretID: "app", Endpoint: server.URL},
			changes: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
			want:    secrettest.Value,
		},
		{
			name:    "endpoint of the service",
			config:  awssecretsmanager.Config{SecretID: "app"},
			changes: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL},
			want:    secrettest.Value,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.config.Environment = environment(server, test.changes)
			got, err := newStore(t, test.config).Fetch(t.Context())
			if err != nil || string(got) != test.want {
				t.Errorf("Fetch = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestFetchFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, awssecretsmanager.Config{SecretID: "app", Environment: environment(server, nil)})
	secrettest.CheckFetch(t, store, func() int { return server.Calls("GetSecretValue") })
	if got := server.Calls(""); got != 9 {
		t.Errorf("%d calls, want only 9 of GetSecretValue", got)
	}
}

func TestFetchRetries(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(awsapi.Fault{Status: 500, Code: "InternalServiceError"})
	twice := environment(server, map[string]string{"AWS_MAX_ATTEMPTS": "2"})
	store := newStore(t, awssecretsmanager.Config{SecretID: "app", Environment: twice})
	if got, err := store.Fetch(t.Context()); err != nil || string(got) != secrettest.Value {
		t.Errorf("Fetch = %q, %v", got, err)
	}
	if got := server.Calls(""); got != 2 {
		t.Errorf("%d calls, want 2", got)
	}
}

func TestFetchUsesNewCredentials(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, awssecretsmanager.Config{SecretID: "app", Environment: environment(server, nil)})
	for i := range 3 {
		server.SetCredentials(awsapi.Credentials{
			AccessKeyID: fmt.Sprintf("AKIAEXAMPLE%d", i), SecretAccessKey: fmt.Sprintf("not-a-real-key-%d", i),
		})
		if _, err := store.Fetch(t.Context()); err != nil {
			t.Errorf("credentials %d: %v", i, err)
		}
	}
}

func Example() {
	server := awsapi.New(awsapi.Config{})
	defer server.Close()
	server.SetSecret("giftstats", "not-a-real-key")
	store, err := awssecretsmanager.New(awssecretsmanager.Config{
		SecretID:    "giftstats",
		Environment: awsenv.New(server.Lookup), // os.Getenv in a function
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := store.Fetch(context.Background())
	fmt.Println(string(raw), err)
	// Output: not-a-real-key <nil>
}
