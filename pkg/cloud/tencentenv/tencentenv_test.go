package tencentenv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/pkg/cloud/tencentenv"
)

type answer struct {
	*sdkhttp.BaseResponse
	Response struct{ SecretString string }
}

// get reads the secret "app".
func get(t *testing.T, ctx context.Context, endpoint, region string, variables map[string]string) (string, error) {
	t.Helper()
	client, err := tencentenv.New(tencentenv.Config{
		Product: "ssm", Version: "2019-09-23", Endpoint: endpoint, Region: region, Setting: "GIFTSTATS_SECRET",
		Lookup: func(name string) string { return variables[name] },
		Advise: func(code string) string { return map[string]string{"ResourceNotFound": "check the name"}[code] },
	})
	if err != nil {
		return "", err
	}
	got := &answer{BaseResponse: &sdkhttp.BaseResponse{}}
	err = client.Call(ctx, "GetSecretValue", map[string]any{"SecretName": "app", "VersionId": "v1"}, got)
	return got.Response.SecretString, err
}

func TestCall(t *testing.T) {
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Response":{"SecretString":"not-a-real-secret`)
	}))
	defer garbage.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	for _, test := range []struct {
		name             string
		fault            tencentapi.Fault
		endpoint, region string
		change           map[string]string
		want             string // a part of the error; "": no error
	}{
		{name: "good", fault: tencentapi.Fault{Skip: 1}},
		{
			name:   "region of the options",
			fault:  tencentapi.Fault{Skip: 1},
			region: "ap-guangzhou",
			change: map[string]string{"TENCENTCLOUD_REGION": ""},
		},
		{
			name:   "no region",
			fault:  tencentapi.Fault{Skip: 1},
			change: map[string]string{"TENCENTCLOUD_REGION": ""},
			want:   "add region=… to GIFTSTATS_SECRET",
		},
		{
			name:   "no credentials",
			fault:  tencentapi.Fault{Skip: 1},
			change: map[string]string{"TENCENTCLOUD_SECRETKEY": ""},
			want:   "give the function an execution role",
		},
		{
			name:   "wrong key",
			fault:  tencentapi.Fault{Skip: 1},
			change: map[string]string{"TENCENTCLOUD_SECRETKEY": "another-not-real-key"},
			want:   "the credentials of the environment are not valid",
		},
		{name: "expired", fault: tencentapi.Fault{Code: "AuthFailure.SignatureExpire"}, want: "off by more than five minutes"},
		{name: "refused, with the caller's advice", fault: tencentapi.Fault{Code: "ResourceNotFound"}, want: "; check the name"},
		{
			name:  "refused, without advice",
			fault: tencentapi.Fault{Code: "SomethingNew", Message: strings.Repeat("x", 1000)},
			want:  "xxx…",
		},
		{name: "502", fault: tencentapi.Fault{Status: 502}, want: "HTTP status 502, which the API does not use"},
		{name: "not JSON", fault: tencentapi.Fault{Skip: 1}, endpoint: garbage.URL, want: "not the documented JSON"},
		{name: "no connection", fault: tencentapi.Fault{Skip: 1}, endpoint: "http://127.0.0.1:1", want: "no connection"},
		{
			name:     "unknown certificate",
			fault:    tencentapi.Fault{Skip: 1},
			endpoint: untrusted.URL,
			want:     "the certificate of the service is not trusted: tls: failed to verify certificate",
		},
		{
			name:     "endpoint with plain http",
			fault:    tencentapi.Fault{Skip: 1},
			endpoint: "http://example.com",
			want:     "the endpoint must start with https://",
		},
		{
			name:     "endpoint with a path",
			fault:    tencentapi.Fault{Skip: 1},
			endpoint: "https://example.com/x",
			want:     "must be a URL without path",
		},
		{
			name:     "endpoint not a URL",
			fault:    tencentapi.Fault{Skip: 1},
			endpoint: "https://%zz",
			want:     "must be a URL like https://host",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := tencentapi.New(tencentapi.Config{})
			defer cloud.Close()
			cloud.SetSecret("app", "v1", "value")
			cloud.Misbehave(test.fault)
			variables := cloud.Environment()
			for name, value := range test.change {
				variables[name] = value
			}
			endpoint := cloud.URL
			if test.endpoint != "" {
				endpoint = test.endpoint
			}
			got, err := get(t, t.Context(), endpoint, test.region, variables)
			for range 10 {
				if test.endpoint != untrusted.URL || !strings.Contains(fmt.Sprint(err), "imeout") {
					break
				}
				got, err = get(t, t.Context(), endpoint, test.region, variables) // a busy machine took too long for the handshake
			}
			if test.want == "" {
				if err != nil || got != "value" {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, want %q", err, test.want)
			}
			for _, secret := range []string{variables["TENCENTCLOUD_SECRETKEY"], variables["TENCENTCLOUD_SESSIONTOKEN"], "not-a-real-secret"} {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("a secret is in %v", err)
				}
			}
		})
	}
}

func TestErrorOfTheContextIsReturned(t *testing.T) {
	variables := map[string]string{
		"TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY": "not-a-real-key", "TENCENTCLOUD_REGION": "ap-singapore",
	}
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := get(t, late, "http://127.0.0.1:1", "", variables); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if _, err := get(t, cancelled, "http://127.0.0.1:1", "", variables); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func ExampleNew() {
	client, err := tencentenv.New(tencentenv.Config{Product: "ssm", Version: "2019-09-23", Setting: "GIFTSTATS_SECRET"})
	if err != nil {
		panic(err)
	}
	fmt.Println(client.Call(context.Background(), "GetSecretValue", nil, &answer{}) != nil)
	// Output: true
}
