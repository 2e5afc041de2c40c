package liveengine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
)

// counted starts a server that counts its connections.
func counted(t *testing.T, secure, http2 bool) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	connections := &atomic.Int64{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Proto)) }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.EnableHTTP2 = http2
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, connections
}

func trusting(s *httptest.Server) *http.Client {
	roots := x509.NewCertPool()
	if s.Certificate() != nil {
		roots.AddCert(s.Certificate())
	}
	return newHTTPClient(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots})
}

func warmClient(t *testing.T, s *httptest.Server, client *http.Client) *Client {
	t.Helper()
	upstream, err := endpoint.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Endpoint: upstream, Secrets: secret.NewCache(secret.Options{}), Limiter: giftstats.NewLimiter(1), Timeout: time.Second, Attempts: 1, HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFirstCallUsesTheConnectionDialledAhead(t *testing.T) {
	for _, test := range []struct {
		name          string
		secure, http2 bool
		proto         string
	}{{"plain", false, false, "HTTP/1.1"}, {"TLS", true, false, "HTTP/1.1"}, {"TLS with HTTP/2", true, true, "HTTP/2.0"}} {
		t.Run(test.name, func(t *testing.T) {
			s, connections := counted(t, test.secure, test.http2)
			client := trusting(s)
			defer client.CloseIdleConnections()
			c := warmClient(t, s, client)
			var warm sync.WaitGroup
			for range 3 {
				warm.Go(func() { c.Warm(t.Context()) })
			}
			warm.Wait()
			for range 2 {
				response, err := client.Get(s.URL)
				if err != nil {
					t.Fatal(err)
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.Proto != test.proto {
					t.Errorf("protocol is %s, want %s", response.Proto, test.proto)
				}
			}
			if got := connections.Load(); got != 1 {
				t.Errorf("%d connections, want 1", got)
			}
		})
	}
}

func TestAConnectionThatLayTooLongIsNotUsed(t *testing.T) {
	s, connections := counted(t, false, false)
	client := trusting(s)
	defer client.CloseIdleConnections()
	warmClient(t, s, client).Warm(t.Context())
	client.Transport.(*transport).dialer.ahead.at = time.Now().Add(-2 * idleTimeout)
	response, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := connections.Load(); got != 2 {
		t.Errorf("%d connections, want 2", got)
	}
}

func TestWarmFailsSilently(t *testing.T) {
	s, _ := counted(t, false, false)
	client := trusting(s)
	c := warmClient(t, s, client)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	c.Warm(cancelled)
	response, err := client.Get(s.URL)
	if err != nil {
		t.Fatalf("the first call does not dial for itself: %v", err)
	}
	response.Body.Close()
	client.CloseIdleConnections()
	warmClient(t, s, &http.Client{}).Warm(t.Context()) // a client of another make has nothing to warm
}

func TestWarmLeavesProxiesAlone(t *testing.T) {
	s, connections := counted(t, false, false)
	client := trusting(s)
	client.Transport.(*transport).Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.example") }
	warmClient(t, s, client).Warm(t.Context())
	if connections.Load() != 0 {
		t.Error("dialled past the proxy")
	}
}

func TestHTTPClientIsMadeForOneBatch(t *testing.T) {
	inner := NewHTTPClient().Transport.(*transport)
	if inner.MaxIdleConnsPerHost != 64 || inner.MaxConnsPerHost != 64 || !inner.ForceAttemptHTTP2 || inner.Proxy == nil ||
		inner.TLSClientConfig.InsecureSkipVerify || inner.TLSClientConfig.MinVersion != tls.VersionTLS12 {
		t.Errorf("%+v", inner.Transport)
	}
}
