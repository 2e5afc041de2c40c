package awsenv_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
)

// explained makes a call that fails and explains its error.
func explained(t *testing.T, ctx context.Context, environment awsenv.Environment, endpoint string) string {
	t.Helper()
	config, err := environment.Config("SECRETS_MANAGER", endpoint)
	if err != nil {
		t.Fatal(err)
	}
	config.RetryMaxAttempts = 1
	name := "app"
	_, err = secretsmanager.NewFromConfig(config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err == nil {
		t.Fatal("the call succeeded")
	}
	return environment.Explain(ctx, err, func(code string) string {
		return map[string]string{"ResourceNotFoundException": "check the name"}[code]
	}).Error()
}

func TestExplain(t *testing.T) {
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"SecretString":"not-a-real-secret`))
	}))
	defer garbage.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	for _, test := range []struct {
		name     string
		fault    awsapi.Fault
		endpoint string
		change   map[string]string
		want     []string
	}{
		{
			name:  "refused, with the caller's advice",
			fault: awsapi.Fault{Code: "ResourceNotFoundException", Message: "no such secret"},
			want:  []string{"ResourceNotFoundException: no such secret", "request id", "; check the name"},
		},
		{
			name:  "refused, without advice",
			fault: awsapi.Fault{Code: "SomethingNew", Message: strings.Repeat("x", 1000)},
			want:  []string{"SomethingNew: xxx", "…"},
		},
		{
			name:  "expired",
			fault: awsapi.Fault{Code: "ExpiredTokenException"},
			want:  []string{"have expired, or the clock is wrong"},
		},
		{
			name:   "wrong key",
			fault:  awsapi.Fault{Skip: 1},
			change: map[string]string{"AWS_SECRET_ACCESS_KEY": "another-not-real-key"},
			want:   []string{"InvalidSignatureException", "are not valid for this region"},
		},
		{
			name:   "no key",
			fault:  awsapi.Fault{Skip: 1},
			change: map[string]string{"AWS_SECRET_ACCESS_KEY": ""},
			want:   []string{"AWS_SECRET_ACCESS_KEY", "Lambda sets them from the function's role"},
		},
		{
			name:     "no connection",
			fault:    awsapi.Fault{Skip: 1},
			endpoint: "http://127.0.0.1:1",
			want:     []string{"no connection", "connection refused"},
		},
		{
			name:     "unknown certificate",
			fault:    awsapi.Fault{Skip: 1},
			endpoint: untrusted.URL,
			want:     []string{"the certificate of the service is not trusted: tls: failed to verify certificate"},
		},
		{
			name:     "not JSON",
			fault:    awsapi.Fault{Skip: 1},
			endpoint: garbage.URL,
			want:     []string{"HTTP status 200 with a response that is not the documented JSON"},
		},
		{
			name:   "no region",
			fault:  awsapi.Fault{Skip: 1},
			change: map[string]string{"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": ""},
			want:   []string{"egion"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := awsapi.New(awsapi.Config{})
			defer cloud.Close()
			cloud.Misbehave(test.fault)
			variables := cloud.Environment()
			for name, value := range test.change {
				variables[name] = value
			}
			environment := awsenv.New(func(name string) string { return variables[name] })
			text := explained(t, t.Context(), environment, test.endpoint)
			for range 10 {
				if test.endpoint != untrusted.URL || !strings.Contains(text, "imeout") {
					break
				}
				text = explained(t, t.Context(), environment, test.endpoint) // a busy machine took too long for the handshake
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in %q", want, text)
				}
			}
			for _, secret := range []string{variables["AWS_SESSION_TOKEN"], variables["AWS_SECRET_ACCESS_KEY"], "not-a-real-secret"} {
				if secret != "" && strings.Contains(text, secret) {
					t.Errorf("a secret is in %q", text)
				}
			}
		})
	}
	t.Run("time is over", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		if text := explained(t, ctx, awsenv.New(func(name string) string {
			return map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}[name]
		}), "http://127.0.0.1:1"); !strings.Contains(text, "no answer in time") {
			t.Errorf("%q", text)
		}
		cancelled, stop := context.WithCancel(t.Context())
		stop()
		if text := awsenv.New(nil).Explain(cancelled, errors.New("x"), nil).Error(); text != context.Canceled.Error() {
			t.Errorf("%q", text)
		}
	})
}
