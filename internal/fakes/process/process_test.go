package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/process"
	"github.com/giftstats/giftstats/internal/testkit/leaks"
)

// The test binary is also the program. The variable PROGRAM selects which one.
func TestMain(m *testing.M) {
	switch os.Getenv("PROGRAM") {
	case "":
		leaks.Main(m) // every goroutine ends with the test that started it
	case "environment":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "fail":
		fmt.Println("out")
		fmt.Fprintln(os.Stderr, "err")
		os.Exit(3)
	case "silent":
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Minute) // an empty select would be found to be a deadlock
	case "grandchild": // leaves a child behind that holds its stdout
		child := exec.Command(os.Args[0])
		child.Env = []string{"PROGRAM=sleep"}
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Println(child.Process.Pid)
	case "sleep":
		time.Sleep(time.Minute)
	default:
		fmt.Println("ready")
		time.Sleep(time.Minute) // an empty select would be found to be a deadlock
	}
}

func start(t *testing.T, program string) *process.Process {
	t.Helper()
	p, err := process.Start(os.Args[0], nil, map[string]string{"PROGRAM": program})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(0) })
	return p
}

func TestEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of the developer")
	t.Setenv("HOME", "/home/test")
	p, err := process.Start(os.Args[0], nil, map[string]string{"PROGRAM": "environment", "B": "2", "A": "1=1", "TMPDIR": "/own"})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	for line := range strings.Lines(p.Output()) {
		name, _, _ := strings.Cut(line, "=")
		if !strings.Contains(" A B PROGRAM GOCOVERDIR HOME PATH SYSTEMROOT TMPDIR ", " "+name+" ") {
			t.Errorf("the program has %q", name)
		}
	}
	for _, want := range []string{"A=1=1\n", "B=2\n", "HOME=/home/test\n", "TMPDIR=/own\n"} {
		if !strings.Contains(p.Output(), want) {
			t.Errorf("the program has no %q in:\n%s", want, p.Output())
		}
	}
}

func TestEndedTellsHow(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"fail":   " ended at once: exit status 3; it printed:\nout\nerr\n",
		"silent": " ended at once: exit status 0; it printed:\n(nothing)",
	} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			p := start(t, program)
			if got := p.Ended("at once").Error(); !strings.HasSuffix(got, want) {
				t.Errorf("Ended = %q, want it to end in %q", got, want)
			}
			p.Stop(time.Minute) // returns at once, because the program has ended
		})
	}
}

func TestStopKillsWhatDoesNotEndInTime(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{"obedient": "signal: terminated", "stubborn": "signal: killed"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			p := start(t, program)
			if err := p.WaitOutput(t.Context(), "ready", 1); err != nil {
				t.Fatal(err)
			}
			grace := 50 * time.Millisecond
			if program == "obedient" {
				grace = time.Minute
			}
			p.Stop(grace)
			if got := p.Ended("").Error(); !strings.Contains(got, want) {
				t.Errorf("Ended = %q, want %q", got, want)
			}
		})
	}
}

func TestWaitOutput(t *testing.T) {
	t.Parallel()
	p := start(t, "fail")
	if err := p.WaitOutput(t.Context(), "r", 1); err != nil { // of err
		t.Error(err)
	}
	err := p.WaitOutput(t.Context(), "out", 2)
	if err == nil || !strings.Contains(err.Error(), `before it printed "out" 2 times: exit status 3`) {
		t.Errorf("a program that ends: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := start(t, "stubborn").WaitOutput(ctx, "never", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
}

func TestEndsAlthoughAChildHoldsTheOutput(t *testing.T) {
	t.Parallel()
	p := start(t, "grandchild")
	select {
	case <-p.Done():
	case <-time.After(30 * time.Second):
		t.Error("it waits for the child")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(p.Output()))
	if err != nil {
		t.Fatal(err)
	}
	child, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	child.Kill()
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	_, err := process.Start("/no/such/program", nil, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "start /no/such/program: ") {
		t.Errorf("Start = %v", err)
	}
}
