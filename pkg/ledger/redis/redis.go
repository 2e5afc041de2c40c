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
//	rate                 text: the end of the slots of the shared rate that are taken, in microseconds
//
// Members of sorted sets are compared as text: all have the score 0 and start with a time in a fixed width, so that no number has to
// be exact as a double. Only in the set open is the score a time, in milliseconds.
//
// Every record holds the time at which it expires, and the clock of the process decides. The time to live of a key only frees memory. For
// the slots of the shared rate it is the clock of the server.
//
// The store connects when it is first used, because the login is part of the secret document, which an SCF function may read only
// while it serves an invocation. Concurrent operations share one connection to each node: their commands follow each other on it without
// waiting for answers. The store replaces a connection that failed or that was not used for a while: after a freeze it is dead.
// Every operation may be repeated, and is repeated once when a connection fails.
//
// The nodes of a cluster say which of them has a key. The store follows that, and remembers it.
package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	redigo "github.com/gomodule/redigo/redis"

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
	dialTime time.Duration
	patience time.Duration // with a command

	mu       sync.Mutex
	sessions map[string]*session // by address
	dialing  map[string]*flight  // the connections that are being made, by address
	slots    map[uint16]string   // the addresses of those hash slots of a cluster that are not at s.address
	prefix   string              // of all keys, known once there was a session
	closed   bool
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
		config.Dial = new(net.Dialer).DialContext
	}
	s := &Store{
		config: config, address: address, database: int(database), dialTime: dialTimeout, patience: commandTimeout,
		sessions: map[string]*session{}, dialing: map[string]*flight{}, slots: map[uint16]string{},
	}
	if config.TLS {
		s.tls = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs}
	}
	return s, nil
}

// command is a command with one key.
type command struct {
	name string
	head []any  // the arguments before the key
	key  string // without the prefix of the app
	tail []any
}

func (c command) request(prefix string) request {
	return request{name: c.name, args: slices.Concat(c.head, []any{prefix + c.key}, c.tail)}
}

func newCommand(name, key string, args ...any) command {
	return command{name: name, key: key, tail: args}
}

// eval returns a command that runs a script on one key.
func eval(script, key string, args ...any) command {
	return command{name: "EVAL", head: []any{script, 1}, key: key, tail: args}
}

// one runs a command.
func (s *Store) one(ctx context.Context, c command) (any, error) {
	replies, err := s.do(ctx, []command{c})
	if err != nil {
		return nil, err
	}
	return replies[0], nil
}

// do runs commands and returns the reply to each. If a connection fails, it runs them once more on a new one. An error reply to any
// command is an error; a nil reply is not.
func (s *Store) do(ctx context.Context, commands []command) ([]any, error) {
	patience := s.patience
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2) // the other half is for the repetition
	}
	replies, broken, err := s.try(ctx, commands, patience)
	if broken && ctx.Err() == nil {
		replies, _, err = s.try(ctx, commands, s.patience)
	}
	switch {
	case err == nil:
		return replies, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("redis: %w", ctx.Err())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errors.New("redis: the server did not answer in time")
	}
	return nil, fmt.Errorf("redis: %w", err)
}

// try runs commands on the current connections. It reports broken if a new connection may help.
func (s *Store) try(ctx context.Context, commands []command, patience time.Duration) (replies []any, broken bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tasks := s.tasks(commands)
	for range 1 + maxRedirections {
		nodes := map[node][]*task{}
		for i := range tasks {
			if t := &tasks[i]; !t.done {
				nodes[t.at] = append(nodes[t.at], t)
			}
		}
		if len(nodes) == 0 {
			break
		}
		for at, its := range nodes {
			if broken, err := s.run(ctx, at, its); err != nil {
				return nil, broken, err
			}
		}
	}
	replies = make([]any, len(tasks))
	for i, t := range tasks {
		if !t.done {
			return nil, false, errors.New("the nodes of the cluster redirect a command too often")
		}
		replies[i] = t.reply
	}
	return replies, false, nil
}

// run sends commands to a node. Those that it redirects are not done afterwards, and have another node.
func (s *Store) run(ctx context.Context, at node, tasks []*task) (broken bool, err error) {
	current, err := s.session(ctx, at.address)
	if err != nil {
		s.forgetSlots(at.address)
		return !isRefused(err), err
	}
	var requests []request
	for _, t := range tasks {
		if at.asking {
			requests = append(requests, request{name: "ASKING"})
		}
		requests = append(requests, t.request(current.prefix))
	}
	replies, err := current.pipe.do(ctx, requests)
	step := len(requests) / len(tasks)
	for i, t := range tasks {
		if err == nil {
			err = s.finish(t, replies[i*step+step-1])
		}
	}
	if err == nil || !isBroken(err) || errors.Is(ctx.Err(), context.Canceled) {
		return false, err
	}
	s.drop(current)
	return true, err
}

// finish stores the reply to a command, or sends the command to another node if the reply says so.
func (s *Store) finish(t *task, reply any) error {
	failure, failed := reply.(redigo.Error)
	if !failed {
		t.reply, t.done = reply, true
		return nil
	}
	if to, ok := redirection(string(failure), t.at.address); ok {
		return s.redirect(t, to, failure)
	}
	return failure
}

// isBroken reports whether an error speaks against the connection. A server says READONLY if it became a replica.
func isBroken(err error) bool {
	var reply redigo.Error
	return !errors.As(err, &reply) || isRefused(err) || strings.HasPrefix(string(reply), "READONLY")
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
