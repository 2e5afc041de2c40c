package redis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/ledger/redis"
)

// world is a store that reaches its server over a network that can be disturbed.
type world struct {
	server  *miniredis.Miniredis
	network *network
	secrets *secrets
	clock   *ledgertest.Clock
	store   *redis.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		server: newServer(t), network: &network{}, secrets: &secrets{login: login("giftstats", password)}, clock: ledgertest.NewClock(),
	}
	w.store = open(t, redis.Config{Name: w.server.Addr() + "/0", Secrets: w.secrets, Now: w.clock.Now, Dial: w.network.dial})
	return w
}

// lease does something that needs the server.
func (w *world) lease(ctx context.Context, t *testing.T) {
	t.Helper()
	if taken, err := w.store.Lease(ctx, "sweep", "one", w.clock.Now().Add(time.Minute)); err != nil || !taken {
		t.Errorf("Lease is %v, %v", taken, err)
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestOneConnection(t *testing.T) {
	w := newWorld(t)
	var running sync.WaitGroup
	for range 32 {
		running.Go(func() { w.lease(t.Context(), t) })
	}
	running.Wait()
	if n := w.network.dials(); n != 1 || w.secrets.reads != 1 {
		t.Errorf("there were %d connections, and the secret was read %d times", n, w.secrets.reads)
	}
	w.store.Close()
	w.network.open.Wait()
	if _, err := w.store.OpenRooms(t.Context()); err == nil {
		t.Error("a closed store was used without an error")
	}
}

func TestServerRestarts(t *testing.T) {
	w := newWorld(t)
	w.lease(t.Context(), t)
	w.server.Close()
	if _, err := w.store.OpenRooms(within(t, time.Minute)); err == nil {
		t.Error("without a server, OpenRooms returned no error")
	}
	w.network.redirect(newServer(t).Addr()) // another program may have taken the port of the first one
	w.lease(within(t, time.Minute), t)
}

// A gift webhook has one second in all. A connection that went silent takes half of it.
func TestConnectionGoesSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lease(t.Context(), t)
	w.network.silence()
	w.lease(within(t, 10*time.Second), t) // the other half is enough for a busy machine
	if n := w.network.dials(); n != 2 {
		t.Errorf("there were %d connections", n)
	}
}

// After a freeze, nothing is sent on the old connection.
func TestConnectionAfterAFreeze(t *testing.T) {
	w := newWorld(t)
	w.lease(t.Context(), t)
	w.clock.Advance(30 * time.Second)
	w.lease(t.Context(), t)
	if n := w.network.dials(); n != 1 {
		t.Errorf("after 30 s there were %d connections", n)
	}
	w.clock.Advance(time.Minute)
	w.network.silence()
	w.lease(t.Context(), t)
	if n := w.network.dials(); n != 2 {
		t.Errorf("after a minute there were %d connections", n)
	}
	if sent := w.network.unsent(); strings.Contains(sent, "EVAL") {
		t.Errorf("a command went to the old connection: %q", sent)
	}
}

// A write whose answer was lost is repeated, and has the result of the first one.
func TestLostAnswers(t *testing.T) {
	until := ledgertest.Start.Add(time.Hour)
	room, ended := ledgertest.NewRoom("a"), ledgertest.NewEnded("a", "1", 0)
	stored := func(t *testing.T, s ledger.Store) ledger.Room {
		t.Helper()
		rooms, err := s.Rooms(t.Context(), []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		return rooms[0]
	}
	for _, test := range []struct {
		name    string
		lose    string // a part of the request
		prepare func(ctx context.Context, s ledger.Store) error
		run     func(t *testing.T, s ledger.Store) error
	}{
		{
			name: "a new room", lose: "{a}:room",
			run: func(t *testing.T, s ledger.Store) error { return s.SaveRoom(t.Context(), room, until) },
		},
		{
			name: "the ticket of a new room", lose: "ZADD",
			run: func(t *testing.T, s ledger.Store) error { return s.SaveRoom(t.Context(), room, until) },
		},
		{
			name: "a changed room", lose: "'PEXPIRE', KEYS[1], ARGV[6]",
			prepare: func(ctx context.Context, s ledger.Store) error { return s.SaveRoom(ctx, room, until) },
			run:     func(t *testing.T, s ledger.Store) error { return s.SaveRoom(t.Context(), stored(t, s), until) },
		},
		{
			name: "a deleted room", lose: "'PEXPIRE', KEYS[1], ARGV[6]",
			prepare: func(ctx context.Context, s ledger.Store) error { return s.SaveRoom(ctx, room, until) },
			run: func(t *testing.T, s ledger.Store) error {
				deleted := stored(t, s)
				deleted.Streams = nil
				err := s.SaveRoom(t.Context(), deleted, until)
				if ids, _ := s.OpenRooms(t.Context()); len(ids) != 0 {
					t.Errorf("open rooms are %q", ids)
				}
				return err
			},
		},
		{
			name: "a gift", lose: "EVAL",
			run: func(t *testing.T, s ledger.Store) error {
				err := s.AddGift(t.Context(), ledgertest.NewGift("a", "g", 0), until)
				n := 0
				for range s.Gifts(t.Context(), "a", ledgertest.Start, until) {
					n++
				}
				if n != 1 {
					t.Errorf("the gift was stored %d times", n)
				}
				return err
			},
		},
		{
			name: "dropped gifts", lose: "ZREMRANGEBYLEX",
			run: func(t *testing.T, s ledger.Store) error { return s.DropGifts(t.Context(), "a", until) },
		},
		{
			name: "an ended stream", lose: "{a}:ended:1",
			run: func(t *testing.T, s ledger.Store) error {
				found, err := s.SaveEnded(t.Context(), ended)
				if found.EventID != ended.EventID {
					t.Errorf("stored is %+v", found)
				}
				return err
			},
		},
		{
			name: "the pointers to an ended stream", lose: "{alice}",
			run: func(t *testing.T, s ledger.Store) error {
				_, err := s.SaveEnded(t.Context(), ended)
				return err
			},
		},
		{
			name: "a receiver", lose: "HEXISTS",
			prepare: func(ctx context.Context, s ledger.Store) error {
				_, err := s.SaveEnded(ctx, ended)
				return err
			},
			run: func(t *testing.T, s ledger.Store) error { return s.MarkTaken(t.Context(), "a", "1", "receiver") },
		},
		{
			name: "a lease", lose: "lease",
			run: func(t *testing.T, s ledger.Store) error {
				taken, err := s.Lease(t.Context(), "sweep", "one", until)
				if !taken {
					t.Error("the lease was not taken")
				}
				return err
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.lease(t.Context(), t)
			if test.prepare != nil {
				if err := test.prepare(t.Context(), w.store); err != nil {
					t.Fatal(err)
				}
			}
			w.network.lose(test.lose)
			if err := test.run(t, w.store); err != nil {
				t.Errorf("the operation failed: %v", err)
			}
			if n := w.network.dials(); n != 2 {
				t.Errorf("there were %d connections, want the one that broke and another", n)
			}
		})
	}
}

// A caller that gives up does not break the connection of the others.
func TestCanceled(t *testing.T) {
	w := newWorld(t)
	w.lease(t.Context(), t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.store.OpenRooms(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenRooms returned %v", err)
	}
	w.lease(t.Context(), t)
	if n := w.network.dials(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

// Neither does a caller that gives up while it waits for an answer.
func TestCanceledWhileWaiting(t *testing.T) {
	w := newWorld(t)
	w.lease(t.Context(), t)
	arrived, release := make(chan struct{}), make(chan struct{})
	w.server.Server().SetPreHook(func(_ *server.Peer, name string, _ ...string) bool {
		if name == "ZRANGEBYSCORE" {
			close(arrived)
			<-release
		}
		return false
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := w.store.OpenRooms(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenRooms returned %v", err)
	}
	close(release)
	w.lease(t.Context(), t)
	if n := w.network.dials(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}
