// Package build compiles the programs of this project for tests, with the flags of the Makefile.
package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Functions is the import path under which the programs are.
const Functions = "github.com/giftstats/giftstats/functions/"

// Binary compiles the program of the current test's package for this machine and returns its path.
func Binary(t testing.TB, tags string) string {
	t.Helper()
	return Program(t, ".", tags)
}

// Program compiles the program with the given import path, or in the given directory, for this machine and returns its path.
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
