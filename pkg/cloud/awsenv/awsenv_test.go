package awsenv_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
)

// of reads NAME=value texts.
func of(variables ...string) awsenv.Environment {
	return awsenv.New(func(name string) string {
		for _, variable := range variables {
			if value, ok := strings.CutPrefix(variable, name+"="); ok {
				return value
			}
		}
		return ""
	})
}

func TestRegion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		variables []string
		want      string
	}{
		{name: "nothing set"},
		{name: "region", variables: []string{"AWS_REGION=eu-west-1"}, want: "eu-west-1"},
		{name: "default region", variables: []string{"AWS_DEFAULT_REGION=us-east-1"}, want: "us-east-1"},
		{name: "both", variables: []string{"AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=eu-west-1"}, want: "eu-west-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config, err := of(test.variables...).Config("SQS", "")
			if got := of(test.variables...).Region(); got != test.want || config.Region != test.want || err != nil {
				t.Errorf("Region() = %q, Config().Region = %q, %v, want %q", got, config.Region, err, test.want)
			}
		})
	}
}

func TestZeroEnvironmentHasNoVariables(t *testing.T) {
	t.Parallel()
	var environment awsenv.Environment
	if got := environment.Region(); got != "" {
		t.Errorf("Region() = %q", got)
	}
	var missing *awsenv.MissingError
	if _, err := environment.Credentials().Retrieve(t.Context()); !errors.As(err, &missing) {
		t.Errorf("credentials: %v", err)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	const own, all = "AWS_ENDPOINT_URL_SECRETS_MANAGER=https://own.example", "AWS_ENDPOINT_URL=https://all.example"
	for _, test := range []struct {
		name      string
		explicit  string
		variables []string
		want      string // "" for the region's own
	}{
		{name: "nothing set"},
		{name: "all services", variables: []string{all}, want: "https://all.example"},
		{name: "the service", variables: []string{all, own}, want: "https://own.example"},
		{name: "another service", variables: []string{"AWS_ENDPOINT_URL_SQS=https://sqs.example"}},
		{name: "ignored", variables: []string{all, own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}},
		{name: "ignored, in capitals", variables: []string{own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=TRUE"}},
		{name: "not ignored", variables: []string{own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false"}, want: "https://own.example"},
		{name: "explicit", explicit: "https://explicit.example", variables: []string{all, own}, want: "https://explicit.example"},
		{
			name:      "explicit is never ignored",
			explicit:  "https://explicit.example",
			variables: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"},
			want:      "https://explicit.example",
		},
		{name: "path", explicit: "https://host.example:8443/path", want: "https://host.example:8443/path"},
		{name: "loopback", explicit: "http://127.0.0.1:4566", want: "http://127.0.0.1:4566"},
		{name: "loopback of version 6", explicit: "http://[::1]:4566", want: "http://[::1]:4566"},
		{name: "localhost", variables: []string{"AWS_ENDPOINT_URL=http://localhost:4566"}, want: "http://localhost:4566"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config, err := of(test.variables...).Config("SECRETS_MANAGER", test.explicit)
			if got := aws.ToString(config.BaseEndpoint); err != nil || got != test.want {
				t.Errorf("BaseEndpoint = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		explicit  string
		variables []string
		want      []string
	}{
		{
			name:      "attempts not a number",
			variables: []string{"AWS_MAX_ATTEMPTS=hidden"},
			want:      []string{"AWS_MAX_ATTEMPTS must be a whole number above zero"},
		},
		{name: "no attempts", variables: []string{"AWS_MAX_ATTEMPTS=0"}, want: []string{"AWS_MAX_ATTEMPTS must be"}},
		{
			name:      "retry mode",
			variables: []string{"AWS_RETRY_MODE=hidden"},
			want:      []string{"AWS_RETRY_MODE must be standard or adaptive"},
		},
		{
			name:      "FIPS",
			variables: []string{"AWS_USE_FIPS_ENDPOINT=hidden"},
			want:      []string{"AWS_USE_FIPS_ENDPOINT must be true or false"},
		},
		{
			name:      "ignore",
			variables: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=hidden"},
			want:      []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS must be true or false"},
		},
		{
			name:     "open endpoint",
			explicit: "http://hidden.example",
			want:     []string{"the endpoint must start with https:// (http:// is allowed for loopback hosts only)"},
		},
		{
			name:      "open endpoint of the service",
			variables: []string{"AWS_ENDPOINT_URL_SQS=http://10.0.0.1"},
			want:      []string{"AWS_ENDPOINT_URL_SQS must start with https://"},
		},
		{
			name:      "host without scheme",
			variables: []string{"AWS_ENDPOINT_URL=hidden.example"},
			want:      []string{"AWS_ENDPOINT_URL must be a URL like https://host"},
		},
		{name: "other scheme", explicit: "ftp://hidden.example", want: []string{"must start with https://"}},
		{name: "invalid URL", explicit: "https://%zz", want: []string{"the endpoint must be a URL like https://host"}},
		{
			name:     "user in it",
			explicit: "https://user:hidden@example.com",
			want:     []string{"the endpoint must be a URL without user"},
		},
		{name: "query in it", explicit: "https://example.com?hidden", want: []string{"without user, query and fragment"}},
		{
			name: "all together",
			variables: []string{
				"AWS_MAX_ATTEMPTS=-1", "AWS_RETRY_MODE=hidden", "AWS_USE_FIPS_ENDPOINT=1", "AWS_USE_DUALSTACK_ENDPOINT=1",
				"AWS_ENDPOINT_URL=hidden",
			},
			want: []string{"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_ENDPOINT_URL"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := of(test.variables...).Config("SQS", test.explicit)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %q repeats the value", err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		variables []string
		missing   []string
		text      string
	}{
		{
			name:    "nothing set",
			missing: []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
			text:    "no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
		},
		{
			name:      "no key id",
			variables: []string{"AWS_SECRET_ACCESS_KEY=not-a-real-key"},
			missing:   []string{"AWS_ACCESS_KEY_ID"},
			text:      "no AWS credentials: AWS_ACCESS_KEY_ID is not set",
		},
		{
			name:      "no key",
			variables: []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE"},
			missing:   []string{"AWS_SECRET_ACCESS_KEY"},
			text:      "no AWS credentials: AWS_SECRET_ACCESS_KEY is not set",
		},
		{name: "both", variables: []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-a-real-key"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			credentials, err := of(test.variables...).Credentials().Retrieve(t.Context())
			var missing *awsenv.MissingError
			if errors.As(err, &missing) != (test.missing != nil) {
				t.Fatalf("Retrieve = %v", err)
			}
			if missing == nil {
				want := aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "not-a-real-key", Source: "environment"}
				if credentials != want {
					t.Error("the credentials are not those of the variables")
				}
				return
			}
			if !slices.Equal(missing.Variables, test.missing) {
				t.Errorf("missing variables %v, want %v", missing.Variables, test.missing)
			}
			if err.Error() != test.text {
				t.Errorf("error %q, want %q", err, test.text)
			}
			if credentials.HasKeys() {
				t.Error("credentials beside an error")
			}
		})
	}
}

func TestCredentialsAreReadAnew(t *testing.T) {
	t.Parallel()
	round := 0
	provider := awsenv.New(func(name string) string { return fmt.Sprintf("%s of round %d", name, round) }).Credentials()
	for round = range 3 {
		got, err := provider.Retrieve(t.Context())
		if want := fmt.Sprintf("AWS_SESSION_TOKEN of round %d", round); err != nil || got.SessionToken != want {
			t.Errorf("session token = %q, %v, want %q", got.SessionToken, err, want)
		}
	}
}

// A client of the SDK shows what it makes of the configuration.
func TestClientOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		variables []string
		attempts  int
		mode      aws.RetryMode
		fips      aws.FIPSEndpointState
		dual      aws.DualStackEndpointState
		host      string
	}{
		{
			name:     "defaults",
			attempts: 3,
			mode:     aws.RetryModeStandard,
			fips:     aws.FIPSEndpointStateUnset,
			dual:     aws.DualStackEndpointStateUnset,
			host:     "secretsmanager.eu-west-1.amazonaws.com",
		},
		{
			name:      "all",
			variables: []string{"AWS_MAX_ATTEMPTS=5", "AWS_RETRY_MODE=adaptive", "AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true"},
			attempts:  5,
			mode:      aws.RetryModeAdaptive,
			fips:      aws.FIPSEndpointStateEnabled,
			dual:      aws.DualStackEndpointStateEnabled,
			host:      "secretsmanager-fips.eu-west-1.amazonaws.com",
		},
		{
			name:      "all off",
			variables: []string{"AWS_MAX_ATTEMPTS=1", "AWS_RETRY_MODE=standard", "AWS_USE_FIPS_ENDPOINT=false", "AWS_USE_DUALSTACK_ENDPOINT=False"},
			attempts:  1,
			mode:      aws.RetryModeStandard,
			fips:      aws.FIPSEndpointStateDisabled,
			dual:      aws.DualStackEndpointStateDisabled,
			host:      "secretsmanager.eu-west-1.amazonaws.com",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			environment := of(append(test.variables,
				"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-a-real-key")...)
			config, err := environment.Config("SECRETS_MANAGER", "")
			if err != nil {
				t.Fatal(err)
			}
			options := secretsmanager.NewFromConfig(config).Options()
			if options.Retryer.MaxAttempts() != test.attempts || options.RetryMode != test.mode {
				t.Errorf("%d attempts in mode %s, want %d, %s", options.Retryer.MaxAttempts(), options.RetryMode, test.attempts, test.mode)
			}
			if options.EndpointOptions.UseFIPSEndpoint != test.fips || options.EndpointOptions.UseDualStackEndpoint != test.dual {
				t.Errorf("endpoint options %+v", options.EndpointOptions)
			}
			if got := hostOf(t, config); got != test.host {
				t.Errorf("the client calls %s, want %s", got, test.host)
			}
		})
	}
}

// hostOf makes a client send a request and stops it there.
func hostOf(t *testing.T, config aws.Config) (host string) {
	t.Helper()
	config.RetryMaxAttempts = 1
	config.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		host = r.URL.Host
		return nil, errors.New("stopped")
	})
	secretsmanager.NewFromConfig(config).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("app")})
	return host
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestHTTPClient(t *testing.T) {
	t.Parallel()
	config, err := of().Config("SQS", "")
	if err != nil {
		t.Fatal(err)
	}
	client, ok := secretsmanager.NewFromConfig(config).Options().HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		t.Fatal("the SDK cannot adapt the HTTP client")
	}
	if client.GetTimeout() != 10*time.Second || client.GetDialer().Timeout != 2*time.Second || client.GetTransport().Proxy == nil {
		t.Errorf("timeouts %v and %v, or no proxy", client.GetTimeout(), client.GetDialer().Timeout)
	}
}

func ExampleEnvironment_Config() {
	variables := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://10.0.0.1", "AWS_MAX_ATTEMPTS": "none"}
	environment := awsenv.New(func(name string) string { return variables[name] }) // os.Getenv in a function
	_, err := environment.Config("SECRETS_MANAGER", "")
	fmt.Println(err)
	// Output:
	// AWS_ENDPOINT_URL must start with https:// (http:// is allowed for loopback hosts only)
	// AWS_MAX_ATTEMPTS must be a whole number above zero
}

func ExampleEnvironment_Credentials() {
	environment := awsenv.New(func(string) string { return "" }) // os.Getenv in a function
	_, err := environment.Credentials().Retrieve(context.Background())
	fmt.Println(err)
	// Output: no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set
}
