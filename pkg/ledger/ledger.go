// Package ledger remembers live streams, because Tencent forgets a room when it is dissolved.
//
// A stream is one live session of a room, identified by the room id and the room's CreateTime: a room id may be used again. While
// a stream is open, the ledger keeps its accounts, Tencent's last numbers for each of them (snapshots), and the gifts that webhooks
// announced. When the stream ends, its summary is stored once, and the stream is closed after the summary has been delivered.
//
// The rules are functions on [Room] and [Stream]. A [Store] only keeps records: one per room, replaced by compare-and-swap; one per gift,
// written under an id so that a repeated write counts once; one per ended stream, written once. Sub-packages hold the stores, and package
// ledgertest the tests that each of them passes.
//
// All methods may be called from several goroutines. Errors of a store are [giftstats.Error]s with the code ledger_unavailable.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

const (
	updateAttempts = 20                    // writers of one room: a few webhooks and the sweep
	maxStreams     = 20                    // of one room at once; a room has two at most, unless somebody makes them up
	storeAttempts  = 3                     // Tencent does not send its webhooks again
	updateBackOff  = 20 * time.Millisecond // multiplied by the attempt; the wait is a random part of it
	retryAfter     = 2 * time.Second       // what callers are told when the store fails
)

// Config of a [Ledger]. All fields are required.
type Config struct {
	Store     Store
	Retention time.Duration // how long an ended stream is remembered
	Now       func() time.Time
}

// Ledger applies the rules to the records of a store.
type Ledger struct {
	config  Config
	tallies tallyCache
	seen    seenCache
}

// New returns a Ledger. It sends nothing.
func New(config Config) (*Ledger, error) {
	switch {
	case config.Store == nil || config.Now == nil:
		return nil, errors.New("ledger: a store and a clock are required")
	case config.Retention <= 0:
		return nil, errors.New("ledger: the retention must be above zero")
	}
	return &Ledger{config: config}, nil
}

// Room returns what is known of the open streams of a room. A room without open streams is not an error.
func (l *Ledger) Room(ctx context.Context, roomID string) (Room, error) {
	rooms, err := l.Rooms(ctx, []string{roomID})
	if err != nil {
		return Room{}, err
	}
	return rooms[0], nil
}

// Rooms returns what is known of the open streams of several rooms, in the order asked.
func (l *Ledger) Rooms(ctx context.Context, roomIDs []string) ([]Room, error) {
	rooms, err := l.config.Store.Rooms(ctx, roomIDs)
	return rooms, unavailable("read rooms", err)
}

// OpenRooms lists the ids of all rooms with open streams.
func (l *Ledger) OpenRooms(ctx context.Context) ([]string, error) {
	ids, err := l.config.Store.OpenRooms(ctx)
	return ids, unavailable("list open rooms", err)
}

// Update changes the record of a room. The function change may be called several times, each time with the newest record; it reports
// whether there is something to store, or an error. A store that fails is tried up to three times.
func (l *Ledger) Update(ctx context.Context, roomID string, change func(*Room) (bool, error)) (room Room, err error) {
	err = try(ctx, func() error {
		room, err = l.update(ctx, roomID, change)
		return err
	})
	return room, err
}

func (l *Ledger) update(ctx context.Context, roomID string, change func(*Room) (bool, error)) (Room, error) {
	for attempt := 1; ; attempt++ {
		room, err := l.Room(ctx, roomID)
		if err != nil {
			return Room{}, err
		}
		changed, err := change(&room)
		if err != nil || !changed {
			return room, err
		}
		err = l.config.Store.SaveRoom(ctx, room, l.config.Now().Add(l.config.Retention))
		if !errors.Is(err, ErrConflict) || attempt == updateAttempts {
			return room, unavailable("store the room", err)
		}
		if err := pause(ctx, rand.N(time.Duration(attempt)*updateBackOff)); err != nil {
			return Room{}, unavailable("store the room", err)
		}
	}
}

func pause(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try calls do up to three times until it succeeds.
func try(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || attempt == storeAttempts || pause(ctx, rand.N(time.Duration(attempt)*updateBackOff)) != nil {
			return err
		}
	}
}

// Close forgets an open stream and its gifts, after its summary was stored and delivered. The gifts stay until they expire if an older
// stream of the room still waits for its summary.
func (l *Ledger) Close(ctx context.Context, roomID, streamID string) error {
	var closed Stream
	var next time.Time
	needed := false
	_, err := l.Update(ctx, roomID, func(room *Room) (bool, error) {
		var found bool
		next = room.Next(streamID)
		closed, found = room.remove(streamID)
		needed = slices.ContainsFunc(room.Streams, func(s Stream) bool { return s.Start().Before(closed.Start()) })
		return found, nil
	})
	if err != nil || closed.End == nil || needed {
		return err
	}
	until := closed.End.by()
	if !next.IsZero() {
		until = earliest(until, next.Add(-time.Millisecond)) // the clock that reported the end may be ahead of Tencent's
	}
	return unavailable("remove gifts", l.config.Store.DropGifts(ctx, roomID, until))
}

// Lease takes the right to do something alone until the given time. It reports false while another holder has it.
func (l *Ledger) Lease(ctx context.Context, name, holder string, until time.Time) (bool, error) {
	taken, err := l.config.Store.Lease(ctx, name, holder, until)
	return taken, unavailable("take the lease "+name, err)
}

// Release gives a lease back early. Releasing a lease of another holder changes nothing.
func (l *Ledger) Release(ctx context.Context, name, holder string) error {
	return unavailable("release the lease "+name, l.config.Store.Release(ctx, name, holder))
}

// ReserveSlots takes slots of the rate that all users of the ledger share. It implements [giftstats.SlotSource].
func (l *Ledger) ReserveSlots(ctx context.Context, n int, apart, within time.Duration) (time.Time, bool, error) {
	first, taken, err := l.config.Store.ReserveSlots(ctx, n, apart, within)
	return first, taken, unavailable("reserve slots of the shared rate", err)
}

// unavailable wraps what a store returns. A nil err stays nil.
func unavailable(doing string, err error) error {
	var known *giftstats.Error
	if err == nil || errors.As(err, &known) && known.Code == giftstats.CodeLedgerUnavailable {
		return err
	}
	return &giftstats.Error{
		Code:       giftstats.CodeLedgerUnavailable,
		Detail:     "the ledger is unavailable; try again",
		RetryAfter: retryAfter,
		Err:        fmt.Errorf("%s: %w", doing, err),
	}
}
