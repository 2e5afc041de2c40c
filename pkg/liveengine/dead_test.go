package liveengine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
)

// network connects clients with a server in memory, so that tests can run in fake time. It can drop its connections silently, as a router
// does that has forgotten them.
type network struct {
	accepted chan net.Conn
	closed   chan struct{}

	mu    sync.Mutex
	conns []*droppable
}

func newNetwork() *network {
	return &network{accepted: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	conn := &droppable{Conn: client, dropped: make(chan struct{})}
	n.mu.Lock()
	n.conns = append(n.conns, conn)
	n.mu.Unlock()
	select {
	case n.accepted <- server:
		return conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// drop drops all connections of this moment.
func (n *network) drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.once.Do(func() { close(conn.dropped) })
	}
}

// Accept makes network a net.Listener.
func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.accepted:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	close(n.closed)
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// droppable is the client's end of a connection. Once dropped, it swallows what is written, and nothing arrives.
type droppable struct {
	net.Conn
	once    sync.Once
	dropped chan struct{}
}

func (d *droppable) Write(p []byte) (int, error) {
	select {
	case <-d.dropped:
		return len(p), nil
	default:
		return d.Conn.Write(p)
	}
}

func (d *droppable) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	select {
	case <-d.dropped:
		if err != nil {
			return n, err
		}
		return d.Read(p) // what was sent before the drop is lost as well
	default:
		return n, err
	}
}

type keyStore string

func (s keyStore) Fetch(context.Context) ([]byte, error) { return []byte(s), nil }

// dropping runs test in fake time with a client that has used a connection to a server.
func dropping(t *testing.T, http2 bool, test func(t *testing.T, net *network, ask func() error)) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork()
		server := &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(100 * time.Millisecond) // so that concurrent requests need connections of their own
				io.WriteString(w, `{"ErrorCode":0,"Response":{"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}`)
			}),
			ErrorLog: log.New(io.Discard, "", 0),
			// Session tickets are written during the handshake, when nobody reads from the client's end of a net.Pipe.
			TLSConfig: &tls.Config{Certificates: certified.TLS.Certificates, SessionTicketsDisabled: true},
			Protocols: new(http.Protocols),
		}
		server.Protocols.SetHTTP1(!http2)
		server.Protocols.SetHTTP2(http2)
		go server.ServeTLS(network, "", "")
		defer server.Close()

		roots := x509.NewCertPool()
		roots.AddCert(certified.Certificate())
		config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
		client := newHTTPClient(config)
		client.Transport.(*transport).Proxy = nil // whatever proxy this machine has
		client.Transport.(*transport).DialTLSContext = func(ctx context.Context, name, address string) (net.Conn, error) {
			conn, err := network.dial(ctx, name, address)
			if err != nil {
				return nil, err
			}
			named := config.Clone()
			named.ServerName = "example.com"
			secure := tls.Client(conn, named)
			return secure, secure.HandshakeContext(ctx)
		}
		defer client.CloseIdleConnections()
		c, err := New(Config{
			Endpoint: &url.URL{Scheme: "https", Host: "example.com"},
			Secrets: secrettest.NewCache(secret.Config{
				Store: keyStore("not-a-real-key"), KeyDefaults: secret.KeyDefaults{SDKAppID: 1400000000, Admin: "administrator"},
			}),
			Limiter: giftstats.NewLimiter(100_000), Timeout: 3 * time.Second, Attempts: 3, HTTPClient: client,
		})
		if err != nil {
			t.Fatal(err)
		}
		ask := func() error {
			_, err := c.GiftCount(t.Context(), giftstats.Query{RoomID: "r", Account: "a"})
			return err
		}
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		test(t, network, ask)
	})
}

func TestDroppedHTTP2ConnectionDoesNotFailEveryRequest(t *testing.T) {
	dropping(t, true, func(t *testing.T, network *network, ask func() error) {
		network.drop()
		dropped := time.Now()
		for time.Since(dropped) < 20*time.Second {
			started := time.Now()
			if err := ask(); err != nil {
				t.Errorf("%v after the drop: %v", started.Sub(dropped), err)
			}
			if took := time.Since(started); took > 2500*time.Millisecond {
				t.Errorf("a request %v after the drop took %v, want at most 2.5 s", started.Sub(dropped), took)
			}
			time.Sleep(5 * time.Second)
		}
	})
}

func TestDroppedHTTP11ConnectionsAreNotTriedOneByOne(t *testing.T) {
	dropping(t, false, func(t *testing.T, network *network, ask func() error) {
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				if err := ask(); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		network.drop()
		dropped := time.Now()
		if err := ask(); err != nil {
			t.Errorf("%v after the drop: %v", time.Since(dropped), err)
		}
		if took := time.Since(dropped); took > 3500*time.Millisecond {
			t.Errorf("took %v, want one time-out and one answer", took)
		}
	})
}
