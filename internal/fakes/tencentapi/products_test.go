package tencentapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
)

func TestGetSecretValue(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "v1", "first")
	server.SetSecret("app", "v2", "second")
	server.SetSecret("app", "v2", "second, changed")
	server.SetSecretBinary("bytes", "v1", []byte{0, 1, 2})
	c := client(server, credential(server), "ap-singapore", nil)
	for _, test := range []struct{ name, secret, version, field, want, code string }{
		{name: "first", secret: "app", version: "v1", field: "SecretString", want: "first"},
		{name: "second", secret: "app", version: "v2", field: "SecretString", want: "second, changed"},
		{name: "name", secret: "app", version: "v2", field: "SecretName", want: "app"},
		{name: "version", secret: "app", version: "v2", field: "VersionId", want: "v2"},
		{name: "binary", secret: "bytes", version: "v1", field: "SecretBinary", want: "AAEC"},
		{name: "text of a binary", secret: "bytes", version: "v1", field: "SecretString"},
		{name: "unknown version", secret: "app", version: "v3", code: "ResourceNotFound"},
		{name: "current version of a secret made by hand", secret: "app", version: "SSM_Current", code: "ResourceNotFound"},
		{name: "unknown name", secret: "nobody", version: "v1", code: "ResourceNotFound"},
		{name: "no name", version: "v1", code: "MissingParameter"},
		{name: "no version", secret: "app", code: "MissingParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, code := getSecretValue(t, c, test.secret, test.version)
			if code != test.code {
				t.Fatalf("code %q, want %q", code, test.code)
			}
			if code == "" && (answer[test.field] != test.want || answer["RequestId"] == "") {
				t.Errorf("answer %v, code %q, want %q %q", answer, code, test.want, test.code)
			}
		})
	}
}

func TestCredentialsCanChange(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "v1", "value")
	old := client(server, credential(server), "ap-singapore", nil)
	server.SetCredentials(tencentapi.Credentials{SecretID: "AKIDEXAMPLE", SecretKey: "not-a-real-key-2", Token: "not-a-real-token-2"})
	if _, code := getSecretValue(t, old, "app", "v1"); code != "AuthFailure.TokenFailure" {
		t.Errorf("with the old credentials: code %q", code)
	}
	if _, code := getSecretValue(t, client(server, credential(server), "ap-singapore", nil), "app", "v1"); code != "" {
		t.Errorf("with the new credentials: code %q", code)
	}
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		parameters map[string]any
		want       tencentapi.Invocation
		code       string
	}{
		{
			name: "all fields",
			parameters: map[string]any{
				"FunctionName": "f", "InvocationType": "Event", "ClientContext": `{"a":1}`, "Namespace": "n", "Qualifier": "$LATEST",
			},
			want: tencentapi.Invocation{
				Region: "ap-singapore", FunctionName: "f", Namespace: "n", Qualifier: "$LATEST",
				InvocationType: "Event", ClientContext: `{"a":1}`,
			},
		},
		{
			name:       "defaults",
			parameters: map[string]any{"FunctionName": "f"},
			want: tencentapi.Invocation{
				Region: "ap-singapore", FunctionName: "f", Namespace: "default", Qualifier: "$DEFAULT",
				InvocationType: "RequestResponse",
			},
		},
		{name: "no function", parameters: map[string]any{}, want: tencentapi.Invocation{}, code: "MissingParameter"},
		{
			name:       "other type",
			parameters: map[string]any{"FunctionName": "f", "InvocationType": "DryRun"},
			code:       "InvalidParameterValue.InvocationType",
		},
		{
			name:       "event is not JSON",
			parameters: map[string]any{"FunctionName": "f", "ClientContext": "{"},
			code:       "InvalidParameterValue.Param",
		},
		{
			name:       "event too large",
			parameters: map[string]any{"FunctionName": "f", "InvocationType": "Event", "ClientContext": `"` + strings.Repeat("x", 128<<10) + `"`},
			code:       "InvalidParameterValue.ClientContext",
		},
		{
			name:       "wrong type of a field",
			parameters: map[string]any{"FunctionName": 1},
			code:       "InvalidParameter",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			_, code := call(t, client(server, credential(server), "ap-singapore", nil), "scf", "2018-04-16", "Invoke", test.parameters)
			if code != test.code {
				t.Fatalf("code %q, want %q", code, test.code)
			}
			var want []tencentapi.Invocation
			if code == "" {
				want = []tencentapi.Invocation{test.want}
			}
			if got := server.Invocations(); !slices.Equal(got, want) {
				t.Errorf("invocations %+v, want %+v", got, want)
			}
		})
	}
}

func TestInvokeReturns(t *testing.T) {
	t.Parallel()
	server := start(t)
	c := client(server, credential(server), "ap-singapore", nil)
	returned := func(invocationType string) any {
		answer, code := call(t, c, "scf", "2018-04-16", "Invoke", map[string]any{"FunctionName": "f", "InvocationType": invocationType})
		if code != "" {
			t.Fatalf("code %q", code)
		}
		return answer["Result"].(map[string]any)["RetMsg"]
	}
	if got := returned("RequestResponse"); got != "null" {
		t.Errorf("RetMsg = %v, want null", got)
	}
	server.OnInvoke(func(call tencentapi.Invocation) string { return `"` + call.FunctionName + `"` })
	if got := returned("RequestResponse"); got != `"f"` {
		t.Errorf("RetMsg = %v, want the function's", got)
	}
	if got := returned("Event"); got != nil {
		t.Errorf("RetMsg = %v of an asynchronous invocation", got)
	}
}

func TestBodyOfAnotherShape(t *testing.T) {
	t.Parallel()
	server := start(t)
	c := client(server, credential(server), "ap-singapore", nil)
	if _, code := call(t, c, "ssm", "2019-09-23", "GetSecretValue", map[string]any{"SecretName": 1}); code != "InvalidParameter" {
		t.Errorf("code %q", code)
	}
}

func ExampleServer() {
	server := tencentapi.New(tencentapi.Config{})
	defer server.Close()
	server.SetSecret("app", "v1", `{"sdk_app_id":1400000000}`)
	server.Misbehave(tencentapi.Fault{Action: "GetSecretValue", Code: "RequestLimitExceeded"})
	// A client that has server.Environment() and server.URL is refused once, and then gets the secret.
	fmt.Println(server.Lookup("TENCENTCLOUD_REGION"), server.Calls("GetSecretValue"))
	// Output: ap-singapore 0
}
