package memory

import (
	"context"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// ReserveSlots implements ledger.Store.
func (s *Store) ReserveSlots(_ context.Context, n int, apart, within time.Duration) (time.Time, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	first := s.free
	if first.Before(now) || first.Sub(now) > ledger.MaxSlotsAhead {
		first = now
	}
	if first.Sub(now) > within {
		return first, false, nil
	}
	s.free = first.Add(time.Duration(n) * apart)
	return first, true, nil
}
