//go:build e2e

package e2e

import (
	"debug/elf"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The program of the Dockerfile needs nothing of the system around it: it is static, and it runs in an empty image.
func TestContainerProgram(t *testing.T) {
	program := filepath.Join(folder(t, "GIFTSTATS_DIST"), "container", "giftstats")
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if slices.ContainsFunc(file.Progs, func(part *elf.Prog) bool { return part.Type == elf.PT_INTERP }) {
		t.Error("the program is linked dynamically; an empty image has no loader for it")
	}
	const open = "0.0.0.0:0"
	sandbox := start(t, nil, program, "-sandbox", "-addr", open)
	response, err := http.Get(servingAt(t, sandbox) + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), `"status":"ok"`) {
		t.Errorf("answer %s, want the status ok", body)
	}
	if want := "Warning: other machines may reach " + open; !strings.Contains(sandbox.Output(), want) {
		t.Errorf("the program printed %s, want %q", sandbox.Output(), want)
	}
}
