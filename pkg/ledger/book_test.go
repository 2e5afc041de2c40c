package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

const retention = 400 * 24 * time.Hour

// at returns the time some seconds after the start of the tests.
func at(seconds float64) time.Time {
	return ledgertest.Start.Add(time.Duration(seconds * float64(time.Second)))
}

// book is a ledger in memory that records and fails calls as told. All of its calls are about the room "r".
type book struct {
	*ledger.Ledger
	t     *testing.T
	clock *ledgertest.Clock
	store *watched
}

func newBook(t *testing.T) *book {
	t.Helper()
	clock := ledgertest.NewClock()
	b := &book{t: t, clock: clock, store: &watched{Store: memory.New(clock.Now)}}
	b.Ledger = b.instance()
	return b
}

// instance returns another ledger on the same store, as a further instance of a function has.
func (b *book) instance() *ledger.Ledger {
	b.t.Helper()
	l, err := ledger.New(ledger.Config{Store: b.store, Retention: retention, Now: b.clock.Now})
	b.must(err)
	return l
}

func (b *book) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) see(sighting ledger.Sighting) {
	b.t.Helper()
	sighting.RoomID = "r"
	b.must(b.Observe(b.t.Context(), sighting))
}

// create is the webhook of a room that alice created at the given second.
func (b *book) create(second float64) {
	b.t.Helper()
	b.see(ledger.Sighting{At: at(second), StartedAt: at(second), Opens: true, Confirmed: true, Owner: "alice"})
}

func (b *book) end(end ledger.End) ledger.Ending {
	b.t.Helper()
	ending, err := b.RecordEnd(b.t.Context(), "r", "", end)
	b.must(err)
	return ending
}

// finish stores the end of an open stream whose room is gone, and closes the stream.
func (b *book) finish(streamID string) ledger.Ended {
	b.t.Helper()
	room := b.room()
	stream := room.Stream(streamID)
	if stream == nil || stream.End == nil {
		b.t.Fatalf("stream %s has not ended: %s", streamID, b.describe())
	}
	ended := b.ended(ledger.Ended{
		StreamID: streamID, StartedAt: stream.StartedAt, EndedAt: stream.End.EndedAt, Until: stream.End.Until, Source: stream.End.Source,
		EventID: stream.End.EventID, ReportID: stream.End.ReportID, Gone: true,
	})
	b.must(b.Close(b.t.Context(), "r", streamID))
	return ended
}

func (b *book) ended(ended ledger.Ended) ledger.Ended {
	b.t.Helper()
	ended.RoomID = "r"
	stored, err := b.SaveEnded(b.t.Context(), ended)
	b.must(err)
	return stored
}

func (b *book) room() ledger.Room {
	b.t.Helper()
	room, err := b.Room(b.t.Context(), "r")
	b.must(err)
	return room
}

// change changes the only stream of the room.
func (b *book) change(change func(*ledger.Stream)) {
	b.t.Helper()
	_, err := b.Update(b.t.Context(), "r", func(room *ledger.Room) (bool, error) {
		change(&room.Streams[len(room.Streams)-1])
		return true, nil
	})
	b.must(err)
}

// describe returns the open streams in short, such as "since 0s: alice owns; alice, bob(seat)".
func (b *book) describe() string {
	b.t.Helper()
	var streams []string
	for _, stream := range b.room().Streams {
		streams = append(streams, describe(stream))
	}
	return strings.Join(streams, " | ")
}

func describe(stream ledger.Stream) string {
	text := "seen " + since(stream.OpenedAt)
	if !stream.StartedAt.IsZero() {
		text = "since " + since(stream.StartedAt)
	}
	var accounts []string
	for _, account := range stream.Accounts {
		name := account.Account
		if !account.Receives {
			name += "(seat)"
		}
		accounts = append(accounts, name)
	}
	text += fmt.Sprintf(": %s owns; %s", stream.Owner, strings.Join(accounts, ", "))
	if stream.End != nil {
		text += fmt.Sprintf("; ended %s by %s", since(stream.End.EndedAt), stream.End.Source)
		if stream.End.RoomTotals != nil {
			text += fmt.Sprintf(" with %d coins", stream.End.RoomTotals.TotalGiftCoins)
		}
	}
	return text
}

func since(t time.Time) string { return t.Sub(ledgertest.Start).String() }

// wantRoom checks the open streams of the room.
func (b *book) wantRoom(want string) {
	b.t.Helper()
	if got := b.describe(); got != want {
		b.t.Errorf("the room is\n%s\nand not\n%s", got, want)
	}
}

func stats(account string, count, coins int64, asOf time.Time) giftstats.Stats {
	return giftstats.Stats{RoomID: "r", Account: account, TotalCount: count, TotalCoins: coins, GiftSenderCount: 1, FetchedAt: asOf}
}

var errStore = errors.New("store is down")

// watched is a store that records the calls it gets, and fails those that fail selects.
type watched struct {
	ledger.Store
	mu    sync.Mutex
	calls []string
	fail  func(call string, n int) error // n counts the calls with this name, from 1
	froms []time.Time                    // of the calls of Gifts
}

func (w *watched) called(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, name)
	if w.fail == nil {
		return nil
	}
	n := 0
	for _, call := range w.calls {
		if call == name {
			n++
		}
	}
	return w.fail(name, n)
}

// reset forgets the calls so far and sets which of the next ones fail.
func (w *watched) reset(fail func(call string, n int) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.froms, w.fail = nil, nil, fail
}

func (w *watched) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(w.calls), func(call string) bool { return call != name }))
}

func (w *watched) Rooms(ctx context.Context, ids []string) ([]ledger.Room, error) {
	if err := w.called("Rooms"); err != nil {
		return nil, err
	}
	return w.Store.Rooms(ctx, ids)
}

func (w *watched) SaveRoom(ctx context.Context, room ledger.Room, expires time.Time) error {
	if err := w.called("SaveRoom"); err != nil {
		return err
	}
	return w.Store.SaveRoom(ctx, room, expires)
}

// AddGift fails after it has stored the gift, as a call whose answer is lost.
func (w *watched) AddGift(ctx context.Context, gift ledger.Gift, expires time.Time) error {
	return errors.Join(w.Store.AddGift(ctx, gift, expires), w.called("AddGift"))
}

func (w *watched) Gifts(ctx context.Context, roomID string, from, until time.Time) iter.Seq2[ledger.Gift, error] {
	if err := w.called("Gifts"); err != nil {
		return func(yield func(ledger.Gift, error) bool) { yield(ledger.Gift{}, err) }
	}
	w.froms = append(w.froms, from)
	return w.Store.Gifts(ctx, roomID, from, until)
}

func (w *watched) ListEnded(ctx context.Context, query ledger.Query) ([]ledger.Ended, error) {
	if err := w.called("ListEnded"); err != nil {
		return nil, err
	}
	return w.Store.ListEnded(ctx, query)
}

// first fails the first n calls with a name.
func first(n int, name string, err error) func(string, int) error {
	return func(call string, i int) error {
		if call == name && i <= n {
			return err
		}
		return nil
	}
}

// seen returns the id of a stream whose start is not known, and which was first seen at a second.
func seen(second float64) string { return "seen-" + strconv.FormatInt(at(second).UnixMilli(), 10) }

// wantUnavailable checks that a caller is told to try again.
func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, giftstats.CodeLedgerUnavailable) {
		t.Fatalf("the error is %v, want ledger_unavailable", err)
	}
	if giftstats.AsError(err).RetryAfter <= 0 {
		t.Errorf("the error has no RetryAfter: %v", err)
	}
	if !errors.Is(err, errStore) && !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("the cause is lost: %v", err)
	}
}
