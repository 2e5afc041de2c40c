package redis

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	redigo "github.com/gomodule/redigo/redis"
)

var errPipeClosed = errors.New("the connection is closed")

// pipe is a connection that concurrent callers share. It sends each request at once, and a server answers in the order of requests. A
// caller whose context is done does not break the connection: its answers are still read.
//
// A [redigo.Conn] may be written by one goroutine and read by another one.
type pipe struct {
	conn   redigo.Conn
	calls  chan *call
	sent   chan *call
	closed chan struct{}
	once   sync.Once
}

// request is a command with all its arguments.
type request struct {
	name string
	args []any
}

// call is some requests that follow each other. Its results may be read after done is closed.
type call struct {
	requests []request
	done     chan struct{}
	replies  []any // a redigo.Error for an error reply
	err      error
}

// unansweredCalls is how many calls may wait for answers before further ones wait to be sent.
const unansweredCalls = 64

func newPipe(conn net.Conn, patience time.Duration) *pipe {
	p := &pipe{
		conn:  redigo.NewConn(conn, patience, patience),
		calls: make(chan *call), sent: make(chan *call, unansweredCalls), closed: make(chan struct{}),
	}
	go p.write()
	go p.read()
	return p
}

// do sends requests and returns one reply for each. An error reply is a reply: err is about the connection.
func (p *pipe) do(ctx context.Context, requests []request) (replies []any, err error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c := &call{requests: requests, done: make(chan struct{})}
	select {
	case p.calls <- c:
	case <-p.closed:
		return nil, errPipeClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-c.done:
		return c.replies, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// write sends calls until the pipe is closed. An error closes the connection, so that read fails as well and reports it.
func (p *pipe) write() {
	defer close(p.sent)
	for {
		select {
		case <-p.closed:
			return
		case c := <-p.calls:
			p.sent <- c // before it is written: the answers to a long call come while it is being sent
			for _, r := range c.requests {
				_ = p.conn.Send(r.name, r.args...)
			}
			_ = p.conn.Flush()
		}
	}
}

func (p *pipe) read() {
	for c := range p.sent {
		c.replies, c.err = p.receive(len(c.requests))
		close(c.done)
	}
}

func (p *pipe) receive(n int) ([]any, error) {
	replies := make([]any, n)
	for i := range replies {
		reply, err := p.conn.Receive()
		var refusal redigo.Error
		switch {
		case errors.As(err, &refusal):
			reply = refusal
		case err != nil:
			return nil, err
		}
		replies[i] = reply
	}
	return replies, nil
}

// close closes the connection. Calls that wait for answers fail.
func (p *pipe) close() {
	p.once.Do(func() {
		close(p.closed)
		p.conn.Close()
	})
}
