package awssecretsmanager_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
)

var _ secret.Store = (*awssecretsmanager.Store)(nil)

const (
	value     = "not-a-real-key-value-of-the-secret"
	secretKey = "not-a-real-key-of-aws"
	token     = "not-a-real-token-of-aws"
)

func start(t *testing.T) *awsapi.Server {
	t.Helper()
	server := awsapi.New(awsapi.Config{Credentials: awsapi.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: secretKey, SessionToken: token}})
	t.Cleanup(server.Close)
	server.SetSecret("app", value)
	return server
}

// environment is that of a client of the server, with changes. It makes one attempt, so that failures need no waiting.
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

func newStore(t *testing.T, options awssecretsmanager.Options) *awssecretsmanager.Store {
	t.Helper()
	store, err := awssecretsmanager.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// wantError checks the text of an error, and that it gives nothing away.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	for _, hidden := range []string{value, value[:20], secretKey, token} {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, hidden) {
			t.Errorf("error %q repeats %q", text, hidden)
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"
	region := map[string]string{"AWS_REGION": "eu-west-1"}
	for _, test := range []struct {
		name               string
		secretID, endpoint string
		environment        map[string]string
		want               string // part of the error; "" for none
	}{
		{"name", "app", "", region, ""},
		{"name, no region", "app", "", nil, "no region is known: set AWS_REGION, or give the secret's ARN"},
		{"ARN, no region", arn, "", nil, ""},
		{"ARN of China", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a/b-AbCdEf", "", nil, ""},
		{"nothing", "", "", region, "the secret's name or ARN is missing"},
		{"ARN of something else", "arn:aws:sqs:eu-west-1:123456789012:queue", "", region, "the ARN is not like arn:aws:secretsmanager:"},
		{"ARN without region", "arn:aws:secretsmanager::123456789012:secret:app", "", region, "the ARN is not like"},
		{"ARN of no secret", "arn:aws:secretsmanager:eu-west-1:123456789012:app", "", region, "the ARN is not like"},
		{"half an ARN", "arn:aws:secretsmanager", "", region, "the ARN is not like"},
		{"endpoint", "app", "https://vpce-1.secretsmanager.eu-west-1.vpce.amazonaws.com", region, ""},
		{"open endpoint", "app", "http://secretsmanager.example", region, "the endpoint must start with https://"},
		{"open endpoint in a variable", "app", "", map[string]string{"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://a.example"}, "AWS_ENDPOINT_URL must start with https://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := awssecretsmanager.New(awssecretsmanager.Options{
				SecretID: test.secretID, Endpoint: test.endpoint, Environment: awsenv.New(func(name string) string { return test.environment[name] }),
			})
			if test.want == "" {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			wantError(t, err, "AWS Secrets Manager", test.want)
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
		options awssecretsmanager.Options
		changes map[string]string
		want    string
	}{
		{"name", awssecretsmanager.Options{SecretID: "app"}, nil, value},
		{"ARN", awssecretsmanager.Options{SecretID: arn}, nil, value},
		{"ARN and no region", awssecretsmanager.Options{SecretID: arn}, map[string]string{"AWS_REGION": ""}, value},
		{"ARN of another region", awssecretsmanager.Options{SecretID: arn}, map[string]string{"AWS_REGION": "us-east-1"}, value},
		{"previous version", awssecretsmanager.Options{SecretID: "rotated", VersionStage: "AWSPREVIOUS"}, nil, "old"},
		{"current version", awssecretsmanager.Options{SecretID: "rotated", VersionStage: "AWSCURRENT"}, nil, "new"},
		{"binary", awssecretsmanager.Options{SecretID: "bytes"}, nil, "\x00\x01\x02"},
		{"endpoint of the options", awssecretsmanager.Options{SecretID: "app", Endpoint: server.URL}, map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, value},
		{"endpoint of the service", awssecretsmanager.Options{SecretID: "app"}, map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL}, value},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.options.Environment = environment(server, test.changes)
			got, err := newStore(t, test.options).Fetch(t.Context())
			if err != nil || string(got) != test.want {
				t.Errorf("Fetch = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestFetchIsOneCall(t *testing.T) {
	t.Parallel()
	server := start(t)
	if _, err := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, nil)}).Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.Calls("") != 1 || server.Calls("GetSecretValue") != 1 {
		t.Errorf("%d calls, want 1", server.Calls(""))
	}
}

func TestFetchTriesAgain(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(awsapi.Fault{Status: 500, Code: "InternalServiceError"})
	store := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, map[string]string{"AWS_MAX_ATTEMPTS": "2"})})
	if got, err := store.Fetch(t.Context()); err != nil || string(got) != value || server.Calls("") != 2 {
		t.Errorf("Fetch = %q, %v after %d calls", got, err, server.Calls(""))
	}
}

func TestFetchUsesNewCredentials(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, nil)})
	for i := range 3 {
		server.SetCredentials(awsapi.Credentials{AccessKeyID: fmt.Sprintf("AKIAEXAMPLE%d", i), SecretAccessKey: fmt.Sprintf("not-a-real-key-%d", i)})
		if _, err := store.Fetch(t.Context()); err != nil {
			t.Errorf("credentials %d: %v", i, err)
		}
	}
}

func TestFetchFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, awssecretsmanager.Options{SecretID: "app", Environment: environment(server, nil)})
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if got, err := store.Fetch(t.Context()); err != nil || string(got) != value {
				t.Errorf("Fetch = %q, %v", got, err)
			}
		})
	}
	readers.Wait()
}

func Example() {
	server := awsapi.New(awsapi.Config{})
	defer server.Close()
	server.SetSecret("giftstats", "not-a-real-key")
	store, err := awssecretsmanager.New(awssecretsmanager.Options{
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
