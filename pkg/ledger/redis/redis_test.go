package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/ledger/redis"
	"github.com/giftstats/giftstats/pkg/secret"
)

const password = "not-a-real-password"

// secrets holds one document, and another one for when the login in the first is refused.
type secrets struct {
	mu         sync.Mutex
	login      secret.LedgerLogin
	renewed    *secret.LedgerLogin
	reads      int
	rereads    int
	unreadable error
}

func login(username, password string) secret.LedgerLogin {
	return secret.LedgerLogin{Username: secret.Redact(username), Password: secret.Redact(password)}
}

func (s *secrets) Get(context.Context) (*secret.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return &secret.Document{SDKAppID: 1400000000, Ledger: s.login}, s.unreadable
}

func (s *secrets) Reread(context.Context, *secret.Document) (*secret.Document, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rereads++
	if s.renewed == nil {
		return nil, false
	}
	s.login = *s.renewed
	return &secret.Document{SDKAppID: 1400000000, Ledger: s.login}, true
}

// newServer starts a server that wants a user and a password.
func newServer(t *testing.T) *miniredis.Miniredis {
	t.Helper()
	server := miniredis.RunT(t)
	server.RequireUserAuth("giftstats", password)
	return server
}

func config(server *miniredis.Miniredis, now func() time.Time) redis.Config {
	return redis.Config{Name: server.Addr() + "/0", Secrets: &secrets{login: login("giftstats", password)}, Now: now}
}

// open returns a store that waits for its server for as long as it takes.
func open(t *testing.T, config redis.Config) *redis.Store {
	t.Helper()
	store, err := redis.New(config)
	if err != nil {
		t.Fatal(err)
	}
	store.Wait()
	t.Cleanup(store.Close)
	return store
}

func TestStore(t *testing.T) {
	ledgertest.Test(t, func(t *testing.T, now func() time.Time) ledger.Store {
		server := newServer(t)
		server.SetTime(now()) // and the clock stands still, however long a part of the suite takes
		return open(t, config(server, now))
	})
}

func TestStoreInAnotherDatabase(t *testing.T) {
	server := newServer(t)
	other := config(server, time.Now)
	other.Name = server.Addr() + "/3"
	store := open(t, other)
	if taken, err := store.Lease(t.Context(), "sweep", "one", time.Now().Add(time.Minute)); err != nil || !taken {
		t.Fatalf("Lease is %v, %v", taken, err)
	}
	if keys := server.DB(3).Keys(); len(keys) != 1 || keys[0] != "giftstats:1400000000:lease:{sweep}" {
		t.Errorf("the keys are %q", keys)
	}
}

func TestNewRefuses(t *testing.T) {
	valid := redis.Config{Name: "127.0.0.1:6379/0", Secrets: &secrets{}, Now: time.Now}
	for name, change := range map[string]func(*redis.Config){
		"no secrets":                      func(c *redis.Config) { c.Secrets = nil },
		"no clock":                        func(c *redis.Config) { c.Now = nil },
		"no port":                         func(c *redis.Config) { c.Name = "127.0.0.1/0" },
		"no host":                         func(c *redis.Config) { c.Name = ":6379/0" },
		"no database":                     func(c *redis.Config) { c.Name = "127.0.0.1:6379" },
		"a database that is not a number": func(c *redis.Config) { c.Name = "127.0.0.1:6379/x" },
	} {
		changed := valid
		change(&changed)
		if _, err := redis.New(changed); err == nil {
			t.Errorf("%s: New returned no error", name)
		}
	}
}

func TestNewDoesNotConnect(t *testing.T) {
	source := &secrets{unreadable: errors.New("no credentials outside of an invocation")}
	store := open(t, redis.Config{Name: "127.0.0.1:1/0", Secrets: source, Now: time.Now})
	if source.reads != 0 {
		t.Error("New read the secret")
	}
	if _, err := store.OpenRooms(t.Context()); !errors.Is(err, source.unreadable) {
		t.Errorf("without a secret, OpenRooms returned %v", err)
	}
}

// A key must disappear when its newest record has expired, and not earlier.
func TestTimesToLive(t *testing.T) {
	server := newServer(t)
	clock := ledgertest.NewClock()
	store := open(t, config(server, clock.Now))
	add := func(id string, keep time.Duration) {
		t.Helper()
		if err := store.AddGift(t.Context(), ledgertest.NewGift("a", id, 0), clock.Now().Add(keep)); err != nil {
			t.Fatal(err)
		}
	}
	const key = "giftstats:1400000000:{a}:gifts"
	for _, test := range []struct {
		id         string
		keep, want time.Duration
	}{
		{id: "first", keep: time.Hour, want: time.Hour},
		{id: "longer", keep: 2 * time.Hour, want: 2 * time.Hour},
		{id: "shorter", keep: time.Minute, want: 2 * time.Hour},
	} {
		add(test.id, test.keep)
		if got := server.TTL(key); got != test.want {
			t.Errorf("after the gift %s the key lives for %v, want %v", test.id, got, test.want)
		}
	}
	ended := ledgertest.NewEnded("a", "1", 0)
	if _, err := store.SaveEnded(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	if err := store.SaveRoom(t.Context(), ledgertest.NewRoom("a"), clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Lease(t.Context(), "sweep", "one", clock.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, key := range server.Keys() {
		if server.TTL(key) <= 0 {
			t.Errorf("%s never expires", key)
		}
	}
}

// Pointers to streams that have expired do not pile up while others come in.
func TestPointersAreTrimmed(t *testing.T) {
	server := newServer(t)
	clock := ledgertest.NewClock()
	store := open(t, config(server, clock.Now))
	for i := range 50 {
		ended := ledgertest.NewEnded("a", string(rune('A'+i)), i*3600)
		ended.Expires = clock.Now().Add(10 * time.Hour)
		if _, err := store.SaveEnded(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
	}
	for _, key := range []string{"ended", "{a}:ended", "{alice}:of"} {
		if members, err := server.ZMembers("giftstats:1400000000:" + key); err != nil || len(members) > 11 {
			t.Errorf("%s has %d members, %v", key, len(members), err)
		}
	}
}

// A page of gifts is smaller than this. The server of the tests is slow, so all but the first are copied.
func TestManyGifts(t *testing.T) {
	server := newServer(t)
	store := open(t, config(server, ledgertest.NewClock().Now))
	expires := ledgertest.Start.Add(time.Hour)
	if err := store.AddGift(t.Context(), ledgertest.NewGift("a", "gift-00000", 0), expires); err != nil {
		t.Fatal(err)
	}
	const n, key = 12_001, "giftstats:1400000000:{a}:gifts"
	members, err := server.ZMembers(key)
	if err != nil || len(members) != 1 {
		t.Fatalf("the members are %q, %v", members, err)
	}
	for i := range n {
		if _, err := server.ZAdd(key, 0, strings.Replace(members[0], "gift-00000", fmt.Sprintf("gift-%05d", i), 1)); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for gift, err := range store.Gifts(t.Context(), "a", ledgertest.Start, expires) {
		if err != nil {
			t.Fatal(err)
		}
		seen[gift.ID] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d gifts were returned", len(seen), n)
	}
}

// A gift is the same if its room, time and id are, even if it would now be kept for longer.
func TestGiftRepeatedLater(t *testing.T) {
	clock := ledgertest.NewClock()
	store := open(t, config(newServer(t), clock.Now))
	for range 2 {
		if err := store.AddGift(t.Context(), ledgertest.NewGift("a", "g", 0), clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Second)
	}
	n := 0
	for range store.Gifts(t.Context(), "a", ledgertest.Start, clock.Now()) {
		n++
	}
	if n != 1 {
		t.Errorf("the gift was stored %d times", n)
	}
}
