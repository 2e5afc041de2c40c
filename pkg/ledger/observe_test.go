package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// Which show a sighting counts for decides who is paid for it.
func TestObserve(t *testing.T) {
	gift := func(second float64, receivers ...string) ledger.Sighting {
		return ledger.Sighting{At: at(second), Opens: true, Receivers: receivers}
	}
	seat := func(second float64, members ...string) ledger.Sighting {
		return ledger.Sighting{At: at(second), Seated: members}
	}
	owner := func(second float64, now, former string) ledger.Sighting {
		return ledger.Sighting{At: at(second), Owner: now, Former: former}
	}
	// storedEnd is a show from 0 s to 100 s whose end is stored.
	storedEnd := func(b *book) {
		b.create(0)
		b.finish(b.end(ledger.End{EndedAt: at(100), Source: "live"}).StreamID)
	}
	for _, test := range []struct {
		name   string
		before func(*book)
		see    []ledger.Sighting
		want   string
	}{
		{name: "the create webhook opens a stream", before: func(b *book) { b.create(0) }, want: "since 0s: alice owns; alice"},
		{name: "the create webhook twice", before: func(b *book) { b.create(0); b.create(0) }, want: "since 0s: alice owns; alice"},
		{name: "a gift opens a stream", see: []ledger.Sighting{gift(5, "bob")}, want: "seen 5s:  owns; bob"},
		{name: "a seat alone opens none: conference rooms have seats too", see: []ledger.Sighting{seat(5, "bob")}, want: ""},
		{name: "a change of owner alone opens none", see: []ledger.Sighting{owner(5, "bob", "alice")}, want: ""},
		{
			name: "a seat opens one where the room had a stream before", before: storedEnd, see: []ledger.Sighting{seat(102, "bob")},
			want: "seen 1m42s:  owns; bob(seat)",
		},
		{
			name: "a change of owner opens one where the room had a stream before", before: storedEnd,
			see: []ledger.Sighting{owner(102, "bob", "alice")}, want: "seen 1m42s: bob owns; bob, alice",
		},
		{
			name:   "a gift before the create webhook is of the same stream",
			before: func(b *book) { b.see(gift(5, "bob")); b.create(0) }, want: "since 0s: alice owns; bob, alice",
		},
		{
			name: "a seat within a second of the end is of the ended stream", before: storedEnd, see: []ledger.Sighting{seat(101, "bob")},
		},
		{name: "a gift ten seconds after the end is of the ended stream", before: storedEnd, see: []ledger.Sighting{gift(110, "bob")}},
		{
			name: "a gift eleven seconds after the end is of a new stream", before: storedEnd, see: []ledger.Sighting{gift(111, "bob")},
			want: "seen 1m51s:  owns; bob",
		},
		{
			name: "straggling gift, end not stored yet", see: []ledger.Sighting{gift(110, "bob")},
			before: func(b *book) { b.create(0); b.end(ledger.End{EndedAt: at(100), Source: "live"}) },
			want:   "since 0s: alice owns; alice; ended 1m40s by live",
		},
		{
			name: "late gift of before the end, end not stored yet", see: []ledger.Sighting{gift(99, "bob")},
			before: func(b *book) { b.create(0); b.end(ledger.End{EndedAt: at(100), Source: "live"}) },
			want:   "since 0s: alice owns; alice, bob; ended 1m40s by live",
		},
		{
			name: "gift of a new show, end of the old one not stored yet", see: []ledger.Sighting{gift(111, "bob")},
			before: func(b *book) { b.create(0); b.end(ledger.End{EndedAt: at(100), Source: "live"}) },
			want:   "since 0s: alice owns; alice; ended 1m40s by live | seen 1m51s:  owns; bob",
		},
		{
			name: "seat of a new show, end of the old one not stored yet", see: []ledger.Sighting{seat(102, "bob")},
			before: func(b *book) { b.create(0); b.end(ledger.End{EndedAt: at(100), Source: "live"}) },
			want:   "since 0s: alice owns; alice; ended 1m40s by live | seen 1m42s:  owns; bob(seat)",
		},
		{name: "the create webhook after the end opens nothing", before: func(b *book) { storedEnd(b); b.create(0) }},
		{
			name: "the create webhook of another show after the end", before: func(b *book) { storedEnd(b); b.create(105) },
			want: "since 1m45s: alice owns; alice",
		},
		{
			name: "a created room ends the older show", before: func(b *book) { b.create(0); b.create(200) },
			want: "since 0s: alice owns; alice; ended 0s by sweep | since 3m20s: alice owns; alice",
		},
		{
			name:   "a room that was created after a stream was seen is another one",
			before: func(b *book) { b.see(gift(5, "bob")); b.create(50) },
			want:   "seen 5s:  owns; bob; ended 5s by sweep | since 50s: alice owns; alice",
		},
		{
			name:   "the create webhook of the ended show, while a new stream was only seen",
			before: func(b *book) { storedEnd(b); b.see(gift(111, "bob")); b.create(0) },
			want:   "seen 1m51s:  owns; bob",
		},
		{
			name:   "the create webhook of the new show, which was only seen before",
			before: func(b *book) { storedEnd(b); b.see(gift(111, "bob")); b.create(105) },
			want:   "since 1m45s: alice owns; bob, alice",
		},
		{
			name: "the create webhook of an older show, late", before: func(b *book) { b.create(200); b.create(0) },
			want: "since 3m20s: alice owns; alice",
		},
		{
			name: "a gift of before the show", before: func(b *book) { b.create(200) }, see: []ledger.Sighting{gift(199, "bob")},
			want: "since 3m20s: alice owns; alice",
		},
		{
			name: "the former owner keeps his gifts", before: func(b *book) { b.create(0) },
			see: []ledger.Sighting{owner(50, "bob", "alice")}, want: "since 0s: bob owns; alice, bob",
		},
		{
			name: "a former owner that was not known", before: func(b *book) { b.create(0) },
			see: []ledger.Sighting{owner(50, "carol", "bob")}, want: "since 0s: carol owns; alice, carol, bob",
		},
		{
			name: "the owner after the end does not change", see: []ledger.Sighting{owner(100, "mallory", "alice")},
			before: func(b *book) { b.create(0); b.end(ledger.End{EndedAt: at(100), Source: "live"}) },
			want:   "since 0s: alice owns; alice, mallory; ended 1m40s by live",
		},
		{
			name: "a guest who receives a gift", before: func(b *book) { b.create(0) },
			see: []ledger.Sighting{seat(10, "bob"), gift(20, "bob"), seat(30, "bob")}, want: "since 0s: alice owns; alice, bob",
		},
		{
			name: "an account that cannot be one", before: func(b *book) { b.create(0) }, see: []ledger.Sighting{seat(10, "bob\n", "carol")},
			want: "since 0s: alice owns; alice, carol(seat)",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			b.clock.Advance(300 * time.Second)
			if test.before != nil {
				test.before(b)
			}
			for _, sighting := range test.see {
				b.see(sighting)
			}
			b.wantRoom(test.want)
		})
	}
}

// What a room answers after it was created again are the coins of another show.
func TestCreatedAgainDropsNumbersAskedSince(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.change(func(stream *ledger.Stream) {
		for i, second := range []float64{100, 199, 200} {
			stream.AddSnapshot(stats("alice", int64(i+1), int64(i+1), at(second)))
			stream.AddTotals(giftstats.RoomStats{RoomTotals: giftstats.RoomTotals{TotalGiftsSent: int64(i + 1)}, FetchedAt: at(second)})
		}
		stream.AliveAt = at(250)
	})
	b.create(200)
	room := b.room()
	older, newer := room.Streams[0], room.Streams[1]
	if last := older.Account("alice").Last(); last == nil || last.TotalCount != 2 {
		t.Errorf("the older show keeps %+v, want what was asked for at 199 s", last)
	}
	if last := older.LastTotals(); last == nil || last.TotalGiftsSent != 2 {
		t.Errorf("the older show keeps the totals %+v, want what was asked for at 199 s", last)
	}
	if last := newer.Account("alice").Last(); last != nil {
		t.Errorf("the newer show starts with %+v", last)
	}
	if got := since(older.End.EndedAt); got != "3m19.999s" {
		t.Errorf("the older show ended at %s, want just before the newer one", got)
	}
	if !newer.After.Equal(older.End.EndedAt) {
		t.Errorf("the newer show comes after %v, want %v", newer.After, older.End.EndedAt)
	}
	if older.ID == newer.ID {
		t.Error("both shows have one id: they would get one summary")
	}
}

func TestAccountsAreBounded(t *testing.T) {
	b := newBook(t)
	b.create(0)
	for i := range 150 {
		b.see(ledger.Sighting{At: at(1), Seated: []string{fmt.Sprintf("guest%d", i)}})
	}
	b.see(ledger.Sighting{At: at(2), Receivers: []string{"guest5"}})
	stream := b.room().Streams[0]
	if len(stream.Accounts) != ledger.MaxAccounts || ledger.MaxAccounts != 100 {
		t.Errorf("%d accounts are kept, want 100", len(stream.Accounts))
	}
	if known := stream.Account("guest5"); known == nil || !known.Receives {
		t.Errorf("a known account that receives a gift is %+v", known)
	}
}

// The record of a room is written only if a sighting tells something new, except that a confirmed one always does.
func TestObserveWritesOnlyNews(t *testing.T) {
	for _, test := range []struct {
		name string
		see  ledger.Sighting
		want int // writes
	}{
		{name: "known owner", see: ledger.Sighting{At: at(9), Owner: "alice"}, want: 0},
		{name: "known receiver", see: ledger.Sighting{At: at(9), Opens: true, Receivers: []string{"alice"}}, want: 0},
		{name: "new member", see: ledger.Sighting{At: at(9), Seated: []string{"bob"}}, want: 1},
		{name: "confirmed", see: ledger.Sighting{At: at(9), StartedAt: at(0), Confirmed: true, Owner: "alice"}, want: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			b.create(0)
			b.store.reset(nil)
			b.see(test.see)
			if got := b.store.count("SaveRoom"); got != test.want {
				t.Errorf("%d writes, want %d", got, test.want)
			}
		})
	}
}
