// Package build compiles the programs of this project for measurements and for tests.
package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Functions is the import path under which the programs are.
const Functions = "github.com/giftstats/giftstats/functions/"

// Program compiles the program with the given import path, or in the given directory, for this machine and with the flags of the
// Makefile. It returns the path of the binary, which is removed when the test ends.
func Program(t testing.TB, program, tags string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", tags, "-ldflags", "-s -w", "-o", binary, program)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// Tested is the program of the package that is being tested. It is compiled once for all tests of the package, and like them: with the
// race detector if they have it, and without the other flags of the Makefile. The go command then takes from its cache what it has
// compiled for the tests, which is nearly everything. "make e2e" tests the programs as they are deployed.
type Tested struct {
	once      sync.Once
	directory string
	err       error
}

// Binary compiles the program with build tags, unless that has been done, and returns its path.
func (p *Tested) Binary(t testing.TB, tags string) string {
	t.Helper()
	p.once.Do(func() { p.build(tags) })
	if p.err != nil {
		t.Fatal(p.err)
	}
	return filepath.Join(p.directory, "program")
}

func (p *Tested) build(tags string) {
	if p.directory, p.err = os.MkdirTemp("", "giftstats-test"); p.err != nil {
		return
	}
	arguments := []string{"build", "-buildvcs=false", "-tags", tags, "-ldflags", "-s -w", "-o", filepath.Join(p.directory, "program")}
	if RaceDetector {
		arguments = append(arguments, "-race")
	}
	if out, err := exec.Command("go", arguments...).CombinedOutput(); err != nil {
		p.err = fmt.Errorf("%w\n%s", err, out)
	}
}

// Remove removes the binary, if there is one.
func (p *Tested) Remove() error {
	if p.directory == "" {
		return nil
	}
	return os.RemoveAll(p.directory)
}
