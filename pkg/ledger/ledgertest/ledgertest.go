// Package ledgertest tests implementations of ledger.Store, as testing/fstest does for file systems: every store keeps one contract.
package ledgertest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// Start is what the clock of the tests shows at first.
var Start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// Test runs the whole suite. The function newStore returns an empty store whose clock is now; it is called once for each part, and cleans
// up after t.
func Test(t *testing.T, newStore func(t *testing.T, now func() time.Time) ledger.Store) {
	for _, part := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{name: "rooms are kept", test: rooms},
		{name: "a room changed by another writer is refused", test: conflicts},
		{name: "concurrent updates of a room all count", test: concurrentUpdates},
		{name: "open rooms are listed", test: openRooms},
		{name: "gifts are kept", test: gifts},
		{name: "a gift stored again counts once", test: repeatedGifts},
		{name: "concurrent gifts all count", test: concurrentGifts},
		{name: "dropped gifts", test: droppedGifts},
		{name: "numbers are exact", test: exactNumbers},
		{name: "an end is stored once", test: storedOnce},
		{name: "concurrent ends are stored once", test: concurrentEnds},
		{name: "receivers are remembered", test: taken},
		{name: "ended streams are listed in pages", test: pages},
		{name: "ended streams of the same moment", test: sameMoment},
		{name: "every ended stream is in one period", test: paymentPeriods},
		{name: "records expire", test: expiry},
		{name: "a lease has one holder", test: leases},
		{name: "slots follow each other", test: slots},
		{name: "concurrent users have different slots", test: concurrentSlots},
		{name: "names with special characters", test: specialNames},
	} {
		t.Run(part.name, func(t *testing.T) {
			clock := &Clock{at: Start}
			w := &world{clock: clock, store: newStore(t, clock.Now)}
			part.test(t, w)
		})
	}
}

// Clock is a clock that tests move.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock returns a clock that shows Start.
func NewClock() *Clock { return &Clock{at: Start} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set sets the clock.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is one empty store with its clock.
type world struct {
	store ledger.Store
	clock *Clock
}

func (w *world) later(d time.Duration) time.Time { return w.clock.Now().Add(d) }

func (w *world) room(t *testing.T, id string) ledger.Room {
	t.Helper()
	rooms, err := w.store.Rooms(t.Context(), []string{id})
	if err != nil || len(rooms) != 1 {
		t.Fatalf("Rooms returned %d rooms, %v", len(rooms), err)
	}
	return rooms[0]
}

func (w *world) save(t *testing.T, room ledger.Room) {
	t.Helper()
	if err := w.store.SaveRoom(t.Context(), room, w.later(time.Hour)); err != nil {
		t.Fatalf("SaveRoom: %v", err)
	}
}

func (w *world) gifts(t *testing.T, room string, from, until time.Time) []ledger.Gift {
	t.Helper()
	var found []ledger.Gift
	for gift, err := range w.store.Gifts(t.Context(), room, from, until) {
		if err != nil {
			t.Fatalf("Gifts: %v", err)
		}
		found = append(found, gift)
	}
	return found
}

// listInPages reads page after page, each with at most limit streams, until one is empty.
func (w *world) listInPages(t *testing.T, query ledger.Query, limit int) []string {
	t.Helper()
	query.Limit = limit
	var names []string
	for {
		streams, err := w.store.ListEnded(t.Context(), query)
		if err != nil || len(streams) > limit {
			t.Fatalf("ListEnded(%+v): %d streams, %v", query, len(streams), err)
		}
		if len(streams) == 0 {
			return names
		}
		for _, stream := range streams {
			names = append(names, stream.RoomID+"/"+stream.StreamID)
		}
		last := streams[len(streams)-1].Position()
		query.After = &last
	}
}

func (w *world) list(t *testing.T, query ledger.Query) []string {
	t.Helper()
	streams, err := w.store.ListEnded(t.Context(), query)
	if err != nil {
		t.Fatalf("ListEnded(%+v): %v", query, err)
	}
	var names []string
	for _, stream := range streams {
		names = append(names, stream.RoomID+"/"+stream.StreamID)
	}
	return names
}

// NewRoom returns a room with one stream, with every field set.
func NewRoom(id string) ledger.Room {
	sequence, messages := int64(7), int64(math.MaxInt64)
	return ledger.Room{RoomID: id, Streams: []ledger.Stream{{
		ID: "1764072000", StartedAt: Start.Add(-time.Hour), CreatedAt: Start.Add(5*time.Millisecond - time.Hour),
		OpenedAt: Start.Add(-time.Hour), AliveAt: Start, After: Start.Add(-2 * time.Hour),
		ConfirmedAt: Start, SweptAt: Start, MissingAt: Start, Owner: "alice",
		Accounts: []ledger.Account{
			{Account: "alice", Receives: true, Snapshots: []ledger.Snapshot{{
				TotalCount: math.MaxInt64, TotalCoins: 1<<53 + 1, GiftSenderCount: 3, Sequence: &sequence, UpstreamRequestID: "Id-1", AsOf: Start,
			}}},
			{Account: "bob"},
		},
		Totals: []ledger.RoomSnapshot{{
			RoomTotals: giftstats.RoomTotals{TotalViewers: 1, TotalGiftsSent: math.MaxInt64, TotalMessages: &messages}, AsOf: Start,
		}},
		End: &ledger.End{
			EventID: "e", EndedAt: Start, Reason: "r", Source: "live", Owner: "alice", Accounts: []string{"alice"},
			RoomTotals: &giftstats.RoomTotals{TotalGiftCoins: 1<<53 + 1},
		},
	}}}
}

func rooms(t *testing.T, w *world) {
	if room := w.room(t, "a"); room.RoomID != "a" || room.Version != "" || len(room.Streams) != 0 {
		t.Errorf("a room that was never stored is %+v", room)
	}
	stored := NewRoom("a")
	w.save(t, stored)
	found := w.room(t, "a")
	if found.Version == "" {
		t.Error("the stored room has no version")
	}
	if got, want := fmt.Sprint(encode(t, found)), fmt.Sprint(encode(t, stored)); got != want {
		t.Errorf("the room is\n%s\nand not\n%s", got, want)
	}
	found.Streams[0].Owner = "bob"
	w.save(t, found)
	again := w.room(t, "a")
	if again.Streams[0].Owner != "bob" || again.Version == found.Version {
		t.Errorf("after a change, the owner is %s and the version %s (before: %s)", again.Streams[0].Owner, again.Version, found.Version)
	}
	several, err := w.store.Rooms(t.Context(), []string{"x", "a", "y", "a"})
	if err != nil || len(several) != 4 {
		t.Fatalf("several rooms are %+v, %v", several, err)
	}
	for i, want := range []ledger.Room{{RoomID: "x"}, again, {RoomID: "y"}, again} {
		if several[i].RoomID != want.RoomID || several[i].Version != want.Version {
			t.Errorf("room %d is %+v", i, several[i])
		}
	}
	if none, err := w.store.Rooms(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("no rooms are %v, %v", none, err)
	}
	again.Streams = nil
	w.save(t, again)
	if gone := w.room(t, "a"); gone.Version != "" || len(gone.Streams) != 0 {
		t.Errorf("a room without streams is kept: %+v", gone)
	}
}

func conflicts(t *testing.T, w *world) {
	w.save(t, NewRoom("a"))
	first, second := w.room(t, "a"), w.room(t, "a")
	w.save(t, first)
	empty := second
	empty.Streams = nil
	for name, room := range map[string]ledger.Room{
		"changed in between": second, "new, but stored": NewRoom("a"), "deleted, but changed": empty,
	} {
		if err := w.store.SaveRoom(t.Context(), room, w.later(time.Hour)); !errors.Is(err, ledger.ErrConflict) {
			t.Errorf("%s: SaveRoom returned %v", name, err)
		}
	}
	current := w.room(t, "a")
	removed := current
	removed.Streams = nil
	w.save(t, removed)
	if err := w.store.SaveRoom(t.Context(), current, w.later(time.Hour)); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("deleted in between: SaveRoom returned %v", err)
	}
	w.save(t, NewRoom("a"))
	if err := w.store.SaveRoom(t.Context(), first, w.later(time.Hour)); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("deleted and stored again in between: SaveRoom returned %v", err)
	}
}

func concurrentUpdates(t *testing.T, w *world) {
	const writers = 8
	l, err := ledger.New(ledger.Config{Store: w.store, Retention: time.Hour, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() {
			sighting := ledger.Sighting{RoomID: "a", At: Start, Opens: true, Seated: []string{fmt.Sprintf("guest%d", i)}}
			if err := l.Observe(t.Context(), sighting); err != nil {
				t.Errorf("Observe: %v", err)
			}
		})
	}
	running.Wait()
	room := w.room(t, "a")
	if len(room.Streams) != 1 || len(room.Streams[0].Accounts) != writers {
		t.Errorf("after %d concurrent sightings, the room is %+v", writers, room)
	}
}

func openRooms(t *testing.T, w *world) {
	const n = 150 // more than one page of any store
	var want []string
	for i := range n {
		id := fmt.Sprintf("room%03d", i)
		want = append(want, id)
		w.save(t, NewRoom(id))
	}
	ids, err := w.store.OpenRooms(t.Context())
	slices.Sort(ids)
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("OpenRooms returned %v, %v", ids, err)
	}
	all, err := w.store.Rooms(t.Context(), want)
	if err != nil || len(all) != n || all[n-1].RoomID != want[n-1] || len(all[n-1].Streams) != 1 {
		t.Errorf("Rooms returned %d rooms, %v", len(all), err)
	}
	for _, room := range all[1:] {
		room.Streams = nil
		w.save(t, room)
	}
	if ids, err := w.store.OpenRooms(t.Context()); err != nil || !slices.Equal(ids, want[:1]) {
		t.Errorf("after all but one were closed, OpenRooms returned %v, %v", ids, err)
	}
}
