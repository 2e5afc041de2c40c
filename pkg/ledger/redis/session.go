package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/giftstats/giftstats/pkg/secret"
)

const (
	dialTimeout    = time.Second
	commandTimeout = 2 * time.Second
	// maxIdle is how long a connection may be unused before a new one replaces it. A frozen process does not see that the server or
	// something in between closed the connection.
	maxIdle = 45 * time.Second
)

var errClosed = errors.New("the store is closed")

// session is a connection that is logged in.
type session struct {
	client valkey.Client
	keys   keys
}

// flight is a connection that is being made. Its results may be read after done is closed.
type flight struct {
	done    chan struct{}
	session *session
	err     error
}

// session returns the connection, and makes one if there is none. Concurrent callers wait for the same one. A failure is not kept.
func (s *Store) session(ctx context.Context) (*session, error) {
	s.mu.Lock()
	now := s.wallClock()
	if s.current != nil && now.Sub(s.usedAt) > maxIdle {
		s.abandon()
	}
	if current := s.current; current != nil {
		s.usedAt = now
		s.mu.Unlock()
		return current, nil
	}
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	waiting := s.dialing
	if waiting == nil {
		waiting = &flight{done: make(chan struct{})}
		s.dialing = waiting
		go s.dial(context.WithoutCancel(ctx), waiting, now)
	}
	s.mu.Unlock()
	select {
	case <-waiting.done:
		return waiting.session, waiting.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wallClock returns the time without the monotonic clock, which may stand still while the process is frozen.
func (s *Store) wallClock() time.Time { return s.config.Now().Round(0) }

// abandon forgets the current connection. It does not wait until the connection is closed, because a dead one takes a second.
func (s *Store) abandon() {
	go s.current.client.Close()
	s.current = nil
}

// drop forgets a connection that failed, unless it has been replaced already.
func (s *Store) drop(failed *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == failed {
		s.abandon()
	}
}

func (s *Store) dial(ctx context.Context, f *flight, startedAt time.Time) {
	f.session, f.err = s.logIn(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.err == nil {
		s.current, s.usedAt = f.session, startedAt
	}
	if s.closed && f.err == nil {
		s.abandon()
		f.session, f.err = nil, errClosed
	}
	s.dialing = nil
	close(f.done)
}

// logIn makes a connection. If the server refuses the login, the secret may have been changed, so it is read again.
func (s *Store) logIn(ctx context.Context) (*session, error) {
	document, err := s.config.Secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	client, err := s.connect(document)
	if isRefused(err) {
		if renewed, again := s.config.Secrets.Reread(ctx, document); again {
			document = renewed
			client, err = s.connect(document)
		}
	}
	if err != nil {
		return nil, err
	}
	return &session{client, keysOf(document.SDKAppID)}, nil
}

// isRefused reports whether an error is the server's answer to a wrong or missing login.
func isRefused(err error) bool {
	reply, ok := valkey.IsValkeyErr(err)
	if !ok {
		return false
	}
	text := reply.Error()
	return strings.HasPrefix(text, "WRONGPASS") || strings.HasPrefix(text, "NOAUTH") || strings.HasPrefix(text, "ERR invalid password")
}

// connect dials the server and asks it whether it is part of a cluster. Only a single node has databases other than 0.
func (s *Store) connect(document *secret.Document) (valkey.Client, error) {
	client, err := valkey.NewClient(valkey.ClientOption{
		InitAddress: []string{s.address}, SelectDB: s.database, ForceSingleClient: s.database != 0,
		Username: document.Ledger.Username.Reveal(), Password: document.Ledger.Password.Reveal(),
		TLSConfig: s.tls, DialCtxFn: s.dialTCP,
		// Without keep-alive the client sends no pings of its own: they would fail in a process that is frozen now and then.
		Dialer: net.Dialer{Timeout: dialTimeout, KeepAlive: -1}, ConnWriteTimeout: commandTimeout,
		ReadBufferEachConn: bufferSize, WriteBufferEachConn: bufferSize, RingScaleEachConn: 8,
		PipelineMultiplex: -1,   // one connection to each node
		AlwaysPipelining:  true, // then a command returns as soon as its context is done
		DisableRetry:      true, DisableCache: true, ClientSetInfo: []string{},
	})
	if err != nil {
		if client != nil {
			client.Close()
		}
		return nil, err
	}
	return client, nil
}

const bufferSize = 64 << 10 // bytes; the client's default is half a megabyte

// dialTCP opens a connection, with TLS if config is not nil.
func (s *Store) dialTCP(ctx context.Context, address string, _ *net.Dialer, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := s.config.Dial(ctx, "tcp", address)
	if err != nil || config == nil {
		return conn, err
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// Close closes the connection. The store must not be used afterwards.
func (s *Store) Close() {
	s.mu.Lock()
	s.closed = true
	current := s.current
	s.current = nil
	s.mu.Unlock()
	if current != nil {
		current.client.Close()
	}
}
