// Package remote puts distance between a function and the services that it calls, for tests and measurements of the first
// answer: connections that take a round trip to open, and requests that wait until somebody lets them go.
package remote

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Upstream is a server that speaks TLS.
type Upstream struct {
	URL         string
	Certificate string // the file to trust: what SSL_CERT_FILE names
	connections atomic.Int64
}

// Connections counts those that were opened so far.
func (u *Upstream) Connections() int { return int(u.connections.Load()) }

// NewUpstream serves with handler. Each new connection calls hold before the server reads the first byte, so that the client's
// handshake takes that much longer.
func NewUpstream(t testing.TB, handler http.Handler, hold func()) *Upstream {
	t.Helper()
	u := &Upstream{Certificate: filepath.Join(t.TempDir(), "upstream.pem")}
	server := httptest.NewUnstartedServer(handler)
	server.Listener = listener{server.Listener, hold, &u.connections}
	server.StartTLS()
	t.Cleanup(server.Close)
	u.URL = server.URL
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(u.Certificate, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return u
}

type listener struct {
	net.Listener
	hold  func()
	count *atomic.Int64
}

func (l listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.count.Add(1)
	return &conn{Conn: inner, hold: l.hold}, nil
}

type conn struct {
	net.Conn
	once sync.Once
	hold func()
}

func (c *conn) Read(into []byte) (int, error) {
	c.once.Do(c.hold)
	return c.Conn.Read(into)
}

// InFrontOf starts a server that calls hold for each request and then passes it on to target. The request keeps its host, which
// signatures cover.
func InFrontOf(t testing.TB, target string, hold func()) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hold()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Gate blocks its callers until it is opened. Open it before the servers close, because they wait for blocked requests.
type Gate struct {
	came chan struct{}
	open chan struct{}
	once sync.Once
}

// NewGate returns a closed gate.
func NewGate() *Gate { return &Gate{came: make(chan struct{}, 1000), open: make(chan struct{})} }

// Hold blocks until the gate is open. The first thousand callers are counted for Await.
func (g *Gate) Hold() {
	select {
	case g.came <- struct{}{}:
	default:
	}
	<-g.open
}

// Open releases all callers, and those that come later.
func (g *Gate) Open() { g.once.Do(func() { close(g.open) }) }

// Await waits for a caller that was not awaited yet. It reports false if there is none within a minute.
func (g *Gate) Await() bool {
	select {
	case <-g.came:
		return true
	case <-time.After(time.Minute):
		return false
	}
}

// MaxHold is how long a program may be held without giving up: it waits three seconds for its secret.
const MaxHold = 2500 * time.Millisecond

// InTime calls do until it has held a program for no longer than MaxHold, but five times at most. It reports whether do has achieved that.
func InTime(do func() (held time.Duration)) bool {
	for range 5 {
		if do() <= MaxHold {
			return true
		}
	}
	return false
}
