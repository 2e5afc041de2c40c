package streamend_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// listing is an engine with the rooms "known" and "new". It lists them only after somebody has asked for the numbers of a room.
type listing struct {
	created time.Time
	asked   chan struct{}
	once    *sync.Once
}

func (l listing) info(roomID string) giftstats.RoomInfo {
	return giftstats.RoomInfo{RoomID: roomID, OwnerAccount: "host", CreatedAt: l.created}
}

func (l listing) GiftCount(_ context.Context, q giftstats.Query) (giftstats.Stats, error) {
	l.once.Do(func() { close(l.asked) })
	return giftstats.Stats{RoomID: q.RoomID, Account: q.Account, TotalCount: 1, TotalCoins: 7, FetchedAt: time.Now()}, nil
}

func (l listing) RoomStats(context.Context, string) (giftstats.RoomStats, error) {
	return giftstats.RoomStats{FetchedAt: time.Now()}, nil
}

func (l listing) RoomInfo(_ context.Context, roomID string) (giftstats.RoomInfo, error) {
	return l.info(roomID), nil
}

func (l listing) RoomList(ctx context.Context, _ string) (giftstats.RoomList, error) {
	select {
	case <-l.asked:
		return giftstats.RoomList{Rooms: []giftstats.RoomInfo{l.info("known"), l.info("new")}}, nil
	case <-ctx.Done():
		return giftstats.RoomList{}, ctx.Err()
	}
}

// A long list does not keep the known rooms from their turn, and the rooms that only the list knows have theirs in the same sweep.
func TestSweepListsAlongside(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	remembered, err := ledger.New(ledger.Config{Store: memory.New(time.Now), Retention: time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	created := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	known := ledger.Sighting{RoomID: "known", At: created, StartedAt: created, Opens: true, Confirmed: true, Owner: "host"}
	if err := remembered.Observe(ctx, known); err != nil {
		t.Fatal(err)
	}
	processor, err := streamend.NewProcessor(streamend.Config{
		Service:   giftstats.NewService(listing{created, make(chan struct{}), new(sync.Once)}),
		Receivers: []delivery.Receiver{{Name: "log", Deliverer: delivery.Log(slog.New(slog.DiscardHandler))}},
		Rate:      10_000, Ledger: remembered, WaitIdle: func(context.Context) {}, Meter: new(telemetry.Meter), Now: time.Now,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := processor.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"known", "new"} {
		room, err := remembered.Room(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if current := room.Current(); current == nil || len(current.Accounts) != 1 || current.Accounts[0].Last() == nil {
			t.Errorf("the room %q has %+v, want numbers of its host", id, room)
		}
	}
}
