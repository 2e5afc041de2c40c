package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// cluster is two nodes. Each refuses commands whose slot it does not have, as a node of Redis does.
type cluster struct {
	first, second *miniredis.Miniredis

	mu          sync.Mutex
	owner       func(slot uint16) *miniredis.Miniredis
	redirection func(slot uint16) string // what a node says that does not have the slot
	asking      map[*server.Peer]bool
	redirected  int // commands
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{first: newServer(t), second: newServer(t), asking: map[*server.Peer]bool{}}
	c.owner = func(slot uint16) *miniredis.Miniredis {
		if slot < 8192 {
			return c.first
		}
		return c.second
	}
	addresses := map[*miniredis.Miniredis]string{c.first: c.first.Addr(), c.second: c.second.Addr()} // Addr waits for running scripts
	c.redirection = func(slot uint16) string { return fmt.Sprintf("MOVED %d %s", slot, addresses[c.owner(slot)]) }
	for _, node := range []*miniredis.Miniredis{c.first, c.second} {
		c.guard(node)
	}
	return c
}

func (c *cluster) guard(node *miniredis.Miniredis) {
	node.Server().SetPreHook(func(peer *server.Peer, name string, args ...string) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if name == "ASKING" {
			c.asking[peer] = true
			peer.WriteOK()
			return true
		}
		keys := keysOf(append([]string{name}, args...))
		asked := c.asking[peer]
		delete(c.asking, peer)
		if len(keys) == 0 || asked || c.owner(slotOf(keys[0])) == node {
			return false
		}
		c.redirected++
		peer.WriteError(c.redirection(slotOf(keys[0])))
		return true
	})
}

// owns makes a node the owner of all slots, and lets the other one say something else than where they are.
func (c *cluster) owns(node *miniredis.Miniredis, redirection string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner = func(uint16) *miniredis.Miniredis { return node }
	if redirection != "" {
		c.redirection = func(slot uint16) string { return strings.Replace(redirection, "SLOT", fmt.Sprint(slot), 1) }
	}
}

func (c *cluster) redirections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.redirected
}

func TestStoreInACluster(t *testing.T) {
	ledgertest.Test(t, func(t *testing.T, now func() time.Time) ledger.Store {
		nodes := newCluster(t)
		nodes.first.SetTime(now()) // the clocks stand still, however long a part of the suite takes
		nodes.second.SetTime(now())
		return open(t, config(nodes.first, now))
	})
}

// All slots are at the second node, and the store is configured with the first.
func TestRedirections(t *testing.T) {
	for _, test := range []struct {
		name   string
		reply  func(port string) string // empty: MOVED
		wanted int                      // redirections of three commands
	}{
		{name: "moved", wanted: 1},
		{name: "moved to the same host", reply: func(port string) string { return "MOVED SLOT :" + port }, wanted: 1},
		{name: "moved to an unknown host", reply: func(port string) string { return "MOVED SLOT ?:" + port }, wanted: 1},
		{name: "asked", reply: func(port string) string { return "ASK SLOT 127.0.0.1:" + port }, wanted: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			nodes, wires := newCluster(t), &network{}
			reply := ""
			if test.reply != nil {
				reply = test.reply(nodes.second.Port())
			}
			nodes.owns(nodes.second, reply)
			if strings.HasPrefix(reply, "ASK") {
				nodes.owns(nil, reply) // the second node wants to hear ASKING
			}
			recorded := config(nodes.first, time.Now)
			recorded.Dial = wires.dial
			store := open(t, recorded)
			for range 3 {
				if err := store.DropGifts(t.Context(), "a", time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			if n := nodes.redirections(); n != test.wanted {
				t.Errorf("%d commands were redirected, want %d", n, test.wanted)
			}
			if n := wires.dials(); n != 2 {
				t.Errorf("there were %d connections", n)
			}
		})
	}
}

func TestRedirectionsRefused(t *testing.T) {
	for _, test := range []struct {
		name, reply, want string
	}{
		{name: "in a circle", reply: "MOVED SLOT FIRST", want: "too often"},
		{name: "to a public address", reply: "MOVED SLOT 192.0.2.1:6379", want: "private"},
		{name: "without a port", reply: "MOVED SLOT 127.0.0.1", want: "MOVED"},
		{name: "to a port that is not a number", reply: "MOVED SLOT 127.0.0.1:x", want: "MOVED"},
	} {
		t.Run(test.name, func(t *testing.T) {
			nodes, wires := newCluster(t), &network{}
			nodes.owns(nil, strings.Replace(test.reply, "FIRST", nodes.first.Addr(), 1))
			recorded := config(nodes.first, time.Now)
			recorded.Dial = wires.dial
			_, err := open(t, recorded).OpenRooms(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("OpenRooms returned %v, want an error with %q", err, test.want)
			}
			if n := wires.dials(); n != 1 {
				t.Errorf("there were %d connections", n)
			}
		})
	}
}

// The node with the slots stops, and the configured one takes them over.
func TestNodeFails(t *testing.T) {
	nodes := newCluster(t)
	nodes.owns(nodes.second, "")
	store := open(t, config(nodes.first, time.Now))
	drop := func() {
		t.Helper()
		if err := store.DropGifts(within(t, time.Minute), "a", time.Now()); err != nil {
			t.Error(err)
		}
	}
	drop()
	nodes.owns(nodes.first, "")
	nodes.second.Close()
	drop()
	if n := nodes.redirections(); n != 1 {
		t.Errorf("%d commands were redirected", n)
	}
}
