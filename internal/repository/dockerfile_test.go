package repository_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// No test here has a container engine. What a build of the image relies on is checked by itself: the version of Go, and that the command
// in the Dockerfile is a target of the Makefile that leaves a static program where the Dockerfile takes it from. "make e2e" runs it.
func TestDockerfile(t *testing.T) {
	file := read(t, "Dockerfile")
	find := func(text, expression string) string {
		t.Helper()
		found := regexp.MustCompile(`(?m)` + expression).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("found no %s", expression)
		}
		return found[1]
	}
	if image, module := find(file, `^FROM golang:(\d+\.\d+) AS build$`), find(read(t, "go.mod"), `^go (\d+\.\d+)`); image != module {
		t.Errorf("the image has Go %s, go.mod has %s", image, module)
	}
	if _, last, _ := strings.Cut(file, "FROM scratch\n"); strings.Contains(last, "RUN ") || find(last, `^USER (\d+):\d+$`) == "0" {
		t.Error("the image must run without a shell, as another user than root")
	}
	target := find(file, `^RUN make (\S+) VERSION="\$VERSION"$`)
	plan, err := exec.Command("make", "-n", "-C", root, target, "VERSION=1.2.3").CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, plan)
	}
	built := find(file, `^COPY --from=build /src/(\S+) /giftstats$`)
	for _, want := range []string{"CGO_ENABLED=0 GOOS=linux go build ", ".Version=1.2.3'", " -o " + built + " ./functions/local\n"} {
		if !strings.Contains(string(plan), want) {
			t.Errorf("make %s does not have %q in %s", target, want, plan)
		}
	}
}
