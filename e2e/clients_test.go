//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// The clients that are generated from the published document have the types that callers rely on, and can make every call.

func TestGeneratedTypeScriptClient(t *testing.T) { inTime(t, testTypeScriptClient) }

func testTypeScriptClient(t *testing.T) {
	tools := filepath.Join(folder(t, "GIFTSTATS_TOOLS"), "clients")
	work, err := os.MkdirTemp(tools, "test-") // Node looks for modules in the folders above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(work) })
	for _, name := range []string{"client.ts", "tsconfig.json"} {
		text, err := os.ReadFile(filepath.Join("clients", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(work, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(tools, "node_modules", ".bin")
	withoutWarning(t, command(t, work, nil, filepath.Join(bin, "openapi-typescript"), openAPIFile(t), "-o", "schema.d.ts"))
	withoutWarning(t, command(t, work, nil, filepath.Join(bin, "tsc"), "-p", "."))
	withoutWarning(t, command(t, work, shows(t), "node", "client.js"))
}

func TestGeneratedPythonClient(t *testing.T) { inTime(t, testPythonClient) }

func testPythonClient(t *testing.T) {
	work := t.TempDir()
	config, err := filepath.Abs("clients/generator.yml")
	if err != nil {
		t.Fatal(err)
	}
	withoutWarning(t, command(t, work, nil, python(t, "openapi-python-client"), "generate", "--path", openAPIFile(t), "--config", config,
		"--output-path", "giftstats_client", "--meta", "none", "--fail-on-warning"))
	script, err := filepath.Abs("clients/client.py")
	if err != nil {
		t.Fatal(err)
	}
	withoutWarning(t, command(t, work, append(shows(t), "PYTHONPATH="+work), python(t, "python"), script))
}

func openAPIFile(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../pkg/httpapi/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func command(t *testing.T, directory string, environ []string, name string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), name, arguments...)
	c.Dir, c.Env = directory, append(os.Environ(), environ...)
	return c
}

// A generator warns about what it leaves out of the client.
var warning = regexp.MustCompile(`(?i)warn|⚠|omitted|skipping|unsupported|deprecat`)

// withoutWarning runs a command, and fails the test if it fails, warns, or writes to standard error.
func withoutWarning(t *testing.T, c *exec.Cmd) {
	t.Helper()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdout, err := c.Output()
	if err == nil && (stderr.Len() > 0 || warning.Match(stdout)) {
		err = errors.New("there is a warning")
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", filepath.Base(c.Path), err, stdout, stderr.String())
	}
}

// shows starts the local server, with three live shows of one host, and returns the variables that tell a client about them. In the
// first show the host has received a gift of 7 coins.
func shows(t *testing.T) []string {
	t.Helper()
	const host = "host:1" // a colon, which separates account and UserSig, is the hard case
	rooms := []string{"show-1", "show-2", "show-3"}
	engine, upstream := fixture.Engine(t, nil)
	url := startLocal(t, upstream)
	sig, err := usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: fixture.AppID, Account: host, Key: fixture.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	errs := []error{
		engine.SetWebhook(url+"/v1/webhooks/live", fixture.LiveToken,
			simulator.AfterCreateRoom, simulator.BeforeSendGift, simulator.BeforeCallBackNotBlock),
		engine.AddGift(simulator.Gift{ID: "rose", Coins: 7}),
	}
	for _, room := range rooms {
		errs = append(errs, engine.CreateRoom(simulator.RoomInfo{RoomID: room, Owner: host}))
	}
	errs = append(errs, engine.SendGift(simulator.SentGift{
		RoomID: rooms[0], GiftID: "rose", Count: 1, Sender: "viewer", Receivers: []string{host},
	}))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return []string{"URL=" + url, "API_KEY=" + fixture.APIKey, "USERSIG=" + sig, "HOST=" + host, "ROOMS=" + strings.Join(rooms, " ")}
}
