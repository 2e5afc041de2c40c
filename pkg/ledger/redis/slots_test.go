package redis_test

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// A cluster refuses a command whose keys are in several slots, and this app shares the server with others.
func TestSlots(t *testing.T) {
	var networks []*network
	t.Run("suite", func(t *testing.T) {
		ledgertest.Test(t, func(t *testing.T, now func() time.Time) ledger.Store {
			wires := &network{}
			networks = append(networks, wires)
			server := newServer(t)
			server.SetTime(now())
			recorded := config(server, now)
			recorded.Dial = wires.dial
			return open(t, recorded)
		})
	})
	slots := map[string]uint16{} // by room
	seen := 0
	for _, wires := range networks {
		for _, written := range wires.written() {
			for _, command := range decodeCommands(t, written) {
				keys := keysOf(command)
				seen += len(keys)
				for _, key := range keys {
					if !strings.HasPrefix(key, "giftstats:1400000000:") {
						t.Errorf("%s has the key %q", command[0], key)
					}
					if slotOf(key) != slotOf(keys[0]) {
						t.Errorf("%s has keys in several slots: %q", command[0], keys)
					}
					if room, _, ok := strings.Cut(key, "}:"); ok {
						if slot, known := slots[room]; known && slot != slotOf(key) {
							t.Errorf("the keys of a room are in several slots: %q", key)
						}
						slots[room] = slotOf(key)
					}
				}
			}
		}
	}
	if seen == 0 || len(slots) < 10 {
		t.Errorf("there were %d keys of %d rooms and accounts", seen, len(slots))
	}
}

// keysOf returns the keys of a command that the store sends.
func keysOf(command []string) []string {
	switch command[0] {
	case "AUTH", "SELECT", "PING", "TIME":
		return nil
	case "EVAL":
		n, _ := strconv.Atoi(command[2])
		return command[3 : 3+n]
	}
	return command[1:2]
}

// slotOf returns the hash slot of a key: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
func slotOf(key string) uint16 {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc % 16384
}

// The slots are from https://redis.io/docs/latest/commands/cluster-keyslot/
func TestSlotOf(t *testing.T) {
	for key, want := range map[string]uint16{"somekey": 11058, "foo{hash_tag}": 2515, "bar{hash_tag}": 2515} {
		if got := slotOf(key); got != want {
			t.Errorf("slotOf(%q) is %d, want %d", key, got, want)
		}
	}
}

// decodeCommands reads commands as a client writes them: arrays of bulk strings.
func decodeCommands(t *testing.T, written []byte) [][]string {
	t.Helper()
	reader := bufio.NewReader(bytes.NewReader(written))
	number := func(kind byte) (int, bool) {
		line, err := reader.ReadString('\n')
		if err != nil {
			return 0, false
		}
		n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
		if line[0] != kind || err != nil {
			t.Fatalf("the line %q is not the beginning of %c", line, kind)
		}
		return n, true
	}
	var commands [][]string
	for {
		size, ok := number('*')
		if !ok {
			return commands
		}
		command := make([]string, size)
		for i := range command {
			length, _ := number('$')
			text := make([]byte, length+2)
			if _, err := io.ReadFull(reader, text); err != nil {
				t.Fatal(err)
			}
			command[i] = string(text[:length])
		}
		commands = append(commands, command)
	}
}
