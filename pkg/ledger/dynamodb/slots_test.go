package dynamodb_test

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

func TestSlots(t *testing.T) {
	clock := ledgertest.NewClock()
	ledgertest.TestSlotsInTime(t, newStore(t, start(t), clock.Now), clock.Set)
}

// A write costs money: there is one for each reservation, and two after a pause.
func TestSlotsWrites(t *testing.T) {
	cloud, clock := start(t), ledgertest.NewClock()
	store := newStore(t, cloud, clock.Now)
	for i, test := range []struct {
		name   string
		at     time.Duration
		taken  bool
		writes int
	}{
		{name: "the first ever", taken: true, writes: 2},
		{name: "in use", taken: true, writes: 1},
		{name: "all taken", writes: 1},
		{name: "after a pause", at: time.Minute, taken: true, writes: 2},
	} {
		clock.Set(ledgertest.Start.Add(test.at))
		before := cloud.Calls("UpdateItem")
		_, taken, err := store.ReserveSlots(t.Context(), 1, time.Second, 1500*time.Millisecond)
		if err != nil || taken != test.taken {
			t.Errorf("%d, %s: ReserveSlots returned %v, %v", i, test.name, taken, err)
		}
		if writes := cloud.Calls("UpdateItem") - before; writes != test.writes {
			t.Errorf("%s: %d writes, want %d", test.name, writes, test.writes)
		}
	}
	if items := cloud.Items(table, "rate#"); items != 1 {
		t.Errorf("%d items, want 1", items)
	}
}
