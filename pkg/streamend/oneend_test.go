package streamend_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// Without a ledger, reports of one end at one time have one id, so that who pays once for each id pays once.
func TestOneEndHasOneIDWhateverReportsIt(t *testing.T) {
	ids := map[string]bool{}
	for _, source := range []string{"live", "trtc", "css", "direct", "sweep"} {
		for message, reason := range map[string]string{"m-1": "DestroyByUser", "m-2": "102"} {
			report := fmt.Sprintf(`{"room_id":"r","ended_at":"2026-11-25T12:01:40Z","source":%q,"reason":%q}`, source, reason)
			event, err := streamend.Parse([]byte(report), message)
			if err != nil {
				t.Fatal(err)
			}
			ids[event.EventID] = true
		}
	}
	if len(ids) != 1 {
		t.Errorf("one end has %d ids: %v", len(ids), ids)
	}
}

// One of two receivers is down, and the room is dissolved before the event is retried. The other one must not get a summary without
// numbers under the same id.
func TestRoomDissolvedBetweenTwoTurnsDoesNotChangeTheSummary(t *testing.T) {
	s, clock := newStage(t)
	s.create("r", at(0))
	s.tencent.open("r", liveRoom{created: at(0), owner: "alice", given: map[string]ledger.Sum{"alice": {TotalCount: 2, TotalCoins: 20}}})
	clock.Advance(150 * time.Second)
	s.two.fail = func() error { return errors.New("down") }
	if s.process(liveEnd(100, 20)) == nil {
		t.Fatal("the event does not fail")
	}
	s.tencent.dissolve("r")
	s.two.fail = nil
	clock.Advance(180 * time.Second)
	s.must(s.process(liveEnd(100, 20)))
	if data := s.wantOnce(); paid(data) != "alice: 20 from upstream; " {
		t.Errorf("paid is %s, want Tencent's numbers of the first turn", paid(data))
	}
}
