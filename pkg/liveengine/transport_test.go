package liveengine_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/usersig"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func signedWith(sig, key string) bool {
	return usersig.Verify(sig, usersig.Identity{SDKAppID: 1400000000, Account: "administrator", Key: key}, time.Now()) == nil
}

func TestNoRedirects(t *testing.T) {
	var followed atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("/v4/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	s := httptest.NewServer(mux)
	defer s.Close()
	client := newClient(t, nil, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
		c.Endpoint, _ = endpoint.Parse(s.URL)
		c.HTTPClient = liveengine.NewHTTPClient()
	})
	if _, err := giftCount(t, client); !strings.Contains(err.Error(), "HTTP status 307") || followed.Load() {
		t.Errorf("error %v, followed: %v", err, followed.Load())
	}
}

// A certificate that is not trusted is a matter of configuration, on one side or the other, and no attempt is repeated.
func TestUnknownCertificateIsRefused(t *testing.T) {
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	client := newClient(t, nil, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
		c.Endpoint, _ = endpoint.Parse(s.URL)
		c.HTTPClient = liveengine.NewHTTPClient()
		c.Attempts = 3
	})
	_, err := giftCount(t, client)
	if !errors.Is(err, giftstats.CodeUpstreamConfig) {
		t.Errorf("error %v, want the code upstream_config", err)
	}
	if want := "the certificate of Tencent's host is not trusted"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("error %v, want %q in it", err, want)
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d connections, want one attempt", got)
	}
	client.Warm(t.Context()) // ignores the failure
}
