package repository_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Without Go, a target says so and where to get it, in place of whatever fails first. The PATH has only what the recipe itself needs.
func TestMakeWithoutGo(t *testing.T) {
	program, err := exec.LookPath("make")
	if err != nil {
		t.Fatal(err)
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(shell, filepath.Join(bin, "sh")); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"run", "sandbox", "secret", "check", "whose-gifts", "test", "build"} {
		t.Run(target, func(t *testing.T) {
			command := exec.Command(program, "-C", root, target)
			command.Env = []string{"PATH=" + bin, "HOME=" + t.TempDir()}
			output, err := command.CombinedOutput()
			if err == nil {
				t.Errorf("make %s succeeded", target)
			}
			if want := "This needs Go 1.26 or later on PATH: https://go.dev/dl/\n"; !strings.Contains(string(output), want) {
				t.Errorf("make %s printed\n%s\nwant %q", target, output, want)
			}
			if strings.Contains(string(output), "race detector") {
				t.Errorf("make %s printed more than that Go is missing:\n%s", target, output)
			}
		})
	}
}
