// Package process runs programs for the fake runtimes and for tests. A program has an environment of its own, its output is kept,
// and it does not outlive its use.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
)

// Process is a running or ended program. Its methods may be called from several goroutines.
type Process struct {
	command *exec.Cmd
	output  syncbuf.Buffer
	ended   atomic.Bool
	done    chan struct{}
	err     error // how it ended; set before done is closed
}

// inherited are the only variables that a program inherits from this process: what a Go program needs, and the directory where a
// program built with -cover writes its counters.
var inherited = []string{"GOCOVERDIR", "HOME", "PATH", "SYSTEMROOT", "TMPDIR"}

// Start runs the program at path with nothing but environment and the inherited variables.
func Start(path string, arguments []string, environment map[string]string) (*Process, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	p := &Process{command: exec.Command(path, arguments...), done: make(chan struct{})}
	p.command.Env = variables(environment)
	p.command.Stdout = writer // one pipe for both keeps the order
	p.command.Stderr = writer
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, errors.Join(err, reader.Close(), writer.Close()))
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		p.copyOutput(reader)
	}()
	go func() {
		defer close(p.done)
		p.err = p.command.Wait()
		p.ended.Store(true)
		writer.Write([]byte{endMark}) // the last byte in the pipe, or one near the end if a child of the program still prints
		<-copied
		writer.Close()
		reader.Close()
	}()
	return p, nil
}

// endMark follows the output of a program that has ended. The end of the pipe would not do: a child that inherited it may outlive the
// program. No time limit would do, either: a busy machine may need any time to read what was printed.
const endMark = 0

// copyOutput copies what the program prints, up to the end mark.
func (p *Process) copyOutput(from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		printed := buffer[:n]
		end := -1
		if p.ended.Load() { // otherwise, the program itself has printed the byte
			end = bytes.LastIndexByte(printed, endMark)
		}
		if end >= 0 {
			printed = printed[:end]
		}
		if len(printed) > 0 {
			p.output.Write(printed)
		}
		if end >= 0 || err != nil {
			return
		}
	}
}

func variables(environment map[string]string) []string {
	all := map[string]string{}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			all[name] = value
		}
	}
	maps.Copy(all, environment)
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}

// Output returns all that the program has printed so far, to stdout and stderr, in the order written.
func (p *Process) Output() string { return p.output.String() }

// WaitOutput waits until the output contains text the given number of times. It returns an error if the program ends or ctx is
// done before that.
func (p *Process) WaitOutput(ctx context.Context, text string, times int) error {
	for {
		printed, changed := p.output.Watch()
		if strings.Count(printed, text) >= times {
			return nil
		}
		select {
		case <-changed:
		case <-p.done:
			if strings.Count(p.Output(), text) >= times {
				return nil
			}
			return p.Ended(fmt.Sprintf("before it printed %q %d times", text, times))
		case <-ctx.Done():
			return fmt.Errorf("wait for %q %d times: %w; printed so far:\n%s", text, times, ctx.Err(), printed)
		}
	}
}

// PID is the id of the process.
func (p *Process) PID() int { return p.command.Process.Pid }

// Done is closed when the program has ended and all its output has been read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended waits for the end and describes it as an error with the output. The parameter when says what the program was doing.
func (p *Process) Ended(when string) error {
	<-p.done
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	printed := p.Output()
	if printed == "" {
		printed = "(nothing)"
	}
	return fmt.Errorf("%s ended %s: %s; it printed:\n%s", filepath.Base(p.command.Path), when, how, printed)
}

// Stop asks the program to end, kills it if it has not ended after grace, and returns when it has ended.
func (p *Process) Stop(grace time.Duration) {
	if p.command.Process.Signal(syscall.SIGTERM) != nil {
		p.command.Process.Kill() // it has ended, or the system has no SIGTERM
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.command.Process.Kill()
		<-p.done
	}
}
