package repository_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Without Go, a target says so, and says where to get it. The shell's own error would not. The PATH has only what the recipe itself needs.
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

// What is given for a variable arrives as it is. Neither make nor the shell runs what is in it: the stage may be the name of a branch, and
// the room one that somebody else has chosen.
func TestMakeDoesNotRunWhatItIsGiven(t *testing.T) {
	for _, test := range []struct {
		name  string
		given []string // variables, to each of which the value is appended
	}{
		{name: "run", given: []string{"ADDR="}},
		{name: "sandbox", given: []string{"ADDR="}},
		{name: "check", given: []string{"SECRET=", "ENDPOINT="}},
		{name: "whose-gifts", given: []string{"ROOM=", "FROM=", "TO=", "GIFT="}},
		{name: "deploy-tencent", given: []string{"STAGE="}},
		{name: "remove-tencent", given: []string{"STAGE="}},
	} {
		for _, inEnvironment := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in the environment: %v", test.name, inEnvironment), func(t *testing.T) {
				dir := t.TempDir()
				mark, printed := filepath.Join(dir, "mark"), filepath.Join(dir, "printed")
				hostile := strings.ReplaceAll("a b';touch MARK;'`touch MARK`$(shell touch MARK)$$HOME#\\", "MARK", mark)
				stubs(t, dir)
				args := []string{"-C", root, "dist=" + dir, "deployer=" + dir, test.name}
				command := exec.Command("make")
				command.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "PRINTED=" + printed}
				for _, variable := range test.given {
					if inEnvironment {
						command.Env = append(command.Env, variable+hostile)
					} else {
						args = append(args, variable+hostile)
					}
				}
				command.Args = append(command.Args, args...)
				if output, err := command.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, output)
				}
				if _, err := os.Stat(mark); err == nil {
					t.Error("the value was run")
				}
				got, err := os.ReadFile(printed)
				if want := "[" + hostile + "]"; err != nil || strings.Count(string(got), want) < len(test.given) {
					t.Errorf("the program got %s, %v; want %s %d times", got, err, want, len(test.given))
				}
			})
		}
	}
}

// stubs puts programs into a directory that only note their arguments, and the variables of check.
func stubs(t *testing.T, dir string) {
	t.Helper()
	const stub = `#!/bin/sh
for given in "$@" "$GIFTSTATS_SECRET" "$GIFTSTATS_ENDPOINT"; do printf '[%s]\n' "$given" >>"$PRINTED"; done
`
	for _, name := range []string{"go", "node", "npm", "local", "check"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(stub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package-lock.json", "node_modules/.package-lock.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
