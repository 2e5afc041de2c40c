package ledger_test

import (
	"testing"
	"testing/synctest"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// Two processes record an end and a gift at once. The gift opens the stream again after it was closed; a report removes that ghost.
func TestGhostOfAStoredStreamIsRemoved(t *testing.T) {
	for _, test := range []struct {
		name  string
		ghost ledger.Stream
		gone  bool
	}{
		{name: "the same start", ghost: ledger.Stream{ID: "seen-1", StartedAt: at(0), OpenedAt: at(0)}, gone: true},
		{name: "seen within it", ghost: ledger.Stream{ID: "seen-1", OpenedAt: at(99)}, gone: true},
		{name: "another start", ghost: ledger.Stream{ID: "seen-1", StartedAt: at(101), OpenedAt: at(101)}},
		{name: "seen after it", ghost: ledger.Stream{ID: "seen-1", OpenedAt: at(101)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			finished(b)
			ghost := ledger.Room{RoomID: "r", Streams: []ledger.Stream{test.ghost}}
			b.must(b.store.SaveRoom(t.Context(), ghost, at(1e6)))
			if ending := b.end(reported("live", 100)); ending.Stored == nil || ending.StreamID != id(0) {
				t.Errorf("the repeated report is about %+v", ending)
			}
			if gone := len(b.room().Streams) == 0; gone != test.gone {
				t.Errorf("the stream is gone: %v, want %v", gone, test.gone)
			}
		})
	}
}

// A store that cannot say whether the end is stored must not let a second summary be made.
func TestRecordEndWithoutStore(t *testing.T) {
	for _, call := range []string{"Rooms", "ListEnded", "SaveRoom"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBook(t)
			b.create(0)
			b.store.reset(first(3, call, errStore))
			_, err := b.RecordEnd(t.Context(), "r", "", reported("live", 100))
			wantUnavailable(t, err)
			b.store.reset(nil)
			b.wantRoom("since 0s: alice owns; alice")
		})
	}
}

// Close takes the gifts of the stream with it, and nothing else.
func TestCloseRemovesOnlyTheGiftsOfTheStream(t *testing.T) {
	b := newBook(t)
	ended(b)
	b.create(200)
	for _, second := range []float64{50, 100, 101, 250} {
		b.must(b.store.AddGift(t.Context(), ledger.Gift{ID: "g", RoomID: "r", At: at(second)}, at(1e6)))
	}
	b.must(b.Close(t.Context(), "r", id(0)))
	b.wantRoom("since 3m20s: alice owns; alice")
	var left []string
	for gift, err := range b.store.Store.Gifts(t.Context(), "r", at(-1e6), at(1e6)) {
		b.must(err)
		left = append(left, since(gift.At))
	}
	if len(left) != 2 {
		t.Errorf("the gifts at %v are left, want those after the end", left)
	}
	b.store.reset(nil)
	b.must(b.Close(t.Context(), "r", id(0)))
	if b.store.count("SaveRoom") != 0 {
		t.Error("closing a closed stream writes")
	}
}
