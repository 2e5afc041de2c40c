package ledger

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

const (
	settleTime   = 30 * time.Second // a gift older than this is not expected to arrive any more
	maxTallies   = 100              // streams whose tally an instance keeps
	maxSums      = 200_000          // sums in all of them; each has about 100 bytes
	tallyMaxAge  = 5 * time.Minute  // then all gifts are read again, the late ones too
	gracePeriod  = time.Second      // gifts carry whole seconds
	clockSkew    = time.Hour        // how far ahead of ours a clock may be
	otherSources = time.Minute      // how late the clock of another source than Tencent may be
)

// window returns the times [from, until) between which the gifts of a stream were sent. The zero until means that the stream goes on.
func (s *Stream) window(next time.Time) (from, until time.Time) {
	switch {
	case !s.StartedAt.IsZero():
		from = s.StartedAt
	case !s.After.IsZero():
		from = s.After.Truncate(time.Second).Add(gracePeriod)
	default:
		from = time.Unix(0, 0)
	}
	if s.End != nil {
		until = latest(s.End.EndedAt, s.End.TotalsAt).Truncate(time.Second).Add(gracePeriod)
		switch {
		case s.End.Source == SourceSweep || !s.End.Until.IsZero(): // the end came some time after EndedAt
			until = s.End.by().Truncate(time.Second).Add(gracePeriod)
		case s.End.RoomTotals == nil:
			until = until.Add(otherSources)
		}
	}
	if until.IsZero() || !next.IsZero() && next.Before(until) {
		until = next
	}
	return from, until
}

var errTooManyGifts = errors.New("the stream has more gifts than can be added up; are they genuine?")

// Tally adds up the gifts of an open stream. All of them are read at first, and those since the last call later on.
func (l *Ledger) Tally(ctx context.Context, room Room, streamID string) (*Tally, error) {
	stream := room.Stream(streamID)
	from, until := stream.window(room.Next(streamID))
	now := l.config.Now()
	if until.IsZero() {
		until = now.Add(clockSkew)
	}
	base := l.tallies.take(room.RoomID+"\x00"+streamID, from, now)
	total, settled := base.tally.clone(), now.Add(-settleTime).Truncate(time.Second)
	for gift, err := range l.config.Store.Gifts(ctx, room.RoomID, base.until, until) {
		if err != nil {
			return nil, unavailable("read gifts", err)
		}
		gift.Receivers = stream.receivers(gift)
		if total.Add(gift); total.Full() {
			return nil, unavailable("add up gifts", errTooManyGifts)
		}
		if gift.At.Before(settled) {
			base.tally.Add(gift)
		}
	}
	if settled.After(base.until) {
		base.until = settled
	}
	l.tallies.put(room.RoomID+"\x00"+streamID, base)
	return total, nil
}

// Gifts yields the gifts of an open stream, in any order.
func (l *Ledger) Gifts(ctx context.Context, room Room, streamID string) iter.Seq2[Gift, error] {
	stream := room.Stream(streamID)
	from, until := stream.window(room.Next(streamID))
	if until.IsZero() {
		until = l.config.Now().Add(clockSkew)
	}
	return func(yield func(Gift, error) bool) {
		for gift, err := range l.config.Store.Gifts(ctx, room.RoomID, from, until) {
			gift.Receivers = stream.receivers(gift)
			if !yield(gift, unavailable("read gifts", err)) {
				return
			}
		}
	}
}

// receivers are those of a gift, or else the owner: a gift without receivers goes to the owner.
func (s *Stream) receivers(gift Gift) []string {
	if len(gift.Receivers) == 0 && s.Owner != "" {
		return []string{s.Owner}
	}
	return gift.Receivers
}

// tallied is the sum of a stream's gifts from from until until.
type tallied struct {
	tally       *Tally
	from, until time.Time
	readAt      time.Time
}

// tallyCache keeps the sums of settled gifts. An entry belongs to one caller at a time.
type tallyCache struct {
	mu      sync.Mutex
	entries map[string]tallied
	sums    int // of all entries
}

func (c *tallyCache) take(key string, from, now time.Time) tallied {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.remove(key)
	if !ok || !entry.from.Equal(from) || now.Sub(entry.readAt) > tallyMaxAge || now.Before(entry.readAt) {
		return tallied{NewTally(), from, from, now}
	}
	return entry
}

func (c *tallyCache) put(key string, entry tallied) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key) // another caller may have read the same stream
	more := entry.tally.sums()
	if c.entries == nil || len(c.entries) >= maxTallies || c.sums+more > maxSums {
		c.entries, c.sums = map[string]tallied{}, 0
	}
	if more <= maxSums {
		c.entries[key], c.sums = entry, c.sums+more
	}
}

// remove takes an entry out of the cache, which is locked.
func (c *tallyCache) remove(key string) (tallied, bool) {
	entry, ok := c.entries[key]
	if ok {
		delete(c.entries, key)
		c.sums -= entry.tally.sums()
	}
	return entry, ok
}
