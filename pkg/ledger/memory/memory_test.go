package memory_test

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

func TestStore(t *testing.T) {
	ledgertest.Test(t, func(_ *testing.T, now func() time.Time) ledger.Store { return memory.New(now) })
}

func TestSlots(t *testing.T) {
	clock := ledgertest.NewClock()
	ledgertest.TestSlotsInTime(t, memory.New(clock.Now), clock.Set)
}
