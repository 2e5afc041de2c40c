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
		{"none", nil, ""},
		{"region", []string{"AWS_REGION=eu-west-1"}, "eu-west-1"},
		{"default region", []string{"AWS_DEFAULT_REGION=us-east-1"}, "us-east-1"},
		{"both", []string{"AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=eu-west-1"}, "eu-west-1"},
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
		{"none", "", nil, ""},
		{"all services", "", []string{all}, "https://all.example"},
		{"the service", "", []string{all, own}, "https://own.example"},
		{"another service", "", []string{"AWS_ENDPOINT_URL_SQS=https://sqs.example"}, ""},
		{"ignored", "", []string{all, own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, ""},
		{"ignored, in capitals", "", []string{own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=TRUE"}, ""},
		{"not ignored", "", []string{own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false"}, "https://own.example"},
		{"explicit", "https://explicit.example", []string{all, own}, "https://explicit.example"},
		{"explicit is never ignored", "https://explicit.example", []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, "https://explicit.example"},
		{"path", "https://host.example:8443/path", nil, "https://host.example:8443/path"},
		{"loopback", "http://127.0.0.1:4566", nil, "http://127.0.0.1:4566"},
		{"loopback of version 6", "http://[::1]:4566", nil, "http://[::1]:4566"},
		{"localhost", "", []string{"AWS_ENDPOINT_URL=http://localhost:4566"}, "http://localhost:4566"},
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
		{"attempts are no number", "", []string{"AWS_MAX_ATTEMPTS=hidden"}, []string{"AWS_MAX_ATTEMPTS must be a whole number above zero"}},
		{"no attempts", "", []string{"AWS_MAX_ATTEMPTS=0"}, []string{"AWS_MAX_ATTEMPTS must be"}},
		{"retry mode", "", []string{"AWS_RETRY_MODE=hidden"}, []string{"AWS_RETRY_MODE must be standard or adaptive"}},
		{"FIPS", "", []string{"AWS_USE_FIPS_ENDPOINT=hidden"}, []string{"AWS_USE_FIPS_ENDPOINT must be true or false"}},
		{"ignore", "", []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=hidden"}, []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS must be true or false"}},
		{"open endpoint", "http://hidden.example", nil, []string{"the endpoint must start with https:// (http:// is allowed for loopback hosts only)"}},
		{"open endpoint of the service", "", []string{"AWS_ENDPOINT_URL_SQS=http://10.0.0.1"}, []string{"AWS_ENDPOINT_URL_SQS must start with https://"}},
		{"host without scheme", "", []string{"AWS_ENDPOINT_URL=hidden.example"}, []string{"AWS_ENDPOINT_URL must be a URL like https://host"}},
		{"other scheme", "ftp://hidden.example", nil, []string{"must start with https://"}},
		{"no URL", "https://%zz", nil, []string{"the endpoint must be a URL like https://host"}},
		{"user in it", "https://user:hidden@example.com", nil, []string{"the endpoint must be a URL without user"}},
		{"query in it", "https://example.com?hidden", nil, []string{"without user, query and fragment"}},
		{"all together", "", []string{"AWS_MAX_ATTEMPTS=-1", "AWS_RETRY_MODE=hidden", "AWS_USE_FIPS_ENDPOINT=1", "AWS_USE_DUALSTACK_ENDPOINT=1", "AWS_ENDPOINT_URL=hidden"},
			[]string{"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_ENDPOINT_URL"}},
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
		{"none", nil, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, "no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"},
		{"no key id", []string{"AWS_SECRET_ACCESS_KEY=not-a-real-key"}, []string{"AWS_ACCESS_KEY_ID"}, "no AWS credentials: AWS_ACCESS_KEY_ID is not set"},
		{"no key", []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE"}, []string{"AWS_SECRET_ACCESS_KEY"}, "no AWS credentials: AWS_SECRET_ACCESS_KEY is not set"},
		{"both", []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-a-real-key"}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			credentials, err := of(test.variables...).Credentials().Retrieve(t.Context())
			var missing *awsenv.MissingError
			if errors.As(err, &missing) != (test.missing != nil) {
				t.Fatalf("Retrieve = %v", err)
			}
			if missing != nil && (!slices.Equal(missing.Variables, test.missing) || err.Error() != test.text || credentials.HasKeys()) {
				t.Errorf("Retrieve = %v, want %s", err, test.text)
			}
			if missing == nil && (credentials.AccessKeyID != "AKIAEXAMPLE" || credentials.SecretAccessKey != "not-a-real-key" || credentials.SessionToken != "") {
				t.Error("the credentials are not those of the variables")
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
		{"defaults", nil, 3, aws.RetryModeStandard, aws.FIPSEndpointStateUnset, aws.DualStackEndpointStateUnset, "secretsmanager.eu-west-1.amazonaws.com"},
		{"all", []string{"AWS_MAX_ATTEMPTS=5", "AWS_RETRY_MODE=adaptive", "AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true"},
			5, aws.RetryModeAdaptive, aws.FIPSEndpointStateEnabled, aws.DualStackEndpointStateEnabled, "secretsmanager-fips.eu-west-1.amazonaws.com"},
		{"all off", []string{"AWS_MAX_ATTEMPTS=1", "AWS_RETRY_MODE=standard", "AWS_USE_FIPS_ENDPOINT=false", "AWS_USE_DUALSTACK_ENDPOINT=False"},
			1, aws.RetryModeStandard, aws.FIPSEndpointStateDisabled, aws.DualStackEndpointStateDisabled, "secretsmanager.eu-west-1.amazonaws.com"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			environment := of(append(test.variables, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-a-real-key")...)
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
