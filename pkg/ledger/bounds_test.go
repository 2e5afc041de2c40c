package ledger_test

import (
	"testing"
	"time"

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
