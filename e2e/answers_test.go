//go:build e2e

package e2e

import (
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
