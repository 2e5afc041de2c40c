package streamend

import (
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// Somebody with a captured webhook URL can announce rooms that do not exist. They must not keep real rooms from their turn in the sweep.
func TestAnnouncedRoomsDoNotComeBeforeRealOnes(t *testing.T) {
	swept := ledger.Room{RoomID: "swept", Streams: []ledger.Stream{{OpenedAt: at(0), SweptAt: at(50)}}}
	announced := ledger.Room{RoomID: "announced", Streams: []ledger.Stream{{OpenedAt: at(100)}}}
	if !turn(swept).Before(turn(announced)) {
		t.Errorf("the turn of the swept room is %v, that of the announced one %v", turn(swept), turn(announced))
	}
}
