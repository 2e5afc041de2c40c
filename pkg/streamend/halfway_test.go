package streamend_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// halfwayStore breaks off when it stores an ended stream for the first time, as DynamoDB and Redis may: the record is there, and some of
// the lists lack it.
type halfwayStore struct {
	ledger.Store
	lacks func(ledger.Query) bool // whether a list lacks the stream
	saved int
}

func (s *halfwayStore) SaveEnded(ctx context.Context, ended ledger.Ended) (ledger.Ended, error) {
	stored, err := s.Store.SaveEnded(ctx, ended)
	if s.saved++; s.saved == 1 {
		return ledger.Ended{}, giftstats.Errorf(giftstats.CodeLedgerUnavailable, "simulated failure")
	}
	return stored, err
}

func (s *halfwayStore) ListEnded(ctx context.Context, query ledger.Query) ([]ledger.Ended, error) {
	if s.saved == 1 && s.lacks(query) {
		return nil, nil
	}
	return s.Store.ListEnded(ctx, query)
}

// A stream that the lists lack is not in GET /v1/streams, and a report of its end that comes later makes another summary.
func TestEndThatWasStoredHalfwayIsListed(t *testing.T) {
	for name, lacks := range map[string]func(ledger.Query) bool{
		"no list has it":                 func(ledger.Query) bool { return true },
		"only the list of the room does": func(query ledger.Query) bool { return query.RoomID == "" },
	} {
		for _, sweep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by sweep %v", name, sweep), func(t *testing.T) {
				s, clock := newStage(t)
				s.store = &halfwayStore{Store: s.store, lacks: lacks}
				s.create("r", at(0))
				clock.Advance(150 * time.Second)
				if s.process(liveEnd(100, 20)) == nil {
					t.Fatal("the first turn does not fail")
				}
				if sweep {
					s.must(s.processor().Sweep(t.Context()))
				}
				s.must(s.process(liveEnd(100, 20)))
				s.wantOnce()
				for _, query := range []ledger.Query{{}, {RoomID: "r"}, {Account: "alice"}} {
					query.From, query.To = at(0), at(1000)
					if found, err := s.ledger().NewestEnded(t.Context(), query); err != nil || found == nil {
						t.Errorf("the stream of room %q, account %q is %v, %v; want it listed", query.RoomID, query.Account, found, err)
					}
				}
			})
		}
	}
}
