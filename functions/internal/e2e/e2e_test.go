//go:build e2e

// Package e2e runs the packaged functions under the real tools of both clouds: "make e2e".
//
// GIFTSTATS_TOOLS and GIFTSTATS_DIST name the folders of the tools and of the zip files. What is missing is a failure.
package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// folder is the one that a variable of the environment names.
func folder(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set; run the tests by: make e2e", variable)
	}
	return path
}

// python is the path of a program among the Python tools.
func python(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(folder(t, "GIFTSTATS_TOOLS"), "python", "bin", name)
}

// unzipped unpacks one of the packages as the clouds do and returns the folder. The binaries must come out executable.
func unzipped(t *testing.T, name string, binaries ...string) string {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(folder(t, "GIFTSTATS_DIST"), name))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	into := t.TempDir()
	var names []string
	for _, file := range archive.File {
		names = append(names, file.Name)
		if mode := file.Mode(); mode != 0o755 {
			t.Errorf("%s: %s has mode %o, want 755", name, file.Name, mode)
		}
		unpack(t, file, filepath.Join(into, filepath.Base(file.Name)))
	}
	if got, want := strings.Join(names, " "), strings.Join(binaries, " "); got != want {
		t.Fatalf("%s holds %q, want %q", name, got, want)
	}
	return into
}

func unpack(t *testing.T, file *zip.File, path string) {
	t.Helper()
	from, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	content, err := io.ReadAll(from)
	if err == nil {
		err = os.WriteFile(path, content, file.Mode())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// program is one that runs beside the tests.
type program struct {
	mu     sync.Mutex
	output bytes.Buffer
}

// Write keeps what the program prints.
func (p *program) Write(part []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(part)
}

// Output is what it has printed so far.
func (p *program) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// start runs a program in a folder until the test ends, with nothing but PATH and the given environment.
func start(t *testing.T, directory string, environment map[string]string, name string, arguments ...string) *program {
	t.Helper()
	p := new(program)
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Dir, command.Stdout, command.Stderr = directory, p, p
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	for variable, value := range environment {
		command.Env = append(command.Env, variable+"="+value)
	}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Wait() // it is interrupted, so it has an error
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(name), p.Output())
		}
	})
	return p
}

// addresses are free ones on loopback.
func addresses(t *testing.T, count int) []string {
	t.Helper()
	var free []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		free = append(free, listener.Addr().String())
	}
	return free
}

// await waits until somebody listens at the address.
func await(t *testing.T, address string, p *program) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nobody listens at %s; the program printed:\n%s", address, p.Output())
}
