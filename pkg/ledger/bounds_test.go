package ledger_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

// Somebody with a captured webhook URL can announce the same room again and again. Its record must stay small enough for the store.
func TestAnnouncedStreamsOfARoomAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	l, err := ledger.New(ledger.Config{Store: memory.New(clock), Retention: time.Hour, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		created := now.Add(time.Duration(i) * time.Second)
		if err := l.Observe(t.Context(), ledger.Sighting{RoomID: "r", At: created, StartedAt: created, Opens: true}); err != nil {
			t.Fatal(err)
		}
	}
	room, err := l.Room(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	if len(room.Streams) != 20 {
		t.Errorf("the room has %d open streams, want 20", len(room.Streams))
	}
}

// While no summary can be delivered, reports of ends that never were must not make the record of a room too large for the store: DynamoDB
// takes 400 KB. The end of the stream that is live can be recorded all the time.
func TestMadeUpEndsDoNotKeepTheRealOneOut(t *testing.T) {
	b := newBook(t)
	b.create(0)
	var refusal error
	for i := 0; i < 2000 && refusal == nil; i++ {
		_, refusal = b.RecordEnd(t.Context(), "r", "", ledger.End{
			EndedAt: at(float64(-60 * (i + 1))), Source: "live", Owner: "mallory", Reason: strings.Repeat("x", 200),
		})
	}
	if !errors.Is(refusal, giftstats.CodeLedgerUnavailable) {
		t.Errorf("the refusal is %v, want ledger_unavailable", refusal)
	}
	record, err := json.Marshal(b.room())
	if err != nil || len(record) > 200<<10 {
		t.Errorf("the record has %d bytes, %v", len(record), err)
	}
	if ending := b.end(reported("live", 100)); ending.StreamID != id(0) {
		t.Errorf("the real end is that of the stream %q, want %q", ending.StreamID, id(0))
	}
	if streams := len(b.room().Streams); streams < 100 {
		t.Errorf("only %d ends could wait for their summaries", streams)
	}
}
