package liveengine

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	maxConnections = 64               // per host: enough for all concurrent calls of one batch
	idleTimeout    = 30 * time.Second // gateways close idle connections later than this
	dialTimeout    = 5 * time.Second
	// A connection that a router has silently dropped looks open. If an HTTP/2 connection is silent for pingAfter, a ping asks whether the
	// server still answers, and without an answer within pingTimeout the connection is closed.
	pingAfter   = time.Second
	pingTimeout = time.Second
)

// NewHTTPClient returns an HTTP client that all calls of a process share. It verifies TLS 1.2 or newer, uses HTTP/2 if the
// server offers it and the proxy of the environment, and follows no redirects: they would carry the signature to another host.
func NewHTTPClient() *http.Client { return newHTTPClient(&tls.Config{MinVersion: tls.VersionTLS12}) }

func newHTTPClient(config *tls.Config) *http.Client {
	config.ClientSessionCache = tls.NewLRUClientSessionCache(maxConnections)
	config.NextProtos = []string{"h2", "http/1.1"}
	dialer := &dialer{dialer: net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}, tls: config}
	inner := http.DefaultTransport.(*http.Transport).Clone()
	inner.MaxIdleConns = maxConnections
	inner.MaxIdleConnsPerHost = maxConnections
	inner.MaxConnsPerHost = maxConnections
	inner.IdleConnTimeout = idleTimeout
	inner.TLSHandshakeTimeout = dialTimeout
	inner.TLSClientConfig = config
	inner.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	inner.DialContext = dialer.plain
	inner.DialTLSContext = dialer.secure
	return &http.Client{
		Transport:     &transport{Transport: inner, dialer: dialer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Warm opens the connection for the first call ahead of time, so that connecting overlaps with reading the secret. It returns
// when the connection is established. It ignores failures: the first call then dials itself.
func (c *Client) Warm(ctx context.Context) {
	if t, ok := c.config.HTTPClient.Transport.(*transport); ok {
		t.warm(ctx, c.config.Endpoint)
	}
}

// transport is an http.Transport that can open its first connection ahead of time.
type transport struct {
	*http.Transport
	dialer *dialer
}

func (t *transport) warm(ctx context.Context, endpoint *url.URL) {
	if proxy, err := t.Proxy(&http.Request{URL: endpoint}); proxy != nil || err != nil {
		return
	}
	port, dial := "443", t.dialer.dialTLS
	if endpoint.Scheme == "http" {
		port, dial = "80", t.dialer.dialer.DialContext
	}
	if endpoint.Port() != "" {
		port = endpoint.Port()
	}
	t.dialer.dialAhead(ctx, net.JoinHostPort(endpoint.Hostname(), port), dial)
}

// dialer dials for the transport. It holds at most one connection dialed ahead, for the first caller that asks for its address.
type dialer struct {
	dialer net.Dialer
	tls    *tls.Config

	mu    sync.Mutex
	ahead *aheadConn
}

// aheadConn is a connection dialed ahead. conn and at must not be read before done is closed.
type aheadConn struct {
	address string
	done    chan struct{}
	conn    net.Conn // nil if dialing failed
	at      time.Time
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (d *dialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address, d.dialer.DialContext)
}

func (d *dialer) secure(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address, d.dialTLS)
}

func (d *dialer) dial(ctx context.Context, network, address string, dial dialFunc) (net.Conn, error) {
	if conn := d.take(address); conn != nil {
		return conn, nil
	}
	return dial(ctx, network, address)
}

func (d *dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	secure := tls.Dialer{NetDialer: &d.dialer, Config: d.tls}
	return secure.DialContext(ctx, network, address)
}

func (d *dialer) dialAhead(ctx context.Context, address string, dial dialFunc) {
	ahead := &aheadConn{address: address, done: make(chan struct{})}
	d.mu.Lock()
	if d.ahead != nil {
		d.mu.Unlock()
		return
	}
	d.ahead = ahead
	d.mu.Unlock()
	defer close(ahead.done)
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if conn, err := dial(ctx, "tcp", address); err == nil {
		ahead.conn, ahead.at = conn, time.Now()
	}
}

// take returns the connection dialed ahead to the address, and waits for it if necessary. It returns nil if there is none, or if
// it was idle for too long.
func (d *dialer) take(address string) net.Conn {
	d.mu.Lock()
	ahead := d.ahead
	if ahead == nil || ahead.address != address {
		d.mu.Unlock()
		return nil
	}
	d.ahead = nil
	d.mu.Unlock()
	<-ahead.done
	// Round(0) compares by wall clock: the monotonic clock may stand still while the process is frozen.
	if ahead.conn != nil && time.Now().Round(0).Sub(ahead.at.Round(0)) > idleTimeout {
		ahead.conn.Close()
		return nil
	}
	return ahead.conn
}
