package redis

import (
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"

	redigo "github.com/gomodule/redigo/redis"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

// maxRedirections is how often a command may be sent to another node. One is usual, and two while a slot moves.
const maxRedirections = 4

// node is where a command is sent.
type node struct {
	address string
	asking  bool // the slot is being moved to this node, which wants to hear ASKING first
}

// task is a command on its way.
type task struct {
	command
	at    node
	reply any
	done  bool
}

// tasks starts commands at the nodes that have their slots, as far as these are known.
func (s *Store) tasks(commands []command) []task {
	s.mu.Lock()
	defer s.mu.Unlock()
	tasks := make([]task, len(commands))
	for i, c := range commands {
		tasks[i] = task{command: c, at: node{address: s.address}}
		if len(s.slots) == 0 {
			continue
		}
		if address, known := s.slots[slotOf(s.prefix+c.key)]; known {
			tasks[i].at.address = address
		}
	}
	return tasks
}

// redirect makes a node the next one of a command. A node that is not just asked is remembered for the slot of the command.
func (s *Store) redirect(t *task, to node, reply redigo.Error) error {
	host, _, err := net.SplitHostPort(to.address)
	if err != nil {
		return fmt.Errorf("%w: the address is not valid", reply)
	}
	if s.tls == nil && to.address != s.address && !endpoint.Private(host) {
		return fmt.Errorf("%w: without TLS, the nodes must have private addresses", reply)
	}
	t.at = to
	if to.asking {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots[slotOf(s.prefix+t.key)] = to.address
	return nil
}

// forgetSlots forgets what was known about a node that failed. Another node may have its slots now, which the configured one will tell.
func (s *Store) forgetSlots(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.slots, func(_ uint16, at string) bool { return at == address })
}

// redirection reads a reply like "MOVED 3999 10.0.0.7:6379" of the node at from, or the same with ASK. Without a host it means the one of
// from. The host may be an IPv6 address without brackets.
//
// Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding
func redirection(reply, from string) (to node, ok bool) {
	words := strings.Fields(reply)
	if len(words) != 3 || words[0] != "MOVED" && words[0] != "ASK" {
		return node{}, false
	}
	colon := strings.LastIndexByte(words[2], ':')
	if colon < 0 {
		return node{}, false
	}
	host, port := words[2][:colon], words[2][colon+1:]
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(from)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return node{}, false
	}
	return node{address: net.JoinHostPort(strings.Trim(host, "[]"), port), asking: words[0] == "ASK"}, true
}

// slotOf returns the hash slot of a key: the CRC16 (XMODEM) of its tag in braces, or of all of it without one.
func slotOf(key string) uint16 {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc % 16384
}
