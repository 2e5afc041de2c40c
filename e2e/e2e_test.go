//go:build e2e

// Package e2e runs the packaged functions under the real tools of both clouds: "make e2e".
//
// GIFTSTATS_TOOLS and GIFTSTATS_DIST name the folders of the tools and of the zip files. What is missing is a failure.
package e2e

import (
	"archive/zip"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/process"
)

// folder returns the folder that a variable of the environment names.
func folder(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set; run the tests by: make e2e", variable)
	}
	return path
}

// python returns the path of one of the Python tools.
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

// start runs a program until the test ends, with only the given environment, PATH and a few others.
func start(t *testing.T, environment map[string]string, path string, arguments ...string) *process.Process {
	t.Helper()
	p, err := process.Start(path, arguments, environment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop(5 * time.Second)
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(path), p.Output())
		}
	})
	return p
}

// addresses returns free addresses on loopback. They have an IP address of their own: on 127.0.0.1, a server or a connection of another
// program could take a port before the program listens there.
func addresses(t *testing.T, count int) []string {
	t.Helper()
	ip := fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254))
	var free []string
	for range count {
		listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		free = append(free, listener.Addr().String())
	}
	return free
}

// startTime is how long a program may take to start on a machine that is busy with something else.
const startTime = 3 * time.Minute

// await waits until a server listens at the address.
func await(t *testing.T, address string, p *process.Process) {
	t.Helper()
	limit := time.After(startTime)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-p.Done():
			t.Fatal(p.Ended("before it listened at " + address))
		case <-limit:
			t.Fatalf("no server listens at %s: %v; the program printed:\n%s", address, err, p.Output())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
