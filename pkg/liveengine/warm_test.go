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
	c, err := New(Config{
		Endpoint:   upstream,
		Secrets:    new(secret.Cache),
		Limiter:    giftstats.NewLimiter(1),
		Timeout:    time.Minute,
		Attempts:   1,
		HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFirstCallUsesTheConnectionDialedAhead(t *testing.T) {
	for _, test := range []struct {
		name          string
		secure, http2 bool
		proto         string
	}{
		{name: "plain", proto: "HTTP/1.1"},
		{name: "TLS", secure: true, proto: "HTTP/1.1"},
		{name: "TLS with HTTP/2", secure: true, http2: true, proto: "HTTP/2.0"},
	} {
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

func TestConnectionThatWasIdleTooLongIsNotUsed(t *testing.T) {
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
		t.Fatalf("the first call after a failed Warm: %v", err)
	}
	response.Body.Close()
	client.CloseIdleConnections()
	warmClient(t, s, &http.Client{}).Warm(t.Context()) // any other client cannot be warmed
}

func TestWarmLeavesProxiesAlone(t *testing.T) {
	s, connections := counted(t, false, false)
	client := trusting(s)
	client.Transport.(*transport).Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.example") }
	warmClient(t, s, client).Warm(t.Context())
	if connections.Load() != 0 {
		t.Error("dialed the server although there is a proxy")
	}
}

func TestNewHTTPClient(t *testing.T) {
	inner := NewHTTPClient().Transport.(*transport)
	if inner.MaxIdleConnsPerHost != 64 || inner.MaxConnsPerHost != 64 {
		t.Errorf("%d idle connections of %d per host, want 64 of 64", inner.MaxIdleConnsPerHost, inner.MaxConnsPerHost)
	}
	if !inner.ForceAttemptHTTP2 {
		t.Error("HTTP/2 is not attempted")
	}
	if inner.Proxy == nil {
		t.Error("the proxy of the environment is not used")
	}
	if inner.TLSClientConfig.InsecureSkipVerify {
		t.Error("certificates are not verified")
	}
	if inner.TLSClientConfig.MinVersion != tls.VersionTLS12 {
		t.Errorf("minimum TLS version is %x, want TLS 1.2", inner.TLSClientConfig.MinVersion)
	}
}
