// Package redis keeps the ledger in Redis 6.2 or newer, or in Valkey: one node or a cluster.
//
// All keys start with giftstats:SDKAPPID: and each command has the keys of one hash slot. These are the keys; a tag in braces decides the
// slot, so that everything about a room lies on one node:
//
//	{ROOM}:room          hash: the record of a room with its version
//	{ROOM}:gifts         sorted set: one member for each gift, in the order of time
//	{ROOM}:ended:STREAM  hash: an ended stream, and one field for each receiver that has taken its summary
//	{ROOM}:ended         sorted set: pointers to the ended streams of the room
//	{ACCOUNT}:of         sorted set: pointers to the ended streams of an account
//	ended                sorted set: pointers to all ended streams
//	open                 sorted set: tickets, at least one for each room with streams
//	lease:{NAME}         hash: holder and end of a lease
//
// Members of sorted sets are compared as text: all have the score 0 and start with a time in a fixed width, so that no number has to
// be exact as a double. Only in the set open is the score a time, in milliseconds.
//
// Every record holds the time at which it expires, and the clock of the process decides. The time to live of a key only frees memory.
//
// The store connects when it is first used, because the login is part of the secret document, which an SCF function may read only
// while it serves an invocation. It replaces a connection that failed or that was not used for a while: after a freeze it is dead.
// Every operation may be repeated, and is repeated once when a connection fails.
package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/secret"
)

// Config of a [Store]. Name, Secrets and Now are required.
type Config struct {
	Name    string // HOST:PORT/DB
	TLS     bool   // TLS 1.2 or newer
	Secrets Secrets
	Now     func() time.Time

	// Dial opens a TCP connection. If it is nil, a net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs are the authorities that may have signed the server's certificate. If it is nil, they are those of the system.
	RootCAs *x509.CertPool
}

// Secrets is where the login and the SDKAppID come from: a [secret.Cache].
type Secrets interface {
	Get(ctx context.Context) (*secret.Document, error)
	// Reread returns the document to use after the server refused the login in the given one. It reports false if there is no other.
	Reread(ctx context.Context, refused *secret.Document) (document *secret.Document, again bool)
}

// Store is a ledger.Store.
type Store struct {
	config   Config
	address  string
	database int
	tls      *tls.Config // nil for plain TCP

	mu      sync.Mutex
	current *session // nil if there is no connection
	usedAt  time.Time
	dialing *flight // nil if no connection is being made
	closed  bool
}

var _ ledger.Store = (*Store)(nil)

// New returns a Store. It makes no connection.
func New(config Config) (*Store, error) {
	if config.Secrets == nil || config.Now == nil {
		return nil, errors.New("redis: Secrets and Now are required")
	}
	address, number, _ := strings.Cut(config.Name, "/")
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return nil, errors.New("redis: the name must be like HOST:PORT/DB")
	}
	database, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return nil, errors.New("redis: the database must be a number, usually 0")
	}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	s := &Store{config: config, address: address, database: int(database)}
	if config.TLS {
		s.tls = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs}
	}
	return s, nil
}

// command builds a command. It is called again when the command is repeated.
type command func(b valkey.Builder, k keys) valkey.Completed

// one runs a command.
func (s *Store) one(ctx context.Context, build command) (valkey.ValkeyResult, error) {
	results, err := s.do(ctx, []command{build})
	if err != nil {
		return valkey.ValkeyResult{}, err
	}
	return results[0], nil
}

// do runs commands in one round trip. If the connection fails, it runs them once more on a new one. An error reply to any command is
// an error; a nil reply is not.
func (s *Store) do(ctx context.Context, commands []command) ([]valkey.ValkeyResult, error) {
	patience := commandTimeout
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2) // the other half is for the repetition
	}
	results, broken, err := s.try(ctx, commands, patience)
	if broken && ctx.Err() == nil {
		results, _, err = s.try(ctx, commands, commandTimeout)
	}
	switch {
	case err == nil:
		return results, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("redis: %w", ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errors.New("redis: the server did not answer in time")
	}
	return nil, fmt.Errorf("redis: %w", err)
}

// try runs commands on the current connection. It reports broken if a new connection may help.
func (s *Store) try(
	ctx context.Context, commands []command, patience time.Duration,
) (results []valkey.ValkeyResult, broken bool, err error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	current, err := s.session(limited)
	if err != nil {
		return nil, !isRefused(err), err
	}
	built := make(valkey.Commands, len(commands))
	for i, build := range commands {
		built[i] = build(current.client.B(), current.keys)
	}
	results = current.client.DoMulti(limited, built...)
	for _, result := range results {
		err = result.Error()
		if err == nil || valkey.IsValkeyNil(err) {
			continue
		}
		if broken = isBroken(err) && !errors.Is(ctx.Err(), context.Canceled); broken {
			s.drop(current)
		}
		return nil, broken, err
	}
	return results, false, nil
}

// isBroken reports whether an error speaks against the connection. A server says READONLY if it became a replica.
func isBroken(err error) bool {
	reply, isReply := valkey.IsValkeyErr(err)
	return !isReply || isRefused(err) || strings.HasPrefix(reply.Error(), "READONLY")
}

// eval returns a command that runs a script on one key.
func eval(b valkey.Builder, script, key string, args ...string) valkey.Completed {
	return b.Eval().Script(script).Numkeys(1).Key(key).Arg(args...).Build()
}

// keepKey is the end of a script. It makes the key live at least as long as the last argument says. PEXPIRE has GT only since 7.0.
const keepKey = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[#ARGV]) then redis.call('PEXPIRE', KEYS[1], ARGV[#ARGV]) end`

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func (s *Store) timeToLive(expires time.Time) string {
	return strconv.FormatInt(max(expires.Sub(s.config.Now()).Milliseconds(), 1), 10)
}

// isOver reports whether a record with this text as its expiry must not be returned any more.
func (s *Store) isOver(expires string) bool {
	at, err := strconv.ParseInt(expires, 10, 64)
	return err != nil || at <= s.config.Now().UnixMilli()
}
