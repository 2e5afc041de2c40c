package tencentapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
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
	return common.NewTokenCredential(server.Lookup("TENCENTCLOUD_SECRETID"), server.Lookup("TENCENTCLOUD_SECRETKEY"), server.Lookup("TENCENTCLOUD_SESSIONTOKEN"))
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
		{"right", right, nil, ""},
		{"header that is not signed", right, header("X-Other", "x"), ""},
		{"without", right, func(r *http.Request) { r.Header.Del("Authorization") }, "AuthFailure.InvalidAuthorization"},
		{"other algorithm", right, authorization("TC3-HMAC-SHA256", "HmacSHA1"), "AuthFailure.InvalidAuthorization"},
		{"no signature", right, authorization("Signature=", "Nothing="), "AuthFailure.InvalidAuthorization"},
		{"no timestamp", right, func(r *http.Request) { r.Header.Del("X-TC-Timestamp") }, "MissingParameter"},
		{"other secret id", common.NewTokenCredential("AKIDOTHER", right.SecretKey, right.Token), nil, "AuthFailure.SecretIdNotFound"},
		{"other secret key", common.NewTokenCredential(right.SecretId, "not-a-real-key-other", right.Token), nil, "AuthFailure.SignatureFailure"},
		{"other token", common.NewTokenCredential(right.SecretId, right.SecretKey, "not-a-real-token-other"), nil, "AuthFailure.TokenFailure"},
		{"no token", common.NewCredential(right.SecretId, right.SecretKey), nil, "AuthFailure.TokenFailure"},
		{"timestamp changed", right, func(r *http.Request) {
			seconds, _ := strconv.Atoi(r.Header.Get("X-TC-Timestamp"))
			r.Header.Set("X-TC-Timestamp", strconv.Itoa(seconds-1))
		}, "AuthFailure.SignatureFailure"},
		{"content type changed", right, header("Content-Type", "text/plain"), "AuthFailure.SignatureFailure"},
		{"body changed", right, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")); r.ContentLength = 2 }, "AuthFailure.SignatureFailure"},
		{"query changed", right, func(r *http.Request) { r.URL.RawQuery = "a=b" }, "AuthFailure.SignatureFailure"},
		{"other day in the scope", right, authorization("/20", "/19"), "AuthFailure.SignatureFailure"},
		{"other product in the scope", right, authorization("/ssm/", "/scf/"), "AuthFailure.SignatureFailure"},
		{"content type not signed", right, authorization("content-type;host", "host"), "AuthFailure.SignatureFailure"},
		{"host not signed", right, authorization("content-type;host", "content-type"), "AuthFailure.SignatureFailure"},
		{"signature changed", right, authorization("Signature=", "Signature=0"), "AuthFailure.SignatureFailure"},
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
		{"a little behind", -4 * time.Minute, ""},
		{"a little ahead", 4 * time.Minute, ""},
		{"far behind", -6 * time.Minute, "AuthFailure.SignatureExpire"},
		{"far ahead", 6 * time.Minute, "AuthFailure.SignatureExpire"},
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
		{"GET", "ap-singapore", func(r *http.Request) { r.Method = http.MethodGet }, "UnsupportedProtocol"},
		{"path", "ap-singapore", func(r *http.Request) { r.URL.Path = "/v2" }, "UnsupportedProtocol"},
		{"no action", "ap-singapore", func(r *http.Request) { r.Header.Del("X-TC-Action") }, "MissingParameter"},
		{"unknown action", "ap-singapore", header("X-TC-Action", "DeleteSecret"), "InvalidAction"},
		{"other version", "ap-singapore", header("X-TC-Version", "2018-04-16"), "NoSuchVersion"},
		{"no region", "", nil, "MissingParameter"},
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
		{"value", ""}, {"", "RequestLimitExceeded"}, {"", "RequestLimitExceeded"}, {"other", ""}, {"value", ""}, {"", "ClientError.ParseJsonError"}, {"", "InternalError"}, {"", "InternalError"},
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
	if got := server.Calls("GetSecretValue"); got != 9 || server.Calls("") != 9 || server.Calls("Invoke") != 0 {
		t.Errorf("%d calls counted, want 9", got)
	}
}

func TestLatencyEndsWithTheCallerAndTheServer(t *testing.T) {
	t.Parallel()
	server := tencentapi.New(tencentapi.Config{})
	server.Misbehave(tencentapi.Fault{Times: -1, Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Error("it did not wait")
	}
	failed := make(chan error)
	go func() {
		response, err := http.Post(server.URL, "", nil)
		if err == nil {
			response.Body.Close()
		}
		failed <- err
	}()
	for server.Calls("") < 2 { // until the second request has arrived
		runtime.Gosched()
	}
	server.Close()
	if err := <-failed; err == nil {
		t.Error("the waiting request was answered")
	}
}
