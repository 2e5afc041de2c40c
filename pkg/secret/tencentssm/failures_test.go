package tencentssm_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
)

const notJSON = "the response is not the documented JSON, or is incomplete"

// failures are the failures of a server, with the parts of the error for each.
var failures = []struct {
	name    string
	fault   tencentapi.Fault
	changes map[string]string
	want    []string
}{
	{
		name:  "missing",
		fault: tencentapi.Fault{Code: "ResourceNotFound", Message: "The secret does not exist."},
		want:  []string{"ResourceNotFound: The secret does not exist. (request id 00000000-", "needs its own version, like version=v1"},
	},
	{
		name:  "disabled",
		fault: tencentapi.Fault{Code: "ResourceUnavailable.ResourceDisabled"},
		want:  []string{"ResourceUnavailable.ResourceDisabled", "disabled or marked for deletion"},
	},
	{
		name:  "forbidden",
		fault: tencentapi.Fault{Code: "UnauthorizedOperation"},
		want:  []string{"UnauthorizedOperation", "needs ssm:GetSecretValue"},
	},
	{
		name:  "forbidden by CAM",
		fault: tencentapi.Fault{Code: "AuthFailure.UnauthorizedOperation"},
		want:  []string{"needs ssm:GetSecretValue"},
	},
	{
		name:  "clock",
		fault: tencentapi.Fault{Code: "AuthFailure.SignatureExpire"},
		want:  []string{"the clock is off by more than five minutes"},
	},
	{
		name:  "KMS",
		fault: tencentapi.Fault{Code: "FailedOperation.AccessKmsError"},
		want:  []string{"FailedOperation.AccessKmsError", "KMS key"},
	},
	{
		name:  "throttled",
		fault: tencentapi.Fault{Code: "RequestLimitExceeded"},
		want:  []string{"RequestLimitExceeded", "GIFTSTATS_SECRET_TTL"},
	},
	{
		name:  "unknown code",
		fault: tencentapi.Fault{Code: "InternalError", Message: strings.Repeat("é", 500) + "\nmore"},
		want:  []string{"InternalError: " + strings.Repeat("é", 150) + "… ("},
	},
	{
		name:  "a message with credentials",
		fault: tencentapi.Fault{Code: "InternalError", Message: "token " + secrettest.CloudToken + " and key " + secrettest.CloudKey},
		want:  []string{"token [redacted] and key [redacted]"},
	},
	{
		name:  "a proxy's page",
		fault: tencentapi.Fault{Status: 502, Body: []byte("<html>" + secrettest.Value + secrettest.CloudToken)},
		want:  []string{"HTTP status 502, which the API does not use"},
	},
	{
		name:  "a status with JSON",
		fault: tencentapi.Fault{Status: 403, Body: []byte(`{"message":"` + secrettest.Value + secrettest.CloudToken + `"}`)},
		want:  []string{"HTTP status 403"},
	},
	{name: "not JSON", fault: tencentapi.Fault{Body: []byte(secrettest.Value)}, want: []string{notJSON}},
	{
		name:  "cut off",
		fault: tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":"` + secrettest.Value)},
		want:  []string{notJSON},
	},
	{
		name:  "other type",
		fault: tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":["` + secrettest.Value + `"]}}`)},
		want:  []string{notJSON},
	},
	{
		name:  "too large",
		fault: tencentapi.Fault{Body: []byte(`{"Response":{"SecretString":"` + strings.Repeat(secrettest.Value, 10000) + `"}}`)},
		want:  []string{notJSON},
	},
	{
		name:  "no base64",
		fault: tencentapi.Fault{Body: []byte(`{"Response":{"SecretBinary":"` + secrettest.Value + `!"}}`)},
		want:  []string{"the binary value is not valid base64"},
	},
	{name: "empty", fault: tencentapi.Fault{Body: []byte(`{"Response":{}}`)}, want: []string{"the secret is empty"}},
	{
		name:    "refused signature",
		fault:   tencentapi.Fault{Latency: 1},
		changes: map[string]string{"TENCENTCLOUD_SECRETKEY": "not-a-real-key-other"},
		want:    []string{"AuthFailure.SignatureFailure", "the credentials of the environment are not valid"},
	},
	{
		name:    "unknown credentials",
		fault:   tencentapi.Fault{Latency: 1},
		changes: map[string]string{"TENCENTCLOUD_SECRETID": "AKIDOTHER"},
		want:    []string{"AuthFailure.SecretIdNotFound", "ssm.intl.tencentcloudapi.com"},
	},
	{
		name:    "old token",
		fault:   tencentapi.Fault{Latency: 1},
		changes: map[string]string{"TENCENTCLOUD_SESSIONTOKEN": "not-a-real-token-other"},
		want:    []string{"AuthFailure.TokenFailure"},
	},
	{
		name:    "no credentials",
		fault:   tencentapi.Fault{Latency: 1},
		changes: map[string]string{"TENCENTCLOUD_SECRETID": ""},
		want: []string{
			"no Tencent Cloud credentials: TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY are not both set; " +
				"give the function an execution role",
		},
	},
	{
		name:    "no region",
		fault:   tencentapi.Fault{Latency: 1},
		changes: map[string]string{"TENCENTCLOUD_REGION": ""},
		want:    []string{"the region is unknown: add region=…"},
	},
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range failures {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.Misbehave(test.fault)
			store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: lookup(server, test.changes)})
			_, err := store.Fetch(t.Context())
			secrettest.WantError(t, err, append(test.want, "app (version v1)", "Tencent's Secrets Manager")...)
		})
	}
}

// The SDK must not log by itself. This test is not parallel, because it replaces os.Stderr.
func TestNothingIsLogged(t *testing.T) {
	secrettest.WantNothingWritten(t, func() {
		for _, test := range failures {
			server := start(t)
			server.Misbehave(test.fault)
			store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: lookup(server, test.changes)})
			store.Fetch(t.Context()) // fails
			if test.changes == nil {
				store.Fetch(t.Context()) // succeeds
			}
		}
	})
}

func TestNoVariables(t *testing.T) {
	t.Parallel()
	_, err := newStore(t, tencentssm.Config{SecretName: "app"}).Fetch(t.Context())
	secrettest.WantError(t, err, "app (version SSM_Current)", "no Tencent Cloud credentials")
}

func TestFetchEndsWithTheContext(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.Misbehave(tencentapi.Fault{Times: -1, Latency: time.Hour})
	store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup})
	secrettest.CheckContext(t, store)
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: secrettest.ClosedURL(), Lookup: server.Lookup})
	_, err := store.Fetch(t.Context())
	secrettest.WantError(t, err, "no connection", "refused", "app (version v1)")
}

// A redirect is not followed: the headers hold the token.
func TestNoRedirects(t *testing.T) {
	t.Parallel()
	server := start(t)
	front := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusTemporaryRedirect))
	t.Cleanup(front.Close)
	store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: front.URL, Lookup: server.Lookup})
	_, err := store.Fetch(t.Context())
	secrettest.WantError(t, err, "HTTP status 307")
	if server.Calls("") != 0 {
		t.Error("the redirect was followed")
	}
}

// Some headers make the SDK read the response in another way.
func TestResponsesWithUnusualHeaders(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	io.WriteString(writer, `{"Response":{"SecretString":"`+secrettest.Value+`"}}`)
	writer.Close()
	for _, test := range []struct {
		name, header, value string
		body                []byte
		want                string // of the error; "" for the secret
	}{
		{name: "compressed", header: "Content-Encoding", value: "gzip", body: zipped.Bytes()},
		{name: "other compression", header: "Content-Encoding", value: "br", body: zipped.Bytes(), want: notJSON},
		{
			name:   "stream of events",
			header: "Content-Type",
			value:  "text/event-stream",
			body:   []byte("data: " + secrettest.Value + "\n\n"),
			want:   notJSON,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(test.header, test.value)
				w.Write(test.body)
			}))
			t.Cleanup(server.Close)
			store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: start(t).Lookup})
			got, err := store.Fetch(t.Context())
			if test.want == "" {
				if err != nil || string(got) != secrettest.Value {
					t.Errorf("Fetch = %q, %v", got, err)
				}
				return
			}
			secrettest.WantError(t, err, test.want)
		})
	}
}
