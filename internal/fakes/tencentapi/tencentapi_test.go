package tencentapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
)

func start(t *testing.T) *tencentapi.Server {
	t.Helper()
	server := tencentapi.New(tencentapi.Config{})
	t.Cleanup(server.Close)
	return server
}

// client is Tencent's own SDK. Its requests pass through change after they are signed.
func client(server *tencentapi.Server, credential common.CredentialIface, region string, change func(*http.Request)) *common.Client {
	settings := profile.NewClientProfile()
	settings.HttpProfile.Scheme = "HTTP"
	settings.HttpProfile.Endpoint = strings.TrimPrefix(server.URL, "http://")
	return common.NewCommonClient(credential, region, settings).WithHttpTransport(changing(change))
}

type changing func(*http.Request)

func (change changing) RoundTrip(request *http.Request) (*http.Response, error) {
	if change != nil {
		change(request)
	}
	return http.DefaultTransport.RoundTrip(request)
}

func credential(server *tencentapi.Server) *common.Credential {
	id, key := server.Lookup("TENCENTCLOUD_SECRETID"), server.Lookup("TENCENTCLOUD_SECRETKEY")
	return common.NewTokenCredential(id, key, server.Lookup("TENCENTCLOUD_SESSIONTOKEN"))
}

// call makes one request and returns the answer's fields, or the code of the error.
func call(t *testing.T, c *common.Client, product, version, action string, parameters map[string]any) (map[string]any, string) {
	t.Helper()
	request := sdkhttp.NewCommonRequest(product, version, action)
	if err := request.SetActionParameters(parameters); err != nil {
		t.Fatal(err)
	}
	response := sdkhttp.NewCommonResponse()
	err := c.Send(request, response)
	var refused *sdkerrors.TencentCloudSDKError
	if errors.As(err, &refused) {
		return nil, refused.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Response map[string]any }
	if err := json.Unmarshal(response.GetBody(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Response, ""
}

func getSecretValue(t *testing.T, c *common.Client, name, version string) (map[string]any, string) {
	t.Helper()
	return call(t, c, "ssm", "2019-09-23", "GetSecretValue", map[string]any{"SecretName": name, "VersionId": version})
}

func authorization(old, new string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestSignature(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "v1", "not-a-real-key-value")
	right := credential(server)
	for _, test := range []struct {
		name       string
		credential *common.Credential
		change     func(*http.Request)
		code       string
	}{
		{name: "right", credential: right},
		{name: "header that is not signed", credential: right, change: header("X-Other", "x")},
		{
			name:       "without",
			credential: right,
			change:     func(r *http.Request) { r.Header.Del("Authorization") },
			code:       "AuthFailure.InvalidAuthorization",
		},
		{
			name:       "other algorithm",
			credential: right,
			change:     authorization("TC3-HMAC-SHA256", "HmacSHA1"),
			code:       "AuthFailure.InvalidAuthorization",
		},
		{
			name:       "no signature",
			credential: right,
			change:     authorization("Signature=", "Nothing="),
			code:       "AuthFailure.InvalidAuthorization",
		},
		{
			name:       "no timestamp",
			credential: right,
			change:     func(r *http.Request) { r.Header.Del("X-TC-Timestamp") },
			code:       "MissingParameter",
		},
		{
			name:       "other secret id",
			credential: common.NewTokenCredential("AKIDOTHER", right.SecretKey, right.Token),
			code:       "AuthFailure.SecretIdNotFound",
		},
		{
			name:       "other secret key",
			credential: common.NewTokenCredential(right.SecretId, "not-a-real-key-other", right.Token),
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "other token",
			credential: common.NewTokenCredential(right.SecretId, right.SecretKey, "not-a-real-token-other"),
			code:       "AuthFailure.TokenFailure",
		},
		{name: "no token", credential: common.NewCredential(right.SecretId, right.SecretKey), code: "AuthFailure.TokenFailure"},
		{
			name:       "timestamp changed",
			credential: right,
			change: func(r *http.Request) {
				seconds, _ := strconv.Atoi(r.Header.Get("X-TC-Timestamp"))
				r.Header.Set("X-TC-Timestamp", strconv.Itoa(seconds-1))
			},
			code: "AuthFailure.SignatureFailure",
		},
		{
			name:       "content type changed",
			credential: right,
			change:     header("Content-Type", "text/plain"),
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "body changed",
			credential: right,
			change:     func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")); r.ContentLength = 2 },
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "query changed",
			credential: right,
			change:     func(r *http.Request) { r.URL.RawQuery = "a=b" },
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "other day in the scope",
			credential: right,
			change:     authorization("/20", "/19"),
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "other product in the scope",
			credential: right,
			change:     authorization("/ssm/", "/scf/"),
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "content type not signed",
			credential: right,
			change:     authorization("content-type;host", "host"),
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "host not signed",
			credential: right,
			change:     authorization("content-type;host", "content-type"),
			code:       "AuthFailure.SignatureFailure",
		},
		{
			name:       "signature changed",
			credential: right,
			change:     authorization("Signature=", "Signature=0"),
			code:       "AuthFailure.SignatureFailure",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, code := getSecretValue(t, client(server, test.credential, "ap-singapore", test.change), "app", "v1")
			if code != test.code || (test.code == "") != (answer["SecretString"] == "not-a-real-key-value") {
				t.Errorf("answer %v, code %q, want %q", answer, code, test.code)
			}
		})
	}
}

func TestClocksApart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		apart time.Duration
		code  string
	}{
		{name: "a little behind", apart: -4 * time.Minute},
		{name: "a little ahead", apart: 4 * time.Minute},
		{name: "far behind", apart: -6 * time.Minute, code: "AuthFailure.SignatureExpire"},
		{name: "far ahead", apart: 6 * time.Minute, code: "AuthFailure.SignatureExpire"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := tencentapi.New(tencentapi.Config{
				Credentials: tencentapi.Credentials{SecretID: "AKIDEXAMPLE", SecretKey: "not-a-real-key-1"}, // and no token
				Now:         func() time.Time { return time.Now().Add(test.apart) },
			})
			t.Cleanup(server.Close)
			server.SetSecret("app", "v1", "value")
			if _, code := getSecretValue(t, client(server, credential(server), "ap-singapore", nil), "app", "v1"); code != test.code {
				t.Errorf("code %q, want %q", code, test.code)
			}
		})
	}
}

func TestRequestsThatAreNoCalls(t *testing.T) {
	t.Parallel()
	server := start(t)
	for _, test := range []struct {
		name, region string
		change       func(*http.Request)
		code         string
	}{
		{
			name:   "GET",
			region: "ap-singapore",
			change: func(r *http.Request) { r.Method = http.MethodGet },
			code:   "UnsupportedProtocol",
		},
		{name: "path", region: "ap-singapore", change: func(r *http.Request) { r.URL.Path = "/v2" }, code: "UnsupportedProtocol"},
		{
			name:   "no action",
			region: "ap-singapore",
			change: func(r *http.Request) { r.Header.Del("X-TC-Action") },
			code:   "MissingParameter",
		},
		{name: "unknown action", region: "ap-singapore", change: header("X-TC-Action", "DeleteSecret"), code: "InvalidAction"},
		{name: "other version", region: "ap-singapore", change: header("X-TC-Version", "2018-04-16"), code: "NoSuchVersion"},
		{name: "no region", code: "MissingParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, code := getSecretValue(t, client(server, credential(server), test.region, test.change), "app", "v1"); code != test.code {
				t.Errorf("code %q, want %q", code, test.code)
			}
		})
	}
}

func TestTooLargeARequestIsCutOff(t *testing.T) {
	t.Parallel()
	server := start(t)
	response, err := http.Post(server.URL, "application/json", bytes.NewReader(make([]byte, 10<<20)))
	if err == nil {
		response.Body.Close()
		t.Errorf("answered with %s", response.Status)
	}
	if server.Calls("") != 0 {
		t.Error("it was counted as a request")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	server := start(t)
	c := client(server, credential(server), "ap-singapore", nil)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			server.SetSecret("app", "v1", "value")
			server.Misbehave(tencentapi.Fault{Action: "Invoke"})
			getSecretValue(t, c, "app", "v1")
			server.Invocations()
		})
	}
	clients.Wait()
	if got := server.Calls("GetSecretValue"); got != 8 {
		t.Errorf("%d calls, want 8", got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "v1", "value")
	server.Misbehave(tencentapi.Fault{Action: "Invoke", Status: 500})
	server.Misbehave(tencentapi.Fault{Action: "GetSecretValue", Skip: 1, Times: 2, Code: "RequestLimitExceeded"})
	server.Misbehave(tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":"other"}}`)})
	server.Misbehave(tencentapi.Fault{Latency: time.Nanosecond})
	server.Misbehave(tencentapi.Fault{Status: 502, Body: []byte("bad gateway")})
	server.Misbehave(tencentapi.Fault{Times: -1, Status: 500, Code: "InternalError"})
	c := client(server, credential(server), "ap-singapore", nil)
	for i, want := range []struct{ value, code string }{
		{value: "value"},
		{code: "RequestLimitExceeded"},
		{code: "RequestLimitExceeded"},
		{value: "other"},
		{value: "value"},
		{code: "ClientError.ParseJsonError"},
		{code: "InternalError"},
		{code: "InternalError"},
	} {
		answer, code := getSecretValue(t, c, "app", "v1")
		if code != want.code || want.value != "" && answer["SecretString"] != want.value {
			t.Errorf("request %d: %v, code %q, want %+v", i, answer, code, want)
		}
	}
	server.Heal()
	if _, code := getSecretValue(t, c, "app", "v1"); code != "" {
		t.Errorf("healed: code %q", code)
	}
	for action, want := range map[string]int{"GetSecretValue": 9, "": 9, "Invoke": 0} {
		if got := server.Calls(action); got != want {
			t.Errorf("Calls(%q) = %d, want %d", action, got, want)
		}
	}
}
