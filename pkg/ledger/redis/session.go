package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	redigo "github.com/gomodule/redigo/redis"

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
	address string
	pipe    *pipe
	prefix  string // of all keys
	usedAt  time.Time
}

// flight is a connection that is being made. Its results may be read after done is closed.
type flight struct {
	done    chan struct{}
	session *session
	err     error
}

// session returns the connection to a node, and makes one if there is none. Concurrent callers wait for the same one. A failure is not
// kept.
func (s *Store) session(ctx context.Context, address string) (*session, error) {
	s.mu.Lock()
	now := s.wallClock()
	if current := s.sessions[address]; current != nil {
		if now.Sub(current.usedAt) <= maxIdle {
			current.usedAt = now
			s.mu.Unlock()
			return current, nil
		}
		s.forget(current)
	}
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	waiting := s.dialing[address]
	if waiting == nil {
		waiting = &flight{done: make(chan struct{})}
		s.dialing[address] = waiting
		go s.dial(context.WithoutCancel(ctx), address, waiting, now)
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

// forget removes a session. It does not wait until the connection is closed: with TLS, a dead one takes seconds.
func (s *Store) forget(old *session) {
	delete(s.sessions, old.address)
	go old.pipe.close()
}

// drop forgets a session that failed, unless it has been replaced already.
func (s *Store) drop(failed *session) {
	s.forgetSlots(failed.address)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[failed.address] == failed {
		s.forget(failed)
	}
}

func (s *Store) dial(ctx context.Context, address string, f *flight, startedAt time.Time) {
	f.session, f.err = s.logIn(ctx, address)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.dialing, address)
	defer close(f.done)
	if f.err != nil {
		return
	}
	if s.closed {
		go f.session.pipe.close()
		f.session, f.err = nil, errClosed
		return
	}
	f.session.usedAt = startedAt
	s.sessions[address], s.prefix = f.session, f.session.prefix
}

// logIn makes a connection. If the server refuses the login, the secret may have been changed, so it is read again.
func (s *Store) logIn(ctx context.Context, address string) (*session, error) {
	document, err := s.config.Secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	connected, err := s.connect(ctx, address, document.Ledger)
	if isRefused(err) {
		if renewed, again := s.config.Secrets.Reread(ctx, document); again {
			document = renewed
			connected, err = s.connect(ctx, address, document.Ledger)
		}
	}
	if err != nil {
		return nil, err
	}
	return &session{address: address, pipe: connected, prefix: prefix(document.SDKAppID)}, nil
}

// isRefused reports whether an error is the server's answer to a wrong or missing login.
func isRefused(err error) bool {
	var reply redigo.Error
	if !errors.As(err, &reply) {
		return false
	}
	text := string(reply)
	return strings.HasPrefix(text, "WRONGPASS") || strings.HasPrefix(text, "NOAUTH") || strings.HasPrefix(text, "ERR invalid password")
}

// connect opens a connection and logs in.
func (s *Store) connect(ctx context.Context, address string, login secret.LedgerLogin) (*pipe, error) {
	conn, err := s.dialTCP(ctx, address)
	if err != nil {
		return nil, err
	}
	opened := newPipe(conn, s.patience)
	if err := s.authenticate(ctx, opened, login); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

func (s *Store) authenticate(ctx context.Context, opened *pipe, login secret.LedgerLogin) error {
	username, password := login.Username.Reveal(), login.Password.Reveal()
	first := request{name: "PING"} // which is refused if the server wants a login
	switch {
	case username != "":
		first = request{name: "AUTH", args: []any{username, password}}
	case password != "":
		first = request{name: "AUTH", args: []any{password}}
	}
	requests := []request{first}
	if s.database != 0 {
		requests = append(requests, request{name: "SELECT", args: []any{s.database}})
	}
	replies, err := opened.do(ctx, requests)
	for _, reply := range replies {
		if refusal, failed := reply.(redigo.Error); failed {
			return withoutPassword(refusal, password)
		}
	}
	return err
}

// withoutPassword removes the password from an error reply. A server that does not know a command repeats its arguments.
func withoutPassword(reply redigo.Error, password string) redigo.Error {
	text, _, _ := strings.Cut(string(reply), ", with args")
	if password != "" {
		text = strings.ReplaceAll(text, password, "(password)")
	}
	return redigo.Error(text)
}

// dialTCP opens a connection, with TLS if it is configured. All nodes of a cluster must have certificates for the configured host.
func (s *Store) dialTCP(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.dialTime)
	defer cancel()
	conn, err := s.config.Dial(ctx, "tcp", address)
	if err != nil || s.tls == nil {
		return conn, err
	}
	secured := tls.Client(conn, s.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// Close closes the connections. The store must not be used afterwards.
func (s *Store) Close() {
	s.mu.Lock()
	s.closed = true
	open := slices.Collect(maps.Values(s.sessions))
	clear(s.sessions)
	s.mu.Unlock()
	for _, session := range open {
		session.pipe.close()
	}
}
