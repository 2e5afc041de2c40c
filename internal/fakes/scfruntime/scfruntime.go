// Package scfruntime runs the program of a Tencent SCF function on this machine: the real binary, as it is deployed, called over
// net/rpc as the platform does. It is for tests and benchmarks.
//
// One [Runtime] is one instance: one process, which handles one event at a time.
//
// Source: https://github.com/tencentyun/scf-go-lib/tree/master/cloudfunction
package scfruntime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/rpc"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/giftstats/giftstats/internal/fakes/process"
)

// Config of a function. Binary is required.
type Config struct {
	Binary    string
	Arguments []string
	// Environment is the function's own. The function inherits only PATH, HOME and a few others from this process.
	Environment map[string]string
	Name        string        // default: function
	Region      string        // default: ap-singapore
	MemoryMB    int           // default: 128
	Timeout     time.Duration // of an invocation, from which its deadline is computed; default: 3 s
}

// Options of one invocation.
type Options struct {
	RequestID string    // default: made from a counter
	Deadline  time.Time // default: from Config.Timeout; time.Unix(0, 0) is the platform's zero value
	// Environment is set by the function's library before it handles the event, and stays set. The platform sends the
	// credentials of the role this way: TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY, TENCENTCLOUD_SESSIONTOKEN.
	Environment map[string]string
}

// Reply is the function's reply to one invocation: Payload or, if ErrorType is set, an error.
type Reply struct {
	RequestID    string
	Payload      []byte
	ErrorType    string
	ErrorMessage string
	Panicked     bool
}

// Runtime serves one process. Its methods may be called from several goroutines.
type Runtime struct {
	config    Config
	process   *process.Process
	client    *rpc.Client
	coldStart time.Duration
	turn      chan struct{} // holds one element while the function is busy

	mu     sync.Mutex
	number int // of invocations so far
}

const (
	startLimit = time.Minute          // for a function to answer
	stopGrace  = 30 * time.Second     // for a process to end when it is asked to
	pingPause  = 2 * time.Millisecond // between two pings
	portChoice = 5                    // number of ports to try, since another program may take one first
)

// Start runs the function and returns when it answers a ping. If it ends before that, or ctx is done, or a minute has passed, the
// error contains what it printed.
func Start(ctx context.Context, config Config) (*Runtime, error) {
	config.Name = cmp.Or(config.Name, "function")
	config.Region = cmp.Or(config.Region, "ap-singapore")
	config.MemoryMB = cmp.Or(config.MemoryMB, 128)
	config.Timeout = cmp.Or(config.Timeout, 3*time.Second)
	if config.Binary == "" || config.MemoryMB < 0 || config.Timeout < 0 {
		return nil, errors.New("scfruntime: Binary is missing, or MemoryMB or Timeout is below zero")
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	var err error
	for range portChoice {
		r := &Runtime{config: config, turn: make(chan struct{}, 1)}
		if err = r.start(ctx); err == nil {
			return r, nil
		}
		if r.process == nil || !strings.Contains(r.process.Output(), "address already in use") {
			break
		}
	}
	return nil, err
}

// start tries to start the function on a free port.
func (r *Runtime) start(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	started := time.Now()
	if r.process, err = process.Start(r.config.Binary, r.config.Arguments, r.environment(port)); err != nil {
		return err
	}
	pinging, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // what answers on the port of a function that has ended is another program
		select {
		case <-r.process.Done():
			cancel()
		case <-pinging.Done():
		}
	}()
	for {
		if r.client, err = ping(pinging, port); err == nil {
			break
		}
		select {
		case <-r.process.Done():
			return r.process.Ended("before it answered a ping")
		case <-ctx.Done():
			r.process.Stop(stopGrace)
			return fmt.Errorf("wait for the function to answer a ping: %w (last: %v); it printed:\n%s", ctx.Err(), err, r.process.Output())
		case <-time.After(pingPause):
		}
	}
	r.coldStart = time.Since(started)
	return nil
}

// The ports of functions are below those that a system gives to clients, and to servers that take any port: 32768 and up. Otherwise
// another test might take a function's port between the choice and the start of the function.
const (
	firstPort    = 20_000
	ports        = 12_000
	perProcess   = 64 // of the processes that run at the same time, each begins its search somewhere else
	portsToCheck = 1000
)

// lastPort is for all functions of this process: two must not get the same port.
var lastPort atomic.Uint32

// freePort returns a port that is free now.
func freePort() (int, error) {
	var err error
	for range portsToCheck {
		port := firstPort + (os.Getpid()*perProcess+int(lastPort.Add(1)))%ports
		var listener net.Listener
		if listener, err = net.Listen("tcp4", ":"+strconv.Itoa(port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

// ping returns a client if the function answers. If another program listens there and never answers, ping ends with ctx.
func ping(ctx context.Context, port int) (*rpc.Client, error) {
	client, err := rpc.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { client.Close() })()
	if err := client.Call("Function.Ping", &messages.PingRequest{}, &messages.PingResponse{}); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// environment returns what the platform sets, overridden by what the caller sets.
func (r *Runtime) environment(port int) map[string]string {
	environment := map[string]string{
		"_LAMBDA_SERVER_PORT": strconv.Itoa(port),
		"SCF_FUNCTIONNAME":    r.config.Name,
		"SCF_FUNCTIONVERSION": "$LATEST",
		"SCF_RUNTIME":         "Go1",
		"TENCENTCLOUD_REGION": r.config.Region,
		"TENCENTCLOUD_RUNENV": "SCF",
		"TENCENTCLOUD_TZ":     "UTC",
		"USER_CODE_ROOT":      "/var/user/",
	}
	maps.Copy(environment, r.config.Environment)
	return environment
}

// Output returns all that the function has printed so far, to stdout and stderr.
func (r *Runtime) Output() string { return r.process.Output() }

// WaitOutput waits until the output contains text the given number of times. Output comes through a pipe, and may arrive after
// the reply of the function.
func (r *Runtime) WaitOutput(ctx context.Context, text string, times int) error {
	return r.process.WaitOutput(ctx, text, times)
}

// ColdStart is the time from starting the process to its answer to a ping, with an error of some milliseconds.
func (r *Runtime) ColdStart() time.Duration { return r.coldStart }

// PID is the id of the process, for measurements.
func (r *Runtime) PID() int { return r.process.PID() }

// Close stops the process and returns when it has ended. Running and waiting invocations end with an error. Close may be called
// more than once.
func (r *Runtime) Close() {
	r.process.Stop(stopGrace)
	r.client.Close() // fails if it is already closed
}
