//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/ledger/redis"
	"github.com/giftstats/giftstats/pkg/secret"
)

// redisRights are all that the ledger needs.
const redisRights = "~giftstats:* -@all +@connection +@read +@write +@scripting +time"

func TestLedgerInRedis(t *testing.T) {
	testLedger(t, startRedis(t, ""))
}

// Each node has half of the slots, and the store knows the address of one.
func TestLedgerInRedisCluster(t *testing.T) {
	const slots = 16384
	settings := "cluster-enabled yes\ncluster-node-timeout 60000"
	first, second := startRedis(t, settings), startRedis(t, settings)
	for i, at := range []string{first, second} {
		var half strings.Builder
		for slot := i * slots / 2; slot < (i+1)*slots/2; slot++ {
			fmt.Fprintf(&half, " %d", slot)
		}
		if answer := askRedis(t, at, "CLUSTER ADDSLOTS"+half.String()); strings.Count(answer, "+OK") != 3 {
			t.Fatalf("the answer to CLUSTER ADDSLOTS is %q", answer)
		}
	}
	if answer := askRedis(t, first, "CLUSTER MEET "+strings.Replace(second, ":", " ", 1)); strings.Count(answer, "+OK") != 3 {
		t.Fatalf("the answer to CLUSTER MEET is %q", answer)
	}
	for _, at := range []string{first, second} {
		for !strings.Contains(askRedis(t, at, "CLUSTER INFO"), "cluster_state:ok") {
			if t.Context().Err() != nil {
				t.Fatal("the cluster does not start")
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	testLedger(t, first)
}

// testLedger runs the tests of all stores. Each part has an app of its own, so that it finds no records.
func testLedger(t *testing.T, at string) {
	app := login(1400000000)
	ledgertest.Test(t, func(t *testing.T, now func() time.Time) ledger.Store {
		app++
		store, err := redis.New(redis.Config{Name: at + "/0", Secrets: app, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(store.Close)
		return store
	})
}

// login is the SDKAppID in a secret with the login of the tests.
type login int64

func (app login) Get(context.Context) (*secret.Document, error) {
	return &secret.Document{
		SDKAppID: int64(app),
		Ledger:   secret.LedgerLogin{Username: secret.Redact(fixture.LedgerUser), Password: secret.Redact(fixture.LedgerPassword)},
	}, nil
}

func (login) Reread(context.Context, *secret.Document) (*secret.Document, bool) { return nil, false }

// startRedis starts a server until the test ends, and returns its address. It keeps nothing.
func startRedis(t *testing.T, more string) string {
	t.Helper()
	at, dir := redisAddress(t), t.TempDir()
	host, port, _ := strings.Cut(at, ":")
	user := func(name, rights string) string {
		return "user " + name + " on >" + fixture.LedgerPassword + " " + rights
	}
	lines := []string{
		"bind " + host, "port " + port, "dir " + dir, `save ""`, "appendonly no",
		user(fixture.LedgerUser, redisRights), user("root", "+@all"), "user default off", more,
	}
	settings := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(settings, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, at, start(t, nil, filepath.Join(folder(t, "GIFTSTATS_TOOLS"), "redis", "bin", "redis-server"), settings))
	return at
}

// redisAddress returns a free address. The nodes of a cluster talk to each other at a port that is higher by 10000.
func redisAddress(t *testing.T) string {
	t.Helper()
	for {
		at := addresses(t, 1)[0]
		_, port, _ := strings.Cut(at, ":")
		if n, err := strconv.Atoi(port); err != nil || n <= 55535 {
			return at
		}
	}
}

// askRedis sends a command as an administrator, and returns the answer.
func askRedis(t *testing.T, at, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "AUTH root " + fixture.LedgerPassword + "\r\n"
	for _, part := range []string{command, "QUIT"} {
		words := strings.Fields(part)
		request += fmt.Sprintf("*%d\r\n", len(words))
		for _, word := range words {
			request += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
		}
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
