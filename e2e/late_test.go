//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// attempts is how often a test is tried on a machine that is too slow for it.
const attempts = 4

// late is in the output of a test if a time limit of giftstats has passed: an error of a program, or a line of logIfSlow.
var late = regexp.MustCompile(`deadline exceeded|Client\.Timeout|i/o timeout|did not answer in time|longer than a time limit`)

// inTime runs a test of real programs in a process of its own. Their time limits are in real time: a gift, for example, is recorded within
// 0.8 s, and otherwise only logged. If the machine stops for longer than that, a program is right to do what the test does not expect. So
// a test that fails is repeated if its output shows that a limit has passed. Without that, the first failure counts.
func inTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	const inner = "E2E_INNER"
	if os.Getenv(inner) != "" {
		test(t)
		return
	}
	for attempt := 1; ; attempt++ {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "10m")
		command.Env = append(os.Environ(), inner+"=1")
		out, err := command.CombinedOutput()
		switch {
		case err == nil:
			return
		case attempt == attempts || !late.Match(out):
			t.Fatalf("attempt %d: %v\n%s", attempt, err, out)
		}
		t.Logf("attempt %d failed, after a time limit had passed:\n%s", attempt, out)
	}
}

// shortestLimit is shorter than the time after which a program gives up a request to a server and repeats it. The limit for a gift is even
// shorter, but the program writes a line about a gift that it gives up.
const shortestLimit = time.Second

// logIfSlow writes a line if a call took so long that a program in it may have given up a request and repeated it.
func logIfSlow(t *testing.T, what string, started time.Time) {
	t.Helper()
	if took := time.Since(started); took >= shortestLimit {
		t.Logf("%s took %v, longer than a time limit", what, took)
	}
}
