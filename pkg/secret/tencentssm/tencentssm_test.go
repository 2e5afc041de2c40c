package tencentssm_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
)

var _ secret.Store = (*tencentssm.Store)(nil)

func start(t *testing.T) *tencentapi.Server {
	t.Helper()
	server := tencentapi.New(tencentapi.Config{Credentials: tencentapi.Credentials{
		SecretID: "AKIDEXAMPLE", SecretKey: secrettest.CloudKey, Token: secrettest.CloudToken,
	}})
	t.Cleanup(server.Close)
	server.SetSecret("app", "v1", secrettest.Value)
	return server
}

// lookup returns a function that looks up the variables of a client of the server, with changes.
func lookup(server *tencentapi.Server, changes map[string]string) func(string) string {
	return func(name string) string {
		if changed, ok := changes[name]; ok {
			return changed
		}
		return server.Lookup(name)
	}
}

func newStore(t *testing.T, config tencentssm.Config) *tencentssm.Store {
	t.Helper()
	store, err := tencentssm.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, secretName, endpoint, want string }{
		{name: "name", secretName: "app"},
		{name: "international site", secretName: "app", endpoint: "https://ssm.intl.tencentcloudapi.com"},
		{name: "slash", secretName: "app", endpoint: "https://ssm.tencentcloudapi.com/"},
		{name: "loopback", secretName: "app", endpoint: "http://127.0.0.1:1"},
		{name: "loopback of version 6", secretName: "app", endpoint: "http://[::1]:1"},
		{name: "localhost", secretName: "app", endpoint: "http://localhost"},
		{name: "no name", want: "the secret's name is required"},
		{
			name:       "open endpoint",
			secretName: "app",
			endpoint:   "http://ssm.tencentcloudapi.com",
			want:       "the endpoint must start with https:// (http:// is allowed for loopback hosts only)",
		},
		{
			name:       "other scheme",
			secretName: "app",
			endpoint:   "ftp://ssm.tencentcloudapi.com",
			want:       "the endpoint must start with https://",
		},
		{
			name:       "no scheme",
			secretName: "app",
			endpoint:   "ssm.tencentcloudapi.com",
			want:       "the endpoint must be a URL like https://host",
		},
		{name: "invalid URL", secretName: "app", endpoint: "https://%zz", want: "the endpoint must be a URL like https://host"},
		{name: "path", secretName: "app", endpoint: "https://host/path", want: "the endpoint must be a URL without path"},
		{name: "query", secretName: "app", endpoint: "https://host?a", want: "without user, query"},
		{name: "user", secretName: "app", endpoint: "https://" + secrettest.CloudToken + "@host", want: "without user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := tencentssm.New(tencentssm.Config{SecretName: test.secretName, Endpoint: test.endpoint})
			if test.want == "" {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			secrettest.WantError(t, err, "Tencent's Secrets Manager", test.want)
		})
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "v2", "second")
	server.SetSecret("product", "SSM_Current", "current")
	server.SetSecretBinary("bytes", "v1", []byte{0, 1, 2})
	permanent := tencentapi.New(tencentapi.Config{Credentials: tencentapi.Credentials{
		SecretID: "AKIDEXAMPLE", SecretKey: secrettest.CloudKey,
	}})
	t.Cleanup(permanent.Close)
	permanent.SetSecret("app", "v1", "permanent")
	for _, test := range []struct {
		name    string
		config  tencentssm.Config
		changes map[string]string
		want    string
	}{
		{name: "first version", config: tencentssm.Config{SecretName: "app", Version: "v1"}, want: secrettest.Value},
		{name: "second version", config: tencentssm.Config{SecretName: "app", Version: "v2"}, want: "second"},
		{name: "default version", config: tencentssm.Config{SecretName: "product"}, want: "current"},
		{name: "binary", config: tencentssm.Config{SecretName: "bytes", Version: "v1"}, want: "\x00\x01\x02"},
		{
			name:    "region of the config",
			config:  tencentssm.Config{SecretName: "app", Version: "v1", Region: "ap-seoul"},
			changes: map[string]string{"TENCENTCLOUD_REGION": ""},
			want:    secrettest.Value,
		},
		{
			name: "variables of Tencent's tools", config: tencentssm.Config{SecretName: "app", Version: "v1"},
			changes: map[string]string{
				"TENCENTCLOUD_SECRETID": "", "TENCENTCLOUD_SECRETKEY": "", "TENCENTCLOUD_SESSIONTOKEN": "",
				"TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY": secrettest.CloudKey,
				"TENCENTCLOUD_SECURITY_TOKEN": secrettest.CloudToken,
			},
			want: secrettest.Value,
		},
		{
			name:   "variables of Tencent's tools, no token",
			config: tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: permanent.URL},
			changes: map[string]string{
				"TENCENTCLOUD_SECRETID": "", "TENCENTCLOUD_SECRETKEY": "", "TENCENTCLOUD_SESSIONTOKEN": "",
				"TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY": secrettest.CloudKey,
			},
			want: "permanent",
		},
		{
			name:    "SCF's variables have priority",
			config:  tencentssm.Config{SecretName: "app", Version: "v1"},
			changes: map[string]string{"TENCENTCLOUD_SECRET_ID": "AKIDOTHER", "TENCENTCLOUD_SECRET_KEY": "not-a-real-key-other"},
			want:    secrettest.Value,
		},
		{
			name:   "SCF's variables are incomplete",
			config: tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: permanent.URL},
			changes: map[string]string{
				"TENCENTCLOUD_SECRETKEY": "", "TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE", "TENCENTCLOUD_SECRET_KEY": secrettest.CloudKey,
			},
			want: "permanent",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.config.Lookup = lookup(server, test.changes)
			if test.config.Endpoint == "" {
				test.config.Endpoint = server.URL
			}
			got, err := newStore(t, test.config).Fetch(t.Context())
			if err != nil || string(got) != test.want {
				t.Errorf("Fetch = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestFetchFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup})
	secrettest.CheckFetch(t, store, func() int { return server.Calls("GetSecretValue") })
	if got := server.Calls(""); got != 9 {
		t.Errorf("%d calls, want only 9 of GetSecretValue", got)
	}
}

// On SCF the credentials arrive with each invocation, and change every few hours.
func TestFetchUsesNewCredentials(t *testing.T) {
	t.Parallel()
	server := start(t)
	store := newStore(t, tencentssm.Config{SecretName: "app", Version: "v1", Endpoint: server.URL, Lookup: server.Lookup})
	for i := range 3 {
		server.SetCredentials(tencentapi.Credentials{
			SecretID: fmt.Sprintf("AKIDEXAMPLE%d", i), SecretKey: fmt.Sprintf("not-a-real-key-%d", i),
			Token: fmt.Sprintf("not-a-real-token-%d", i),
		})
		if _, err := store.Fetch(t.Context()); err != nil {
			t.Errorf("credentials %d: %v", i, err)
		}
	}
}

func Example() {
	server := tencentapi.New(tencentapi.Config{})
	defer server.Close()
	server.SetSecret("giftstats", "v1", "not-a-real-key")
	store, err := tencentssm.New(tencentssm.Config{
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
