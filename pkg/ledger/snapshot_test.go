package ledger_test

import (
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// newStream returns a stream with one account, and with snapshots of 10 gifts for 100 coins as of 60 s.
func newStream() *ledger.Stream {
	stream := &ledger.Stream{ID: "1", Accounts: []ledger.Account{{Account: "alice"}, {Account: "bob"}}}
	stream.AddSnapshot(stats("alice", 10, 100, at(60)))
	stream.AddTotals(totals(10, 100, 60))
	return stream
}

func totals(count, coins int64, second float64) giftstats.RoomStats {
	room := giftstats.RoomTotals{TotalGiftsSent: count, TotalGiftCoins: coins}
	return giftstats.RoomStats{RoomID: "r", RoomTotals: room, FetchedAt: at(second)}
}

// Numbers that fall would take coins away from a host.
func TestSnapshotsNeverFall(t *testing.T) {
	for _, test := range []struct {
		name         string
		count, coins int64
		second       float64
		kept, fell   bool
	}{
		{name: "more of both", count: 11, coins: 101, second: 120, kept: true},
		{name: "equal, later", count: 10, coins: 100, second: 120, kept: true},
		{name: "equal, at the same time", count: 10, coins: 100, second: 60},
		{name: "more, but older", count: 11, coins: 101, second: 59},
		{name: "fewer gifts", count: 9, coins: 101, second: 120, fell: true},
		{name: "fewer coins", count: 11, coins: 99, second: 120, fell: true},
		{name: "zero", second: 120, fell: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			stream := newStream()
			answer := stats("alice", test.count, test.coins, at(test.second))
			if got := stream.Fell([]giftstats.Stats{stats("bob", 0, 0, at(120)), stats("nobody", 0, 0, at(120)), answer}); got != test.fell {
				t.Errorf("Fell is %v, want %v", got, test.fell)
			}
			stream.AddSnapshot(answer)
			if kept := stream.Account("alice").Last().TotalCount == test.count && len(stream.Account("alice").Snapshots) == 2; kept != test.kept {
				t.Errorf("the snapshot is kept: %v, want %v", kept, test.kept)
			}
			stream.AddTotals(totals(test.count, test.coins, test.second))
			if kept := len(stream.Totals) == 2; kept != test.kept {
				t.Errorf("the totals are kept: %v, want %v", kept, test.kept)
			}
		})
	}
}

func TestSnapshotHasEveryField(t *testing.T) {
	sequence := int64(7)
	answer := giftstats.Stats{
		RoomID: "r", Account: "bob", TotalCount: 1, TotalCoins: 2, GiftSenderCount: 3, Sequence: &sequence, UpstreamRequestID: "Id-1",
		FetchedAt: at(60),
	}
	stream := newStream()
	stream.AddSnapshot(answer)
	if got := stream.Account("bob").Last().Stats("r", "bob"); got != answer {
		t.Errorf("the snapshot is %+v, want %+v", got, answer)
	}
}

// A snapshot with gifts proves that an account receives: the owner does not get the room's totals then.
func TestSnapshotShowsWhoReceives(t *testing.T) {
	stream := newStream()
	stream.AddSnapshot(stats("bob", 0, 0, at(60)))
	if stream.Account("bob").Receives {
		t.Error("a guest without gifts receives")
	}
	stream.AddSnapshot(stats("bob", 1, 0, at(120)))
	if !stream.Account("bob").Receives {
		t.Error("a guest with a gift does not receive")
	}
	stream.AddSnapshot(stats("mallory", 1, 1, at(120)))
	if stream.Account("mallory") != nil {
		t.Error("an answer about an unknown account adds the account")
	}
}

// The two newest snapshots are kept, and the newest one of before the room was last known to be the same.
func TestSnapshotsThatAreKept(t *testing.T) {
	for _, test := range []struct {
		name      string
		confirmed float64
		want      []string
	}{
		{name: "confirmed in between", confirmed: 125, want: []string{"5m0s", "4m0s", "2m0s"}},
		{name: "confirmed at a snapshot", confirmed: 120, want: []string{"5m0s", "4m0s", "2m0s"}},
		{name: "confirmed last", confirmed: 300, want: []string{"5m0s", "4m0s"}},
		{name: "never confirmed", confirmed: -1, want: []string{"5m0s", "4m0s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stream := newStream()
			stream.ConfirmedAt = at(test.confirmed)
			for _, second := range []float64{120, 180, 240, 300} {
				stream.AddSnapshot(stats("alice", 10, 100, at(second)))
				stream.AddTotals(totals(10, 100, second))
			}
			var snapshots, rooms []string
			for _, snapshot := range stream.Account("alice").Snapshots {
				snapshots = append(snapshots, since(snapshot.AsOf))
			}
			for _, room := range stream.Totals {
				rooms = append(rooms, since(room.AsOf))
			}
			if !slices.Equal(snapshots, test.want) {
				t.Errorf("the snapshots of %v are kept, want %v", snapshots, test.want)
			}
			if !slices.Equal(rooms, test.want) {
				t.Errorf("the totals of %v are kept, want %v", rooms, test.want)
			}
		})
	}
}
