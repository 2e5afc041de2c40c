package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

func wantSenders(t *testing.T, senders []ledger.Sender, want ...string) {
	t.Helper()
	var got []string
	for _, sender := range senders {
		got = append(got, fmt.Sprintf("%s %d/%d", sender.Account, sender.TotalCount, sender.TotalCoins))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}
}

// give stores a gift to alice without a sighting. Its sender is named after the second.
func (b *book) give(second float64, receivers ...string) {
	b.t.Helper()
	b.must(b.store.Store.AddGift(b.t.Context(), ledger.Gift{
		ID: since(at(second)), RoomID: "r", Sender: since(at(second)), Receivers: receivers, GiftID: "rose", Count: 1, Coins: 10, At: at(second),
	}, at(1e9)))
}

// tally returns the senders of the gifts of a stream, in the order of their names.
func tally(t *testing.T, l *ledger.Ledger, room ledger.Room, streamID string) string {
	t.Helper()
	sums, err := l.Tally(t.Context(), room, streamID)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, sender := range sums.Ranking("").Senders {
		names = append(names, sender.Account)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// A gift that counts for the wrong show makes the sums differ from the room's totals, or pays a host for it twice.
func TestGiftsOfAStream(t *testing.T) {
	end := func(source string, withTotals bool) *ledger.End {
		end := &ledger.End{EndedAt: at(100.5), Source: source}
		if withTotals {
			end.RoomTotals = coins(1)
		}
		return end
	}
	for _, test := range []struct {
		name   string
		stream ledger.Stream
		next   *ledger.Stream
		want   []float64 // of the gifts below
	}{
		{name: "live", stream: ledger.Stream{StartedAt: at(10)}, want: []float64{10, 100, 101, 160, 161, 500}},
		{name: "start not known", stream: ledger.Stream{OpenedAt: at(50)}, want: []float64{-5, 9, 10, 100, 101, 160, 161, 500}},
		{
			name: "start not known, after an earlier stream", stream: ledger.Stream{OpenedAt: at(50), After: at(9.5)},
			want: []float64{10, 100, 101, 160, 161, 500},
		},
		{name: "ended by Tencent Chat", stream: ledger.Stream{StartedAt: at(10), End: end("live", true)}, want: []float64{10, 100}},
		{
			name:   "ended by another clock: up to a minute later",
			stream: ledger.Stream{StartedAt: at(10), End: end("direct", false)}, want: []float64{10, 100, 101, 160},
		},
		{
			name: "end noticed by the sweep: until the room was missing", want: []float64{10, 100, 101, 160},
			stream: ledger.Stream{StartedAt: at(10), End: &ledger.End{EndedAt: at(100.5), Until: at(160.5), Source: "sweep"}},
		},
		{
			name:   "end noticed by the sweep, room created again",
			stream: ledger.Stream{StartedAt: at(10), End: &ledger.End{EndedAt: at(100.5), Until: at(160.5), Source: "sweep"}},
			next:   &ledger.Stream{ID: "next", StartedAt: at(160)}, want: []float64{10, 100, 101},
		},
		{
			name: "ended by another clock, room created again", stream: ledger.Stream{StartedAt: at(10), End: end("direct", false)},
			next: &ledger.Stream{ID: "next", StartedAt: at(101)}, want: []float64{10, 100},
		},
		{
			name: "ended long before the room was created again", stream: ledger.Stream{StartedAt: at(10), End: end("live", true)},
			next: &ledger.Stream{ID: "next", StartedAt: at(400)}, want: []float64{10, 100},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			b.clock.Advance(time.Hour)
			for _, second := range []float64{-5, 9, 10, 100, 101, 160, 161, 500} {
				b.give(second, "alice")
			}
			test.stream.ID = "this"
			room := ledger.Room{RoomID: "r", Streams: []ledger.Stream{test.stream}}
			if test.next != nil {
				room.Streams = append(room.Streams, *test.next)
			}
			var want, listed []string
			for _, second := range test.want {
				want = append(want, since(at(second)))
			}
			slices.Sort(want)
			if got := tally(t, b.Ledger, room, "this"); got != strings.Join(want, " ") {
				t.Errorf("the tally has the gifts %s, want %v", got, want)
			}
			for gift, err := range b.Gifts(t.Context(), room, "this") {
				b.must(err)
				listed = append(listed, gift.Sender)
			}
			slices.Sort(listed)
			if !slices.Equal(listed, want) {
				t.Errorf("the gifts are %v, want %v", listed, want)
			}
		})
	}
}

// The second call reads only what may be new. A gift that arrives very late is found when the cache is too old.
func TestTallyReadsGiftsOnce(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.give(1, "alice")
	b.clock.Advance(100 * time.Second)
	b.give(95, "alice")
	room, err := b.Room(t.Context(), "r")
	b.must(err)
	for _, step := range []struct {
		name  string
		after time.Duration
		give  []float64
		want  string
		from  float64 // the second from which gifts are read
	}{
		{name: "first call", want: "1m35s 1s", from: 0},
		{name: "a moment later", after: time.Second, give: []float64{101}, want: "1m35s 1m41s 1s", from: 70},
		{name: "a gift that is 30 s late", after: 29 * time.Second, give: []float64{100, 71}, want: "1m11s 1m35s 1m40s 1m41s 1s", from: 71},
		{name: "a gift that is later", give: []float64{50}, want: "1m11s 1m35s 1m40s 1m41s 1s", from: 100},
		{name: "after five minutes", after: 271 * time.Second, want: "1m11s 1m35s 1m40s 1m41s 1s 50s", from: 0},
		{name: "the clock was set back", after: -time.Hour, want: "1m11s 1m35s 1m40s 1m41s 1s 50s", from: 0},
	} {
		b.clock.Advance(step.after)
		for _, second := range step.give {
			b.give(second, "alice")
		}
		b.store.reset(nil)
		if got := tally(t, b.Ledger, room, id(0)); got != step.want {
			t.Errorf("%s: the tally has the gifts %s, want %s", step.name, got, step.want)
		}
		if len(b.store.froms) != 1 || !b.store.froms[0].Equal(at(step.from)) {
			t.Errorf("%s: gifts are read from %v, want once from %v", step.name, b.store.froms, at(step.from))
		}
	}
}

// A call that fails halfway must not leave half of its gifts in the cache, where they would count twice.
func TestTallyAfterAFailure(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.give(1, "alice")
	b.clock.Advance(100 * time.Second)
	room := b.room()
	b.store.reset(first(1, "Gifts", errStore))
	_, err := b.Tally(t.Context(), room, id(0))
	wantUnavailable(t, err)
	for range 2 {
		if got := tally(t, b.Ledger, room, id(0)); got != "1s" {
			t.Errorf("the tally has the gifts %q, want 1s", got)
		}
	}
	for _, err := range b.Gifts(t.Context(), room, id(0)) {
		b.must(err)
	}
	b.store.reset(first(1, "Gifts", errStore))
	for _, err := range b.Gifts(t.Context(), room, id(0)) {
		wantUnavailable(t, err)
	}
}

// A tally belongs to its caller: what he does to it does not change the next one.
func TestTalliesShareNothing(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.give(1, "alice")
	b.clock.Advance(100 * time.Second)
	room := b.room()
	sums, err := b.Tally(t.Context(), room, id(0))
	b.must(err)
	sums.Add(given("mallory", "rose", 1, 1, "alice"))
	if got := tally(t, b.Ledger, room, id(0)); got != "1s" {
		t.Errorf("the tally has the gifts of %q, want 1s", got)
	}
}

// A gift without receivers goes to the owner; one with several counts for each.
func TestReceiversOfGifts(t *testing.T) {
	for _, test := range []struct {
		name  string
		owner string
		to    []string
		want  []string
	}{
		{name: "none", owner: "alice", want: []string{"alice"}},
		{name: "none, owner not known"},
		{name: "guest", owner: "alice", to: []string{"bob"}, want: []string{"bob"}},
		{name: "several", owner: "alice", to: []string{"bob", "carol"}, want: []string{"bob", "carol"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			b.give(1, test.to...)
			room := ledger.Room{RoomID: "r", Streams: []ledger.Stream{{ID: "1", Owner: test.owner}}}
			sums, err := b.Tally(t.Context(), room, "1")
			b.must(err)
			if got := sums.Receivers(); !slices.Equal(got, test.want) {
				t.Errorf("the tally has the receivers %v, want %v", got, test.want)
			}
			for gift, err := range b.Gifts(t.Context(), room, "1") {
				b.must(err)
				if !slices.Equal(gift.Receivers, test.want) {
					t.Errorf("the gift has the receivers %v, want %v", gift.Receivers, test.want)
				}
			}
		})
	}
}
