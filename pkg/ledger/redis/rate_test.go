package redis_test

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// The clock of the server decides. Here both show the same, so that the times can be compared.
func TestSharedRate(t *testing.T) {
	server, clock := newServer(t), ledgertest.NewClock()
	ledgertest.TestSlotsInTime(t, open(t, config(server, clock.Now)), func(at time.Time) {
		server.SetTime(at)
		clock.Set(at)
	})
	if keys := server.Keys(); len(keys) != 1 || keys[0] != "giftstats:1400000000:rate" {
		t.Errorf("the keys are %q", keys)
	}
	if ttl := server.TTL("giftstats:1400000000:rate"); ttl != 10*time.Minute {
		t.Errorf("the key lives for %v, want 10 minutes", ttl)
	}
}

// A process whose clock is wrong gets slots by its own clock, at the right distance.
func TestSharedRateWithAWrongClock(t *testing.T) {
	server, clock := newServer(t), ledgertest.NewClock()
	store := open(t, config(server, clock.Now))
	server.SetTime(ledgertest.Start.Add(time.Hour))
	for _, want := range []time.Time{ledgertest.Start, ledgertest.Start.Add(100 * time.Millisecond)} {
		first, taken, err := store.ReserveSlots(t.Context(), 10, 10*time.Millisecond, time.Second)
		if err != nil || !taken || !first.Equal(want) {
			t.Errorf("the first slot is at %v (%v, %v), want %v", first, taken, err, want)
		}
	}
}

// A value that is not a time of the near future does not count, and is replaced: each reservation begins behind the one before.
func TestSharedRateReplacesWhatIsNotATime(t *testing.T) {
	for _, value := range []string{"nan", "-nan", "inf", "-inf", "1e300", "-1", "soon", ""} {
		server, clock := newServer(t), ledgertest.NewClock()
		server.SetTime(ledgertest.Start)
		if err := server.Set("giftstats:1400000000:rate", value); err != nil {
			t.Fatal(err)
		}
		store := open(t, config(server, clock.Now))
		for _, want := range []time.Time{ledgertest.Start, ledgertest.Start.Add(100 * time.Millisecond)} {
			first, taken, err := store.ReserveSlots(t.Context(), 10, 10*time.Millisecond, time.Second)
			if err != nil || !taken || !first.Equal(want) {
				t.Errorf("after %q, the first slot is at %v (%v, %v), want %v", value, first, taken, err, want)
			}
		}
	}
}
