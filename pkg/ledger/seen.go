package ledger

import (
	"slices"
	"sync"
	"time"
)

const (
	seenFor = time.Minute // an account is reported to the store once in this time
	maxSeen = 10_000
)

// seenCache remembers which receivers of gifts this instance has reported to the store lately, so that a gift costs one write.
type seenCache struct {
	mu    sync.Mutex
	until map[seenKey]time.Time
}

type seenKey struct{ room, account string }

func (g Gift) seenKeys() []seenKey {
	keys := []seenKey{{g.RoomID, ""}}
	for _, receiver := range g.Receivers {
		keys = append(keys, seenKey{g.RoomID, receiver})
	}
	return keys
}

// news reports whether the room or a receiver of the gift was not reported lately.
func (c *seenCache) news(gift Gift, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(gift.seenKeys(), func(key seenKey) bool { return !c.until[key].After(now) })
}

func (c *seenCache) remember(gift Gift, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until == nil || len(c.until) >= maxSeen {
		c.until = map[seenKey]time.Time{}
	}
	for _, key := range gift.seenKeys() {
		c.until[key] = now.Add(seenFor)
	}
}
