package streamend_test

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// The webhook of the end names bob, whom nobody has announced as the owner. Alice must not be paid what he may have received, also if TRTC
// has reported the end before.
func TestLostChangeOfOwnerDoesNotPayTheFormerOwner(t *testing.T) {
	for _, test := range []struct {
		name  string
		first []streamend.Event // whose summary could not be stored
	}{
		{name: "live only"},
		{name: "after TRTC", first: []streamend.Event{reported(streamend.SourceTRTC, 100)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			_, err := s.ledger().Update(t.Context(), "r", func(room *ledger.Room) (bool, error) {
				numbers := giftstats.Stats{RoomID: "r", Account: "alice", TotalCount: 10, TotalCoins: 100, FetchedAt: at(60)}
				room.Current().AddSnapshot(numbers)
				return true, nil
			})
			s.must(err)
			clock.Advance(150 * time.Second)
			s.tencent.fail = func(string) error { return giftstats.Errorf(giftstats.CodeRateLimited, "too many calls") }
			for _, event := range test.first {
				if s.process(event) == nil {
					t.Error("the first event does not fail")
				}
			}
			s.tencent.fail = nil
			event := liveEnd(100, 300)
			event.Accounts = []string{"bob"}
			s.must(s.process(event))
			data := s.wantOnce()
			if want := "alice: 100 from snapshot; "; paid(data) != want {
				t.Errorf("paid is %s, want %s", paid(data), want)
			}
			if data.Unattributed == nil || data.Unattributed.TotalCoins != 200 {
				t.Errorf("unattributed is %+v, want 200 coins", data.Unattributed)
			}
		})
	}
}
