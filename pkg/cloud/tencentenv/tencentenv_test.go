package tencentenv_test

import (
	"context"
	"errors"
	"fmt"
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
	client, err := tencentenv.New(tencentenv.Options{
		Product: "ssm", Version: "2019-09-23", Endpoint: endpoint, Region: region, Lookup: func(name string) string { return variables[name] }, Setting: "GIFTSTATS_SECRET",
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
	for _, test := range []struct {
		name             string
		fault            tencentapi.Fault
		endpoint, region string
		change           map[string]string
		want             string // of the error; "" for none
	}{
		{"good", tencentapi.Fault{Skip: 1}, "", "", nil, ""},
		{"region of the options", tencentapi.Fault{Skip: 1}, "", "ap-guangzhou", map[string]string{"TENCENTCLOUD_REGION": ""}, ""},
		{"no region", tencentapi.Fault{Skip: 1}, "", "", map[string]string{"TENCENTCLOUD_REGION": ""}, "add region=… to GIFTSTATS_SECRET"},
		{"no credentials", tencentapi.Fault{Skip: 1}, "", "", map[string]string{"TENCENTCLOUD_SECRETKEY": ""}, "give the function an execution role"},
		{"wrong key", tencentapi.Fault{Skip: 1}, "", "", map[string]string{"TENCENTCLOUD_SECRETKEY": "another-not-real-key"}, "the credentials of the environment are not valid"},
		{"expired", tencentapi.Fault{Code: "AuthFailure.SignatureExpire"}, "", "", nil, "more than five minutes wrong"},
		{"refused, with the caller's advice", tencentapi.Fault{Code: "ResourceNotFound"}, "", "", nil, "; check the name"},
		{"refused, without advice", tencentapi.Fault{Code: "SomethingNew", Message: strings.Repeat("x", 1000)}, "", "", nil, "xxx…"},
		{"502", tencentapi.Fault{Status: 502}, "", "", nil, "HTTP status 502, which the API never has"},
		{"no JSON", tencentapi.Fault{Skip: 1}, garbage.URL, "", nil, "not the documented JSON"},
		{"no connection", tencentapi.Fault{Skip: 1}, "http://127.0.0.1:1", "", nil, "no connection"},
		{"endpoint in the open", tencentapi.Fault{Skip: 1}, "http://example.com", "", nil, "the endpoint must start with https://"},
		{"endpoint with a path", tencentapi.Fault{Skip: 1}, "https://example.com/x", "", nil, "must be a URL without path"},
		{"endpoint that is none", tencentapi.Fault{Skip: 1}, "https://%zz", "", nil, "must be a URL like https://host"},
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

func TestContext(t *testing.T) {
	variables := map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY": "not-a-real-key", "TENCENTCLOUD_REGION": "ap-singapore"}
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
	client, err := tencentenv.New(tencentenv.Options{Product: "ssm", Version: "2019-09-23", Setting: "GIFTSTATS_SECRET"})
	if err != nil {
		panic(err)
	}
	fmt.Println(client.Call(context.Background(), "GetSecretValue", nil, &answer{}) != nil)
	// Output: true
}
