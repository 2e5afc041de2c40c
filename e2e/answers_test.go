//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// summary is what a customer reads of a delivery.
type summary struct{ Data ended }

type ended struct {
	EventID    string `json:"event_id"`
	RoomID     string `json:"room_id"`
	Source     string
	Reason     string
	Complete   bool
	Reconciled bool
	Accounts   []struct {
		Account string
		Coins   int64 `json:"total_coins"`
		Count   int64 `json:"total_count"`
	}
}

// want checks that the summary has what every account received according to the engine.
func (s summary) want(t *testing.T, source string, room simulator.Room) {
	t.Helper()
	if s.Data.RoomID != room.RoomID {
		t.Errorf("room_id = %q, want %q", s.Data.RoomID, room.RoomID)
	}
	if s.Data.Source != source {
		t.Errorf("source = %q, want %q", s.Data.Source, source)
	}
	if !s.Data.Complete {
		t.Error("the summary is not complete")
	}
	if !s.Data.Reconciled {
		t.Error("the summary is not reconciled")
	}
	if got := len(s.Data.Accounts); got != len(room.Received) {
		t.Errorf("%d accounts, want %d: %+v", got, len(room.Received), s.Data.Accounts)
	}
	for _, account := range s.Data.Accounts {
		if want := room.Received[account.Account]; account.Coins != want.TotalCoins || account.Count != want.TotalCount {
			t.Errorf("%+v, want %d coins and %d gifts", account, want.TotalCoins, want.TotalCount)
		}
	}
}

// streams is what a caller reads of GET /v1/streams.
type streams struct {
	Streams    []ended
	TotalCoins int64 `json:"total_coins"`
}

func (s streams) want(t *testing.T, show ended, coins int64) {
	t.Helper()
	if len(s.Streams) != 1 || s.Streams[0].EventID != show.EventID {
		t.Fatalf("streams = %+v, want the one with the event %s", s.Streams, show.EventID)
	}
	if s.TotalCoins != coins {
		t.Errorf("total_coins = %d, want %d", s.TotalCoins, coins)
	}
}

// ranking is what a caller reads of GET /v1/top-senders.
type ranking struct {
	Senders []struct {
		Account string
		Coins   int64 `json:"total_coins"`
	}
}

func (r ranking) want(t *testing.T, senders ...string) {
	t.Helper()
	var got []string
	for _, sender := range r.Senders {
		got = append(got, fmt.Sprintf("%s %d", sender.Account, sender.Coins))
	}
	if !slices.Equal(got, senders) {
		t.Errorf("senders = %q, want %q", got, senders)
	}
}
