package ledger_test

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

// shows drives the streams of one room whose shows follow each other closely.
type shows struct {
	t *testing.T
	l *ledger.Ledger
}

func newShows(t *testing.T) shows {
	t.Helper()
	clock := func() time.Time { return at(1000) }
	l, err := ledger.New(ledger.Config{Store: memory.New(clock), Retention: time.Hour, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return shows{t, l}
}

func (s shows) create(second float64) {
	s.t.Helper()
	sighting := ledger.Sighting{RoomID: "r", At: at(second), StartedAt: at(second), Opens: true, Owner: "alice"}
	if err := s.l.Observe(s.t.Context(), sighting); err != nil {
		s.t.Fatal(err)
	}
}

func (s shows) give(id string, second float64) {
	s.t.Helper()
	gift := ledger.Gift{ID: id, RoomID: "r", Sender: "carol", Receivers: []string{"alice"}, Count: 1, Coins: 10, At: at(second)}
	if err := s.l.RecordGift(s.t.Context(), gift); err != nil {
		s.t.Fatal(err)
	}
}

func (s shows) end(streamID string, end ledger.End) ledger.Ending {
	s.t.Helper()
	ending, err := s.l.RecordEnd(s.t.Context(), "r", streamID, end)
	if err != nil {
		s.t.Fatal(err)
	}
	return ending
}

// finish stores the summary of an ended stream and closes it.
func (s shows) finish(ending ledger.Ending) {
	s.t.Helper()
	stream := ending.Room.Stream(ending.StreamID)
	_, err := s.l.SaveEnded(s.t.Context(), ledger.Ended{
		RoomID: "r", StreamID: stream.ID, StartedAt: stream.StartedAt, After: stream.After, EndedAt: stream.End.EndedAt,
		Source: stream.End.Source, Gone: true,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.l.Close(s.t.Context(), "r", stream.ID); err != nil {
		s.t.Fatal(err)
	}
}

// A show that begins seconds after another one, and whose end only the sweep notices, must not stay open.
func TestMissedEndJustAfterAnotherShowIsItsOwn(t *testing.T) {
	s := newShows(t)
	s.create(0)
	s.finish(s.end("", reported("live", 100)))
	s.create(103)
	room, err := s.l.Room(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	id := room.Current().ID
	ending := s.end(id, ledger.End{EndedAt: at(103), Until: at(200), Source: ledger.SourceSweep, Reason: ledger.ReasonMissed})
	if ending.Stored != nil || ending.StreamID != id {
		t.Errorf("the end is of stream %s, stored: %v", ending.StreamID, ending.Stored != nil)
	}
}

// The gifts of a show are needed until its own summary is stored, also if the next show is finished before.
func TestGiftsStayWhileAnOlderShowWaits(t *testing.T) {
	s := newShows(t)
	s.create(0)
	s.give("first", 10)
	older := s.end("", reported("live", 100))
	s.create(103)
	s.finish(s.end("", reported("live", 150)))
	n := 0
	for _, err := range s.l.Gifts(t.Context(), older.Room, older.StreamID) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("the older show has %d gifts, want 1", n)
	}
}

// A show that waits for its summary is another one than the next show, even if nobody knows when that began.
func TestShowThatWaitsIsNotTheNextOne(t *testing.T) {
	s := newShows(t)
	s.create(0)
	older := s.end("", reported("live", 100))
	s.finish(s.end("", reported("live", 180)))
	again := s.end("", reported("live", 100))
	if again.Stored != nil || again.StreamID != older.StreamID {
		t.Errorf("the older end is of stream %s, stored: %v; want %s", again.StreamID, again.Stored != nil, older.StreamID)
	}
}
