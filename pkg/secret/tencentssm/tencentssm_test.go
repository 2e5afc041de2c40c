package tencentssm_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
)

var _ secret.Store = (*tencentssm.Store)(nil)

const (
	value     = "not-a-real-key-value-of-the-secret"
	secretKey = "not-a-real-key-of-tencent"
	token     = "not-a-real-token-of-tencent"
)

func start(t *testing.T) *tencentapi.Server {
	t.Helper()
	server := tencentapi.New(tencentapi.Config{Credentials: tencentapi.Credentials{SecretID: "AKIDEXAMPLE", SecretKey: secretKey, Token: token}})
	t.Cleanup(server.Close)
	server.SetSecret("app", "v1", value)
	return server
}

// lookup gives the variables of a client of the server, with changes.
func lookup(server *tencentapi.Server, changes map[string]string) func(string) string {
	return func(name string) string {
		if changed, ok := changes[name]; ok {
			return changed
		}
		return server.Lookup(name)
	}
}

func newStore(t *testing.T, options tencentssm.Options) *tencentssm.Store {
	t.Helper()
	store, err := tencentssm.New(options)
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
	for _, test := range []struct{ name, secretName, endpoint, want string }{
		{"name", "app", "", ""},
		{"international site", "app", "https://ssm.intl.tencentcloudapi.com", ""},
		{"slash", "app", "https://ssm.tencentcloudapi.com/", ""},
		{"loopback", "app", "http://127.0.0.1:1", ""},
		{"loopback of version 6", "app", "http://[::1]:1", ""},
		{"localhost", "app", "http://localhost", ""},
		{"no name", "", "", "the secret's name is missing"},
		{"open endpoint", "app", "http://ssm.tencentcloudapi.com", "the endpoint must start with https:// (http:// is allowed for loopback hosts only)"},
		{"other scheme", "app", "ftp://ssm.tencentcloudapi.com", "the endpoint must start with https://"},
		{"no scheme", "app", "ssm.tencentcloudapi.com", "the endpoint must be a URL like https://host"},
		{"no URL", "app", "https://%zz", "the endpoint must be a URL like https://host"},
		{"path", "app", "https://host/path", "the endpoint must be a URL without path"},
		{"query", "app", "https://host?a", "without user, query"},
		{"user", "app", "https://" + token + "@host", "without user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := tencentssm.New(tencentssm.Options{SecretName: test.secretName, Endpoint: test.endpoint})
			if test.want == "" {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			wantError(t, err, "Tencent's Secrets Manager", test.want)
		})
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "v2", "second")
	server.SetSecret("product", "SSM_Current", "current")
	server.SetSecretBinary("bytes", "v1", []byte{0, 1, 2})
	permanent := tencentapi.New(tencentapi.Config{Credentials: tencentapi.Credentials{SecretID: "AKIDEXAMPLE", SecretKey: secretKey}})
	t.Cleanup(permanent.Close)
	permanent.SetSecret("app", "v1", "of a person's machine")
	none := map[string]string{"TENCENTCLOUD_SECRETID": "", "TENCENTCLOUD_SECRETKEY": "", "TENCENTCLOUD_SESSIONTOKEN": ""}
	with := func(changes map[string]string, more ...string) map[string]string {
		merged := map[string]string{}
		for name, value := range changes {
			merged[name] = value
		}
		for i := 0; i < len(more); i += 2 {
			merged[more[i]] = more[i+1]
		}
		return merged
	}
	for _, test := range []struct {
		name    string
		options tencentssm.Options
		changes map[string]string
		want    string
	}{
		{"first version", tencentssm.Options{SecretName: "app", Version: "v1"}, nil, value},
		{"second version", tencentssm.Options{SecretName: "app", Version: "v2"}, nil, "second"},
		{"default version", tencentssm.Options{SecretName: "product"}, nil, "current"},
		{"binary", tencentssm.Options{SecretName: "bytes", Version: "v1"}, nil, "\x00\x01\x02"},
		{"region of the options", tencentssm.Options{SecretName: "app", Version: "v1", Region: "ap-seoul"}, map[string]string{"TENCENTCLOUD_REGION": ""}, value},
		{"other names of the variables", tencentssm.Options{SecretName: "app", Version: "v1"},
			with(none, "TENCENTCLOUD_SECRET_ID", "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY", secretKey, "TENCENTCLOUD_SECURITY_TOKEN", token), value},
		{"other names of the variables, no token", tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: permanent.URL},
			with(none, "TENCENTCLOUD_SECRET_ID", "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY", secretKey), "of a person's machine"},
		{"the names of SCF come first", tencentssm.Options{SecretName: "app", Version: "v1"},
			map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDOTHER", "TENCENTCLOUD_SECRET_KEY": "not-a-real-key-other"}, value},
		{"half a set of SCF's is none", tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: permanent.URL},
			map[string]string{"TENCENTCLOUD_SECRETKEY": "", "TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY": secretKey}, "of a person's machine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.options.Lookup = lookup(server, test.changes)
			if test.options.Endpoint == "" {
				test.options.Endpoint = server.URL
			}
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
	if _, err := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup}).Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.Calls("") != 1 || server.Calls("GetSecretValue") != 1 {
		t.Errorf("%d calls, want 1", server.Calls(""))
	}
}

// On SCF the credentials come with each invocation, and change every few hours.
func TestFetchUsesNewCredentials(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup})
	for i := range 3 {
		server.SetCredentials(tencentapi.Credentials{SecretID: fmt.Sprintf("AKIDEXAMPLE%d", i), SecretKey: fmt.Sprintf("not-a-real-key-%d", i), Token: fmt.Sprintf("not-a-real-token-%d", i)})
		if _, err := store.Fetch(t.Context()); err != nil {
			t.Errorf("credentials %d: %v", i, err)
		}
	}
}

func TestFetchFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, tencentssm.Options{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup})
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
	server := tencentapi.New(tencentapi.Config{})
	defer server.Close()
	server.SetSecret("giftstats", "v1", "not-a-real-key")
	store, err := tencentssm.New(tencentssm.Options{
		SecretName: "giftstats",
		Version:    "v1",
		Endpoint:   server.URL,    // Tencent's own if left out
		Lookup:     server.Lookup, // os.Getenv in a function
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := store.Fetch(context.Background())
	fmt.Println(string(raw), err)
	// Output: not-a-real-key <nil>
}
