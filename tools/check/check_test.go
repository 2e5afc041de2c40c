package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// configure sets the environment for an app whose document is in a file.
func configure(t *testing.T, endpoint, document string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIFTSTATS_SECRET", "file://"+file)
	t.Setenv("GIFTSTATS_ENDPOINT", endpoint)
	t.Setenv("GIFTSTATS_ATTEMPTS", "1")
	t.Setenv("GIFTSTATS_TIMEOUT", "1m") // a machine that runs tests may be busy for seconds
	t.Setenv("KEY", "")
}

// result runs the check and returns what it prints. It fails the test if that contains anything secret.
func result(t *testing.T, engines ...*simulator.Engine) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), nil, nil, &out)
	secrets := append(fixture.Secrets(), "usersig=")
	for _, engine := range engines {
		for _, call := range engine.Calls() {
			secrets = append(secrets, call.Query.Get("usersig"))
		}
	}
	for _, hidden := range secrets {
		if strings.Contains(fmt.Sprint(&out, err), hidden) {
			t.Errorf("the output contains %q: %s%v", hidden, &out, err)
		}
	}
	return out.String(), err
}

func TestRightSettings(t *testing.T) {
	engine, endpoint := fixture.Engine(t, nil)
	configure(t, endpoint, fixture.Document(fixture.SecretKey))
	for name, fault := range map[string]simulator.Fault{
		"the room is unknown":    {},
		"the account is unknown": {Code: 70107},
		"unknown rooms are zero": {Body: []byte(`{"ErrorCode":0,"Response":{"TotalCount":0,"TotalCoins":0,"GiftSenderCount":0}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if fault.Code != 0 || fault.Body != nil {
				engine.Misbehave(fault)
			}
			out, err := result(t, engine)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				"1400000000", `"administrator"`, "api_keys             1", "webhook.live_token   set", "OK: key and region are right.",
				"get_gift_count at " + endpoint,
			} {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q: %s", want, out)
				}
			}
		})
	}
	if got := engine.Count("get_gift_count"); got != 3 {
		t.Errorf("3 checks made %d calls", got)
	}
}

func TestVerdicts(t *testing.T) {
	engine, endpoint := fixture.Engine(t, nil)
	configure(t, endpoint, fixture.Document(fixture.SecretKey))
	for _, test := range []struct {
		code int
		want string
	}{
		{code: 60004, want: "Wrong key, administrator or app:"},
		{code: 60006, want: "Wrong app or region:"},
		{code: 60007, want: "Nothing proved: Tencent limits"},
		{code: 60009, want: "Wrong address:"},
		{code: 60010, want: "Wrong administrator: key and region are right"},
		{code: 60012, want: "Refused: Tencent did not accept the form"},
		{code: 60016, want: "Suspended:"},
		{code: 60017, want: "Suspended:"},
		{code: 60020, want: "Suspended:"},
		{code: 60021, want: "Address not allowed:"},
		{code: 60025, want: "Wrong key, administrator or app:"},
		{code: 60026, want: "Wrong region:"},
		{code: 60027, want: "Wrong app:"},
		{code: 60028, want: "Suspended:"},
		{code: 70001, want: "Wrong clock:"},
		{code: 70003, want: "Wrong key:"},
		{code: 70005, want: "Wrong key:"},
		{code: 70009, want: "Wrong key:"},
		{code: 70013, want: "Wrong key, administrator or app:"},
		{code: 70014, want: "Wrong key, administrator or app:"},
		{code: 70016, want: "Wrong app or region:"},
		{code: 70020, want: "Wrong app or region:"},
		{code: 70050, want: "Too many wrong signatures:"},
		{code: 70051, want: "Wrong administrator:"},
		{code: 70114, want: "Wrong administrator:"},
		{code: 70402, want: "Refused: Tencent did not accept the form"},
		{code: 70403, want: "Wrong administrator: key and region are right"},
		{code: 70500, want: "Nothing proved: Tencent has an internal error."},
		{code: 72000, want: "Suspended:"},
		{code: 72001, want: "Feature off: key and region are right"},
		{code: 72011, want: "Feature off: key and region are right"},
		{code: 72012, want: "Feature off: key and region are right"},
		{code: 100001, want: "Nothing proved: Tencent has an internal error."},
		{code: 100002, want: "Refused: key and region are right"},
		{code: 100006, want: "Not permitted: key and region are right"},
		{code: 100012, want: "Nothing proved: Tencent limits"},
		{code: 102001, want: "Gifts are off: key and region are right"},
		{code: 123456, want: "Nothing proved: Tencent has an internal error."},
	} {
		engine.Misbehave(simulator.Fault{Code: test.code, Info: "text of Tencent", Times: -1})
		_, err := result(t, engine)
		engine.Heal()
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%d gives %v, want %q", test.code, err, test.want)
			continue
		}
		for _, want := range []string{"\n  Tencent", "text of Tencent", "Tencent's request id: Id-"} {
			if test.code != 70050 && !strings.Contains(err.Error(), want) {
				t.Errorf("%d gives %v, which lacks %q", test.code, err, want)
			}
		}
	}
}

// The simulator finds these mistakes by itself.
func TestRealMistakes(t *testing.T) {
	engine, endpoint := fixture.Engine(t, nil)
	for _, test := range []struct {
		name, document, want string
	}{
		{name: "another key", document: fixture.Document("another-not-real-key"), want: "Wrong key: secret_key is not the key of this app."},
		{
			name: "another app", want: "Wrong app or region: this host does not know the app.",
			document: strings.Replace(fixture.Document(fixture.SecretKey), "1400000000", "1400000001", 1),
		},
		{
			name: "a user", want: "Wrong administrator: key and region are right",
			document: strings.Replace(fixture.Document(fixture.SecretKey), "administrator", "alice", 1),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			configure(t, endpoint, test.document)
			if _, err := result(t, engine); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}

// What is wrong between this machine and Tencent.
func TestNoAnswer(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); w.Write([]byte(body)) }
	}
	closed := httptest.NewServer(answer(200, ""))
	closed.Close()
	for _, test := range []struct {
		name    string
		handler http.Handler
		tls     bool
		want    []string
	}{
		{name: "nothing listens", want: []string{"Not reachable: this machine cannot reach 127.0.0.1:", "connection refused"}},
		{
			name: "unknown certificate", handler: answer(200, "{}"), tls: true,
			want: []string{"Wrong certificate: the host cannot prove that it is 127.0.0.1.", "x509"},
		},
		{name: "a page", handler: answer(200, "<html>"), want: []string{"Wrong address: the answer is not from Tencent's API.", "invalid JSON"}},
		{name: "a redirection", handler: answer(302, ""), want: []string{"Wrong address: this host is not Tencent's API", "HTTP status 302"}},
		{name: "a proxy", handler: answer(403, "no"), want: []string{"Nothing proved: the host, or a proxy on the way,", "HTTP status 403"}},
		{
			name: "no answer in time", want: []string{"Not reachable: Tencent did not answer in time."},
			handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body) // a server notices only then that its client has gone
				<-r.Context().Done()
			}),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := closed
			switch {
			case test.tls:
				server = httptest.NewUnstartedServer(test.handler)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.StartTLS()
			case test.handler != nil:
				server = httptest.NewServer(test.handler)
			}
			defer server.Close()
			configure(t, server.URL, fixture.Document(fixture.SecretKey))
			if strings.Contains(test.name, "in time") {
				t.Setenv("GIFTSTATS_TIMEOUT", "10ms")
			}
			_, err := result(t)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	_, endpoint := fixture.Engine(t, nil)
	configure(t, endpoint, fixture.Document(fixture.SecretKey))
	t.Setenv("GIFTSTATS_SECRET", "env://DOCUMENT")
	t.Setenv("DOCUMENT", fixture.Document(fixture.SecretKey))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, nil, nil, &bytes.Buffer{}); err == nil || err.Error() != "interrupted" {
		t.Errorf("the error is %v", err)
	}
}

// A key may be stored in the place of its hash. If the key has 64 hex digits, only the key itself shows that.
func TestKeyOfACaller(t *testing.T) {
	_, endpoint := fixture.Engine(t, nil)
	hexKey := strings.Repeat("5e", 32)
	plain := strings.Replace(fixture.Document(fixture.SecretKey), `"backoffice":"`, `"app":"`+hexKey+`","backoffice":"`, 1)
	for _, test := range []struct {
		name, key, want string
	}{
		{name: "right", key: fixture.APIKey},
		{name: "unknown", key: "not-a-known-key", want: "its SHA-256 is not in api_keys"},
		{name: "stored itself", key: hexKey, want: "api_keys contains the API key in the variable KEY itself"},
	} {
		t.Run(test.name, func(t *testing.T) {
			configure(t, endpoint, plain)
			t.Setenv("KEY", test.key)
			out, err := result(t)
			switch {
			case strings.Contains(out, test.key):
				t.Errorf("the output contains the key: %s", out)
			case test.want == "" && (err != nil || !strings.Contains(out, "is one of api_keys")):
				t.Errorf("the key is not accepted: %v: %s", err, out)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "read -rs")):
				t.Errorf("the error is %v, want %q in it", err, test.want)
			case err != nil && strings.Contains(err.Error(), test.key):
				t.Errorf("the error contains the key: %v", err)
			}
		})
	}
}

// What is missing from a document, and what that means.
func TestSmallDocument(t *testing.T) {
	_, endpoint := fixture.Engine(t, nil)
	configure(t, endpoint, `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"`+fixture.SecretKey+`"}`)
	out, err := result(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"api_keys             not set: no back end can call", "webhook.live_token   not set: webhooks for live rooms will be answered with 404",
		"delivery_key         not set: summaries cannot be delivered to https://", "ledger.password      not set",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q: %s", want, out)
		}
	}
}
