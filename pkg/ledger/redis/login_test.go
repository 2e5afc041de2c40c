package redis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/giftstats/giftstats/pkg/ledger/redis"
)

func TestChangedPassword(t *testing.T) {
	w := newWorld(t)
	renewed := login("giftstats", "another-password")
	w.secrets.renewed = &renewed
	w.server.RequireUserAuth("giftstats", "another-password")
	w.lease(t.Context(), t)
	if w.secrets.rereads != 1 {
		t.Errorf("the secret was read again %d times", w.secrets.rereads)
	}
}

// The secret document did not have a login when it was read, and the server now wants one.
func TestNewPassword(t *testing.T) {
	w := newWorld(t)
	renewed := login("giftstats", password)
	w.secrets.login, w.secrets.renewed = login("", ""), &renewed
	w.lease(t.Context(), t)
	if w.secrets.rereads != 1 {
		t.Errorf("the secret was read again %d times", w.secrets.rereads)
	}
}

// refusing answers every command with an error reply that has all its arguments in it.
func refusing(t *testing.T) net.Addr {
	t.Helper()
	listener, err := server.NewServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	listener.SetPreHook(func(peer *server.Peer, name string, args ...string) bool {
		peer.WriteError(fmt.Sprintf("ERR unknown command %q: %q, with args beginning with: %q", name, args, args))
		return true
	})
	return listener.Addr()
}

func TestPasswordInAReply(t *testing.T) {
	store := open(t, redis.Config{
		Name: refusing(t).String() + "/0", Secrets: &secrets{login: login("giftstats", password)}, Now: time.Now,
	})
	_, err := store.OpenRooms(t.Context())
	if err == nil || !strings.Contains(err.Error(), "unknown command") || strings.Contains(err.Error(), password) {
		t.Errorf("OpenRooms returned %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	server := newServer(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	done := make(chan struct{})
	defer close(done)
	for _, test := range []struct {
		name   string
		config redis.Config
		want   error // what the error is at least; nil: any
	}{
		{name: "refused", config: redis.Config{Name: free.Addr().String() + "/0"}},
		{
			name: "no answer", want: context.DeadlineExceeded,
			config: redis.Config{Name: "192.0.2.1:6379/0", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				select {
				case <-ctx.Done():
				case <-done: // the store goes on dialing after its caller has given up
				}
				return nil, context.Canceled
			}},
		},
		{
			name:   "wrong password",
			config: redis.Config{Name: server.Addr() + "/0", Secrets: &secrets{login: login("giftstats", "wrong-"+password)}},
		},
		{
			name:   "wrong user",
			config: redis.Config{Name: server.Addr() + "/0", Secrets: &secrets{login: login("nobody", password)}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.config.Secrets == nil {
				test.config.Secrets = &secrets{login: login("giftstats", password)}
			}
			test.config.Now = time.Now
			_, err := open(t, test.config).OpenRooms(within(t, 200*time.Millisecond))
			switch {
			case err == nil:
				t.Error("OpenRooms returned no error")
			case strings.Contains(err.Error(), password):
				t.Errorf("the error tells the password: %v", err)
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("the error is %v, want %v", err, test.want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	example := httptest.NewTLSServer(nil) // for its certificate
	defer example.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(example.Certificate())
	start := func(newest uint16) string {
		server, err := miniredis.RunTLS(&tls.Config{
			Certificates: example.TLS.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: newest,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		server.RequireUserAuth("giftstats", password)
		return server.Addr() + "/0"
	}
	modern, old := start(0), start(tls.VersionTLS11)
	for _, test := range []struct {
		name  string
		at    string
		roots *x509.CertPool
		works bool
	}{
		{name: "a trusted certificate", at: modern, roots: trusted, works: true},
		{name: "an unknown certificate", at: modern, roots: x509.NewCertPool(), works: false},
		{name: "TLS 1.1", at: old, roots: trusted, works: false},
	} {
		store := open(t, redis.Config{
			Name: test.at, TLS: true, RootCAs: test.roots, Secrets: &secrets{login: login("giftstats", password)}, Now: time.Now,
		})
		if _, err := store.OpenRooms(t.Context()); (err == nil) != test.works {
			t.Errorf("%s: OpenRooms returned %v", test.name, err)
		}
	}
}
