package streamend_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// More members take seats than a stream has places. One who is not known any more receives gifts, and no gift webhook tells. The totals of
// the room are then not the owner's alone.
func TestOwnerOfACrowdedRoomIsNotPaidTheTotals(t *testing.T) {
	for _, test := range []struct {
		name string
		bob  int // the number of members who take a seat before bob
	}{
		{name: "bob lost his place", bob: 0},
		{name: "bob never had one", bob: ledger.MaxAccounts},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			given := map[string]ledger.Sum{"alice": {}}
			s.tencent.open("r", liveRoom{created: at(0), owner: "alice", given: given})
			seat := func(member string) {
				s.must(s.ledger().Observe(t.Context(), ledger.Sighting{RoomID: "r", At: s.clock.Now(), Seated: []string{member}}))
			}
			var members []string
			for i := range ledger.MaxAccounts {
				members = append(members, fmt.Sprint("member", i))
			}
			for _, member := range slices.Insert(members, test.bob, "bob") {
				given[member] = ledger.Sum{}
				seat(member)
			}
			clock.Advance(time.Minute)
			s.must(s.processor().Sweep(t.Context()))
			given["late"] = ledger.Sum{}
			seat("late")
			given["alice"], given["bob"] = ledger.Sum{TotalCount: 5, TotalCoins: 50}, ledger.Sum{TotalCount: 3, TotalCoins: 30}
			clock.Advance(time.Minute)
			s.must(s.processor().Sweep(t.Context()))
			s.tencent.dissolve("r")
			clock.Advance(30 * time.Second)
			s.must(s.process(liveEnd(150, 80)))
			data := s.wantOnce()
			for _, earning := range data.Accounts {
				if earning.Account == "alice" && (earning.Stats == nil || earning.Stats.TotalCoins != 50) {
					t.Errorf("alice has %+v, want the 50 coins of the last sweep", earning.Stats)
				}
			}
			if data.Unattributed == nil || data.Unattributed.TotalCoins != 30 {
				t.Errorf("unattributed is %+v, want the 30 coins of bob", data.Unattributed)
			}
		})
	}
}
