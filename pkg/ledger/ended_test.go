package ledger_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

func TestQueryIncludes(t *testing.T) {
	stream := ledger.Ended{RoomID: "r", StreamID: "5", EndedAt: at(100), Accounts: []string{"alice", "bob"}}
	after := func(second float64, room, stream string) *ledger.Position {
		return &ledger.Position{EndedAt: at(second), RoomID: room, StreamID: stream}
	}
	for _, test := range []struct {
		name  string
		query ledger.Query
		want  bool
	}{
		{name: "all", want: true},
		{name: "its room", query: ledger.Query{RoomID: "r"}, want: true},
		{name: "another room", query: ledger.Query{RoomID: "r2"}},
		{name: "its second account", query: ledger.Query{Account: "bob"}, want: true},
		{name: "another account", query: ledger.Query{Account: "carol"}},
		{name: "another account in its room", query: ledger.Query{Account: "carol", RoomID: "r"}},
		{name: "from its end", query: ledger.Query{From: at(100)}, want: true},
		{name: "from after its end", query: ledger.Query{From: at(100.001)}},
		{name: "to its end", query: ledger.Query{To: at(100)}},
		{name: "to after its end", query: ledger.Query{To: at(100.001)}, want: true},
		{name: "after a later one", query: ledger.Query{After: after(101, "r", "5")}, want: true},
		{name: "after itself", query: ledger.Query{After: after(100, "r", "5")}},
		{name: "after an earlier one", query: ledger.Query{After: after(99, "r", "5")}},
		{name: "after a larger room", query: ledger.Query{After: after(100, "s", "1")}, want: true},
		{name: "after a smaller room", query: ledger.Query{After: after(100, "q", "9")}},
		{name: "after a larger stream", query: ledger.Query{After: after(100, "r", "6")}, want: true},
		{name: "after a smaller stream", query: ledger.Query{After: after(100, "r", "4")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.query.To.IsZero() {
				test.query.To = at(1e6)
			}
			if got := test.query.Includes(stream); got != test.want {
				t.Errorf("Includes is %v, want %v", got, test.want)
			}
		})
	}
}

func TestEndedRanking(t *testing.T) {
	ranking := func(sender string) ledger.Ranking {
		return ledger.Ranking{Senders: []ledger.Sender{{Account: sender}}, SenderCount: 1}
	}
	stream := ledger.Ended{Accounts: []string{"alice", "bob"}, Senders: []ledger.Ranking{ranking("all"), ranking("toAlice"), ranking("toBob")}}
	for _, test := range []struct {
		name    string
		stream  ledger.Ended
		account string
		want    string
		found   bool
	}{
		{name: "all", stream: stream, want: "all", found: true},
		{name: "first account", stream: stream, account: "alice", want: "toAlice", found: true},
		{name: "second account", stream: stream, account: "bob", want: "toBob", found: true},
		{name: "an account of another stream", stream: stream, account: "carol"},
		{name: "no gift was recorded", stream: ledger.Ended{Accounts: []string{"alice"}}, account: "alice"},
		{name: "no gift was recorded, all asked for", stream: ledger.Ended{Accounts: []string{"alice"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, found := test.stream.Ranking(test.account)
			if found != test.found {
				t.Fatalf("found is %v, want %v", found, test.found)
			}
			if found && got.Senders[0].Account != test.want {
				t.Errorf("the ranking is that of %s, want %s", got.Senders[0].Account, test.want)
			}
		})
	}
}

// A reader that goes on after the last stream of a page gets every stream once, however many are read at once.
func TestEachEnded(t *testing.T) {
	const streams = 120
	b := newBook(t)
	var want []string
	for i := range streams {
		second := at(float64(streams-i) / 2)
		b.ended(ledger.Ended{StreamID: since(second), EndedAt: second, Summary: []byte("{}")})
		want = append(want, since(second))
	}
	for _, limit := range []int{1, 49, 50, 51, 100, streams - 1, streams, streams + 1, math.MaxInt} {
		var got []string
		query := ledger.Query{From: at(0), To: at(100), Limit: limit}
		for more := true; more; {
			page := 0
			for stream, err := range b.EachEnded(t.Context(), query) {
				b.must(err)
				got, page = append(got, stream.StreamID), page+1
				query.After, err = ledger.ParseCursor(stream.Position().Cursor())
				b.must(err)
			}
			if more = page > 0; page > limit {
				t.Fatalf("with limit %d, %d streams came", limit, page)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: the pages have %v, want %v", limit, got, want)
		}
	}
	b.store.reset(first(1, "ListEnded", errStore))
	for _, err := range b.EachEnded(t.Context(), ledger.Query{To: at(100), Limit: 1}) {
		wantUnavailable(t, err)
	}
}

// An ended stream is remembered for the retention, and then no longer.
func TestRetention(t *testing.T) {
	b := newBook(t)
	b.ended(ledger.Ended{StreamID: "1", EndedAt: at(0), EventID: "first", Summary: []byte("{}")})
	if again := b.ended(ledger.Ended{StreamID: "1", EndedAt: at(9), EventID: "second"}); again.EventID != "first" {
		t.Errorf("a stream that is stored already was replaced: its id is %s", again.EventID)
	}
	for _, step := range []struct {
		after time.Duration
		found bool
	}{{after: retention - time.Second, found: true}, {after: 2 * time.Second, found: false}} {
		b.clock.Advance(step.after)
		_, found, err := b.Ended(t.Context(), "r", "1")
		b.must(err)
		if found != step.found {
			t.Errorf("after %v, found is %v", step.after, found)
		}
		if last, err := b.LastEnded(t.Context(), "r"); err != nil || (last != nil) != step.found {
			t.Errorf("after %v, the last stream is %+v, %v", step.after, last, err)
		}
	}
}

func TestCursorRefuses(t *testing.T) {
	for _, cursor := range []string{
		"", "x", "!", "e30", // {}
		"eyJ0IjoiMjAyNi0xMS0yNVQxMjowMDowMFoiLCJyIjoiciJ9", // no stream
		"eyJ0IjoiMjAyNi0xMS0yNVQxMjowMDowMFoiLCJzIjoiMSJ9", // no room
		ledger.Position{EndedAt: at(0), RoomID: "r", StreamID: strings.Repeat("1", 65)}.Cursor(),
		ledger.Position{EndedAt: at(0), RoomID: "r", StreamID: "1\x00"}.Cursor(),
		"eyJyIjoiciIsInMiOiIxIn0", // no time
		"eyJ0IjoiMjAyNi0xMS0yNVQxMjowMDowMFoiLCJyIjoiciIsInMiOiIxIn0==", // padded
	} {
		if position, err := ledger.ParseCursor(cursor); !errors.Is(err, giftstats.CodeInvalidRequest) {
			t.Errorf("%q: %+v, %v; want invalid_request", cursor, position, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, position := range []ledger.Position{
		{EndedAt: at(0), RoomID: "r", StreamID: "1"}, {EndedAt: at(0.123456789), RoomID: "房间\n", StreamID: "seen-1"}, {},
	} {
		f.Add(position.Cursor())
	}
	f.Add("eyJ0IjoiOTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OSIsInIiOiJyIiwicyI6IjEifQ") // the last moment west of UTC
	f.Fuzz(func(t *testing.T, cursor string) {
		position, err := ledger.ParseCursor(cursor)
		if err != nil {
			if !errors.Is(err, giftstats.CodeInvalidRequest) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		again, err := ledger.ParseCursor(position.Cursor())
		if err != nil {
			t.Fatalf("the cursor of %+v is refused: %v", position, err)
		}
		if position.Before(*again) || again.Before(*position) {
			t.Fatalf("%+v became %+v", position, again)
		}
	})
}
