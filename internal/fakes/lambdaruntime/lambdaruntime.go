// Package lambdaruntime runs the program of a Lambda function on this machine: the real binary, as it is deployed, against a
// simulated Lambda Runtime API on loopback. It is for tests and benchmarks.
//
// One [Runtime] is one execution environment: one process, which handles one invocation after the other, or several at once if
// AWS_LAMBDA_MAX_CONCURRENCY in its environment allows it.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambdaruntime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/process"
)

// Config of a function. Binary is required.
type Config struct {
	Binary    string
	Arguments []string
	// Environment is the function's own. The function inherits only PATH, HOME and a few others from this process, so Environment
	// must contain its credentials (AWS_ACCESS_KEY_ID and so on). It overrides what the runtime sets.
	Environment map[string]string
	Name        string        // default: function
	Region      string        // default: us-east-1
	MemoryMB    int           // default: 128
	Timeout     time.Duration // of an invocation; default: 3 s
}

// Reply is the function's reply to one invocation. Payload is the answer or, if ErrorType is set, the error as JSON.
type Reply struct {
	RequestID    string
	Payload      []byte
	ErrorType    string
	ErrorMessage string
}

// Runtime serves one process. Its methods may be called from several goroutines.
type Runtime struct {
	config    Config
	process   *process.Process
	server    *httptest.Server
	queue     chan *invocation
	ready     chan time.Time // receives when the function first asked for an invocation
	coldStart time.Duration

	mu      sync.Mutex
	number  int // of invocations so far
	running map[string]*invocation
	replies []Reply
}

// invocation waits in the queue, or runs.
type invocation struct {
	id      string
	payload []byte
	reply   chan Reply // has room for the reply
}

const (
	startLimit = time.Minute      // for a function to ask for its first invocation
	stopGrace  = 30 * time.Second // for a process to end when it is asked to
)

// Start runs the function and returns when it asks for its first invocation. If it ends before that, or ctx is done, or a minute
// has passed, the error contains what it printed.
func Start(ctx context.Context, config Config) (*Runtime, error) {
	config.Name = cmp.Or(config.Name, "function")
	config.Region = cmp.Or(config.Region, "us-east-1")
	config.MemoryMB = cmp.Or(config.MemoryMB, 128)
	config.Timeout = cmp.Or(config.Timeout, 3*time.Second)
	if config.Binary == "" || config.MemoryMB < 0 || config.Timeout < 0 {
		return nil, errors.New("lambdaruntime: Binary is missing, or MemoryMB or Timeout is below zero")
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	r := &Runtime{config: config, queue: make(chan *invocation), ready: make(chan time.Time, 1), running: map[string]*invocation{}}
	r.server = httptest.NewServer(r.api())
	started := time.Now()
	var err error
	if r.process, err = process.Start(config.Binary, config.Arguments, r.environment()); err != nil {
		r.server.Close()
		return nil, err
	}
	select {
	case ready := <-r.ready:
		r.coldStart = ready.Sub(started)
		return r, nil
	case <-r.process.Done():
		err = r.process.Ended("before it asked for its first invocation")
	case <-ctx.Done():
		err = fmt.Errorf("wait for the function to ask for its first invocation: %w; it printed:\n%s", ctx.Err(), r.process.Output())
	}
	r.Close()
	return nil, err
}

// environment returns what the platform sets, overridden by what the caller sets.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (r *Runtime) environment() map[string]string {
	environment := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          strings.TrimPrefix(r.server.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME":        r.config.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(r.config.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + r.config.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "simulated",
		"AWS_REGION":                      r.config.Region,
		"AWS_DEFAULT_REGION":              r.config.Region,
		"TZ":                              ":UTC",
	}
	maps.Copy(environment, r.config.Environment)
	return environment
}

// Invoke lets the function handle payload and waits for its reply. Calls wait while the function is busy. A function that has not
// replied in time is stopped, as on Lambda, and the reply is an error of type Sandbox.Timedout.
//
// If Invoke returns an error, there was no reply: ctx is done, or the process has ended.
func (r *Runtime) Invoke(ctx context.Context, payload []byte) (Reply, error) {
	r.mu.Lock()
	r.number++
	i := &invocation{
		id:      fmt.Sprintf("00000000-0000-4000-8000-%012d", r.number),
		payload: slices.Clone(payload),
		reply:   make(chan Reply, 1),
	}
	r.mu.Unlock()
	select {
	case r.queue <- i:
	case <-r.process.Done():
		return Reply{}, r.process.Ended("before invocation " + i.id)
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("wait for the function to take invocation %s: %w", i.id, ctx.Err())
	}
	timeout := time.NewTimer(r.config.Timeout)
	defer timeout.Stop()
	select {
	case reply := <-i.reply:
		return reply, nil
	case <-r.process.Done():
		return r.lastReply(i)
	case <-timeout.C:
		return r.timedOut(i), nil
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("wait for the reply to invocation %s: %w", i.id, ctx.Err())
	}
}

// lastReply returns the reply that the function sent before it ended, as after a panic.
func (r *Runtime) lastReply(i *invocation) (Reply, error) {
	select {
	case reply := <-i.reply:
		return reply, nil
	default:
		return Reply{}, r.process.Ended("during invocation " + i.id)
	}
}

func (r *Runtime) timedOut(i *invocation) Reply {
	r.process.Stop(0)
	reply := Reply{
		RequestID:    i.id,
		ErrorType:    "Sandbox.Timedout",
		ErrorMessage: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, r.config.Timeout.Seconds()),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, i.id)
	r.replies = append(r.replies, reply)
	return reply
}

// Replies returns all replies so far in order of arrival, including those to calls that were given up.
func (r *Runtime) Replies() []Reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.replies)
}

// Output returns all that the function has printed so far, to stdout and stderr.
func (r *Runtime) Output() string { return r.process.Output() }

// WaitOutput waits until the output contains text the given number of times. Output comes through a pipe, and may arrive after
// the reply of the function.
func (r *Runtime) WaitOutput(ctx context.Context, text string, times int) error {
	return r.process.WaitOutput(ctx, text, times)
}

// ColdStart is the time from starting the process to its first request for an invocation.
func (r *Runtime) ColdStart() time.Duration { return r.coldStart }

// PID is the id of the process, for measurements.
func (r *Runtime) PID() int { return r.process.PID() }

// Close stops the process and the API, and returns when both have ended. Waiting invocations end with an error. Close may be
// called more than once.
func (r *Runtime) Close() {
	r.process.Stop(stopGrace)
	r.server.CloseClientConnections()
	r.server.Close()
}
