package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// NewEnded returns a stream that ended so many seconds after Start.
func NewEnded(room, stream string, second int) ledger.Ended {
	at := Start.Add(time.Duration(second) * time.Second)
	return ledger.Ended{
		RoomID: room, StreamID: stream, StartedAt: at.Add(-time.Hour), EndedAt: at.Add(5 * time.Millisecond), EventID: "end-" + room + stream,
		Accounts: []string{"alice", "bob"}, Summary: []byte(`{"type": "stream.summary",  "é": "\u00e9<&>"}`), Expires: Start.Add(24 * time.Hour),
		Senders: []ledger.Ranking{{
			Senders:     []ledger.Sender{{Account: "carol", Sum: ledger.Sum{TotalCount: 2, TotalCoins: 20}}},
			SenderCount: 1, Sum: ledger.Sum{TotalCount: 2, TotalCoins: 20},
		}, {}, {}},
		Gifts: []ledger.GiftTotal{{GiftID: "rose", Sum: ledger.Sum{TotalCount: 2, TotalCoins: 20}}},
	}
}

func (w *world) end(t *testing.T, ended ledger.Ended) ledger.Ended {
	t.Helper()
	stored, err := w.store.SaveEnded(t.Context(), ended)
	if err != nil {
		t.Fatalf("SaveEnded: %v", err)
	}
	return stored
}

func storedOnce(t *testing.T, w *world) {
	if _, err := w.store.Ended(t.Context(), "a", "1"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a stream that has not ended: %v", err)
	}
	first := NewEnded("a", "1", 0)
	stored := w.end(t, first)
	if encode(t, stored) != encode(t, first) || string(stored.Summary) != string(first.Summary) {
		t.Errorf("stored is\n%s\nand not\n%s", encode(t, stored), encode(t, first))
	}
	second := NewEnded("a", "1", 10)
	second.EventID, second.Summary = "another", []byte("{}")
	if again := w.end(t, second); encode(t, again) != encode(t, first) {
		t.Errorf("the second end replaced the first one: %s", encode(t, again))
	}
	if found, err := w.store.Ended(t.Context(), "a", "1"); err != nil || encode(t, found) != encode(t, first) {
		t.Errorf("Ended returned %s, %v", encode(t, found), err)
	}
	all := ledger.Query{From: Start.Add(-time.Hour), To: Start.Add(time.Hour), Limit: 10}
	if got := w.list(t, all); !slices.Equal(got, []string{"a/1"}) {
		t.Errorf("the list is %v", got)
	}
}

func concurrentEnds(t *testing.T, w *world) {
	const writers = 8
	ids := make([]string, writers)
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() {
			ended := NewEnded("a", "1", i)
			ended.EventID = fmt.Sprint(i)
			stored, err := w.store.SaveEnded(t.Context(), ended)
			if err != nil {
				t.Errorf("SaveEnded: %v", err)
			}
			ids[i] = stored.EventID
		})
	}
	running.Wait()
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != 1 {
		t.Errorf("one end has the ids %v", ids)
	}
	all := ledger.Query{From: Start.Add(-time.Hour), To: Start.Add(time.Hour), Limit: 10}
	if got := w.list(t, all); !slices.Equal(got, []string{"a/1"}) {
		t.Errorf("the list is %v", got)
	}
}

func taken(t *testing.T, w *world) {
	w.end(t, NewEnded("a", "1", 0))
	w.end(t, NewEnded("a", "2", 1))
	for _, receiver := range []string{"first", "second", "first"} {
		if err := w.store.MarkTaken(t.Context(), "a", "1", receiver); err != nil {
			t.Fatal(err)
		}
	}
	found, err := w.store.Ended(t.Context(), "a", "1")
	slices.Sort(found.Taken)
	if err != nil || !slices.Equal(found.Taken, []string{"first", "second"}) {
		t.Errorf("receivers are %v, %v", found.Taken, err)
	}
	if again := w.end(t, NewEnded("a", "1", 0)); len(again.Taken) != 2 {
		t.Errorf("after the end was reported again, receivers are %v", again.Taken)
	}
	if other, err := w.store.Ended(t.Context(), "a", "2"); err != nil || len(other.Taken) != 0 {
		t.Errorf("receivers of the other stream are %v, %v", other.Taken, err)
	}
}

func pages(t *testing.T, w *world) {
	const n = 23
	var want []string
	for i := range n {
		ended := NewEnded(fmt.Sprintf("room%d", i%3), fmt.Sprintf("%02d", i), i*7200) // over two days
		ended.Expires = Start.Add(1000 * time.Hour)
		if i%2 == 0 {
			ended.Accounts = []string{"dave"}
		}
		w.end(t, ended)
		want = slices.Insert(want, 0, ended.RoomID+"/"+ended.StreamID)
	}
	only := func(keep func(i int) bool) []string {
		var kept []string
		for i, name := range want {
			if keep(n - 1 - i) {
				kept = append(kept, name)
			}
		}
		return kept
	}
	from, to := Start.Add(-time.Hour), Start.Add(100*time.Hour)
	for _, test := range []struct {
		name  string
		query ledger.Query
		want  []string
	}{
		{
			name: "all", query: ledger.Query{From: from, To: to},
			want: want,
		},
		{
			name: "of an account", query: ledger.Query{Account: "dave", From: from, To: to},
			want: only(func(i int) bool { return i%2 == 0 }),
		},
		{
			name: "of a room", query: ledger.Query{RoomID: "room1", From: from, To: to},
			want: only(func(i int) bool { return i%3 == 1 }),
		},
		{
			name: "of an account in a room", query: ledger.Query{Account: "alice", RoomID: "room1", From: from, To: to},
			want: only(func(i int) bool { return i%3 == 1 && i%2 == 1 }),
		},
		{
			name: "of an unknown account", query: ledger.Query{Account: "nobody", From: from, To: to},
			want: nil,
		},
		{
			name:  "from is included and to is not",
			query: ledger.Query{From: NewEnded("", "", 5*7200).EndedAt, To: NewEnded("", "", 8*7200).EndedAt},
			want:  only(func(i int) bool { return i >= 5 && i < 8 }),
		},
	} {
		for _, limit := range []int{1, 4, 100} {
			if got := w.listInPages(t, test.query, limit); !slices.Equal(got, test.want) {
				t.Errorf("%s, %d a page:\n%v, want\n%v", test.name, limit, got, test.want)
			}
		}
	}
}

func sameMoment(t *testing.T, w *world) {
	for _, name := range []string{"b", "a", "c"} {
		w.end(t, NewEnded(name, "1", 0))
	}
	query := ledger.Query{From: Start.Add(-time.Hour), To: Start.Add(time.Hour), Limit: 2}
	first := w.list(t, query)
	query.After = &ledger.Position{EndedAt: NewEnded("b", "1", 0).EndedAt, RoomID: "b", StreamID: "1"}
	if second := w.list(t, query); !slices.Equal(first, []string{"c/1", "b/1"}) || !slices.Equal(second, []string{"a/1"}) {
		t.Errorf("the pages are %v and %v", first, second)
	}
}

func expiry(t *testing.T, w *world) {
	w.save(t, NewRoom("a"))
	w.add(t, NewGift("a", "g", 0))
	ended := NewEnded("a", "1", 0)
	ended.Expires = w.later(time.Hour)
	w.end(t, ended)
	all := ledger.Query{Account: "alice", From: Start.Add(-time.Hour), To: Start.Add(time.Hour), Limit: 10}
	w.clock.Advance(59 * time.Minute)
	if got := w.list(t, all); len(got) != 1 {
		t.Errorf("before its time the list is %v", got)
	}
	w.clock.Advance(2 * time.Minute)
	if room := w.room(t, "a"); len(room.Streams) != 0 {
		t.Error("the room did not expire")
	}
	if ids, err := w.store.OpenRooms(t.Context()); err != nil || len(ids) > 0 && len(w.room(t, ids[0]).Streams) > 0 {
		t.Errorf("open rooms are %v, %v", ids, err)
	}
	if got := w.giftIDs(t, "a", Start, w.later(time.Hour)); len(got) != 0 {
		t.Errorf("gifts did not expire: %v", got)
	}
	if _, err := w.store.Ended(t.Context(), "a", "1"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the ended stream did not expire: %v", err)
	}
	if got := w.list(t, all); len(got) != 0 {
		t.Errorf("the list has %v", got)
	}
	w.save(t, NewRoom("a")) // as if nothing had been stored
	again := NewEnded("a", "1", 7200)
	if stored := w.end(t, again); !stored.EndedAt.Equal(again.EndedAt) {
		t.Errorf("an expired end was returned: %+v", stored)
	}
}

func leases(t *testing.T, w *world) {
	lease := func(holder string, want bool) {
		t.Helper()
		if got, err := w.store.Lease(t.Context(), "sweep", holder, w.later(time.Minute)); err != nil || got != want {
			t.Errorf("Lease for %s is %v, %v", holder, got, err)
		}
	}
	lease("one", true)
	lease("two", false)
	lease("one", true) // longer
	if other, err := w.store.Lease(t.Context(), "list", "two", w.later(time.Minute)); err != nil || !other {
		t.Errorf("another lease is %v, %v", other, err)
	}
	if err := w.store.Release(t.Context(), "sweep", "two"); err != nil {
		t.Error(err)
	}
	lease("two", false)
	if err := w.store.Release(t.Context(), "sweep", "one"); err != nil {
		t.Error(err)
	}
	lease("two", true)
	w.clock.Advance(61 * time.Second)
	lease("one", true)
}

func specialNames(t *testing.T, w *world) {
	names := []string{"a#b", "a:b", "{a}", "a b", "房间", "a\\b", "*", "a'\"b", "a%23b"}
	for i, name := range names {
		w.save(t, NewRoom(name))
		w.add(t, NewGift(name, "g", i))
		ended := NewEnded(name, "1", i)
		ended.Accounts = []string{name}
		w.end(t, ended)
	}
	for i, name := range names {
		if room := w.room(t, name); len(room.Streams) != 1 {
			t.Errorf("room %q has %d streams", name, len(room.Streams))
		}
		if got := w.giftIDs(t, name, Start, w.later(time.Hour)); len(got) != 1 {
			t.Errorf("room %q has the gifts %v", name, got)
		}
		for _, query := range []ledger.Query{{RoomID: name}, {Account: name}} {
			query.From, query.To, query.Limit = Start.Add(-time.Hour), Start.Add(time.Hour), 100
			if got := w.list(t, query); !slices.Equal(got, []string{name + "/1"}) {
				t.Errorf("%d: %+v lists %v", i, query, got)
			}
		}
	}
}
