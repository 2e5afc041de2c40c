//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/process"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// The local server answers every request that schemathesis generates from the published document as the document says.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	inTime(t, testOpenAPI)
}

func testOpenAPI(t *testing.T) {
	_, upstream := fixture.Engine(t, nil)
	url := startLocal(t, upstream)
	settings, err := filepath.Abs("schemathesis.toml")
	if err != nil {
		t.Fatal(err)
	}
	schemathesis := exec.CommandContext(t.Context(), python(t, "schemathesis"), "--config-file", settings, "run", url+"/openapi.json")
	schemathesis.Dir = t.TempDir() // it leaves files
	schemathesis.Env = append(os.Environ(), "API_KEY="+fixture.APIKey)
	if out, err := schemathesis.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// startLocal starts the local server for the app of the fixture, with a ledger in its memory, and returns its URL.
func startLocal(t *testing.T, upstream string) string {
	t.Helper()
	url, _ := runLocal(t, map[string]string{
		"GIFTSTATS_SECRET": secretFile(t), "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_AUTH": "api-key,usersig",
	})
	return url
}

// secretFile returns the location of a file with the secret document of the fixture.
func secretFile(t *testing.T) string {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(fixture.Document(fixture.SecretKey)), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + secret
}

// runLocal starts the local server, and returns its URL and what it has printed.
func runLocal(t *testing.T, environment map[string]string) (url, output string) {
	t.Helper()
	server := start(t, environment, build.Program(t, build.Functions+"local", ""), "-addr", "127.0.0.1:0")
	return servingAt(t, server), server.Output()
}

// servingAt waits until the local server serves, and returns its URL. It has then printed everything else about its start.
func servingAt(t *testing.T, server *process.Process) string {
	t.Helper()
	started, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	if err := server.WaitOutput(started, " until interrupted", 1); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`Serving on (\S+) until interrupted`).FindStringSubmatch(server.Output())[1]
}
