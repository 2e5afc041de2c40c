package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// A room is dissolved at 100.5 s and created again at 100.9 s. The CreateTime of the new one is 100 s, before the end of the old one.
func TestEndInTheSecondOfTheNextStart(t *testing.T) {
	again := ledger.Sighting{At: at(100.9), StartedAt: at(100), Opens: true, Confirmed: true, Owner: "alice"}
	for _, test := range []struct {
		name   string
		before func(*book)
		stored bool
		want   string
	}{
		{
			name: "the webhook of the end is slower", before: func(b *book) { b.create(0); b.see(again) },
			want: "since 0s: alice owns; alice; ended 1m40.5s by live | since 1m40s: alice owns; alice",
		},
		{
			name: "the end is reported again", stored: true, want: "since 1m40s: alice owns; alice",
			before: func(b *book) {
				b.create(0)
				b.end(reported("live", 100.5))
				b.finish(id(0))
				b.see(again)
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			test.before(b)
			ending := b.end(reported("live", 100.5))
			if ending.StreamID != id(0) {
				t.Errorf("it ended stream %q, want %q", ending.StreamID, id(0))
			}
			if stored := ending.Stored != nil; stored != test.stored {
				t.Errorf("the summary is stored: %v, want %v", stored, test.stored)
			}
			b.wantRoom(test.want)
		})
	}
}

// A room may have hundreds of short streams a day. A report of an end looks at all of them, in few calls.
func TestEndInARoomWithManyStreamsOfADay(t *testing.T) {
	b := newBook(t)
	for i := range 300 {
		b.ended(ledger.Ended{RoomID: "r", StreamID: fmt.Sprint(i), EndedAt: at(float64(i) * 60), EventID: fmt.Sprint("end-", i)})
	}
	b.store.reset(nil)
	ending := b.end(ledger.End{EventID: "end-7", EndedAt: at(300 * 60), Source: "direct", Timeless: true})
	if ending.Stored == nil || ending.StreamID != "7" {
		t.Errorf("the report is about the stream %q, stored: %v; want 7", ending.StreamID, ending.Stored != nil)
	}
	if n := b.store.count("ListEnded"); n > 7 {
		t.Errorf("%d calls, want at most 7", n)
	}
}

// Eight shows in a room within an hour are not a reason to pay the first one twice.
func TestReportIsRepeatedAfterManyShows(t *testing.T) {
	own := func(show int) ledger.End {
		return ledger.End{EventID: fmt.Sprint("show-", show), EndedAt: at(float64(show)*300 + 200), Source: "direct"}
	}
	b := newBook(t)
	for show := range 8 {
		b.create(float64(show) * 300)
		b.finish(b.end(own(show)).StreamID)
	}
	b.create(2400)
	for name, end := range map[string]ledger.End{
		"the same event":         own(0),
		"the event without time": {EventID: "show-0", EndedAt: at(2450), Source: "direct", Timeless: true},
		"another source":         reported("trtc", 201),
	} {
		if ending := b.end(end); ending.Stored == nil || ending.StreamID != id(0) {
			t.Errorf("%s: it ended stream %q, want the stored one, %q", name, ending.StreamID, id(0))
		}
	}
	b.wantRoom("since 40m0s: alice owns; alice")
}

// The end was reported at 100 s, but the room lives on. A gift at 300 s opens a stream that is not another one.
func TestRoomGoesOnAfterAReport(t *testing.T) {
	reportedEarly := func(t *testing.T) *book {
		b := newBook(t)
		b.create(0)
		b.end(reported("direct", 100))
		b.ended(ledger.Ended{StreamID: id(0), StartedAt: at(0), EndedAt: at(100), Source: "direct"})
		b.must(b.Close(t.Context(), "r", id(0)))
		b.see(ledger.Sighting{At: at(300), Opens: true, Receivers: []string{"bob"}})
		b.wantRoom("seen 5m0s:  owns; bob")
		return b
	}
	for name, end := range map[string]ledger.End{"webhook": reported("live", 700), "sweep": reported("sweep", 300)} {
		t.Run(name, func(t *testing.T) {
			b := reportedEarly(t)
			streamID := ""
			if end.Source == "sweep" {
				streamID = seen(300)
			}
			ending, err := b.RecordEnd(t.Context(), "r", streamID, end)
			b.must(err)
			if ending.Stored == nil || ending.StreamID != id(0) {
				t.Errorf("it ended stream %q, want the stored one, %q", ending.StreamID, id(0))
			}
			b.wantRoom("")
		})
	}
	t.Run("seen by the sweep", func(t *testing.T) {
		b := reportedEarly(t)
		b.see(ledger.Sighting{At: at(360), StartedAt: at(0), Opens: true, Confirmed: true, Owner: "alice"})
		b.wantRoom("")
	})
	t.Run("created again", func(t *testing.T) {
		b := reportedEarly(t)
		b.create(800)
		b.wantRoom("since 13m20s: alice owns; alice")
	})
	t.Run("created again, without a webhook", func(t *testing.T) {
		b := reportedEarly(t)
		b.see(ledger.Sighting{At: at(310), StartedAt: at(290), Opens: true, Confirmed: true, Owner: "bob"})
		if ending := b.end(reported("live", 700)); ending.Stored != nil || ending.StreamID != seen(300) {
			t.Errorf("it ended stream %q, want %q", ending.StreamID, seen(300))
		}
	})
}

// The clock that reports an end may be ahead: the gifts of the next show stay.
func TestCloseKeepsTheGiftsOfTheNextStream(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.end(reported("direct", 1000))
	b.create(200)
	for _, second := range []float64{50, 250} {
		b.must(b.store.AddGift(t.Context(), ledger.Gift{ID: "g", RoomID: "r", At: at(second)}, at(1e6)))
	}
	b.must(b.Close(t.Context(), "r", id(0)))
	var left []string
	for gift, err := range b.store.Store.Gifts(t.Context(), "r", at(-1e6), at(1e6)) {
		b.must(err)
		left = append(left, since(gift.At))
	}
	if !slices.Equal(left, []string{"4m10s"}) {
		t.Errorf("the gifts at %v are left, want those of the next stream", left)
	}
}
