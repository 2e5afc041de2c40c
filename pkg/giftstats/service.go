package giftstats

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// MaxBatch is the most queries that one batch may hold.
const MaxBatch = 1000

// batchWorkers bounds the goroutines and connections of one batch. 64 fill a limit of 200 calls per second up to a round
// trip of 320 ms.
const batchWorkers = 64

// Engine answers questions about single rooms: Tencent's live engine, or whatever stands in for it. All methods may be
// called from several goroutines.
type Engine interface {
	GiftCount(ctx context.Context, query Query) (Stats, error)
	RoomStats(ctx context.Context, roomID string) (RoomStats, error)
	RoomInfo(ctx context.Context, roomID string) (RoomInfo, error)
}

// Service answers the questions of callers: it checks them, and spreads batches over the engine.
type Service struct{ engine Engine }

// NewService answers from engine.
func NewService(engine Engine) *Service { return &Service{engine: engine} }

// GiftStats tells what one account received in one room.
func (s *Service) GiftStats(ctx context.Context, query Query) (Stats, error) {
	if err := query.Validate(); err != nil {
		return Stats{}, err
	}
	return s.engine.GiftCount(ctx, query)
}

// RoomStats gives the totals of one room.
func (s *Service) RoomStats(ctx context.Context, roomID string) (RoomStats, error) {
	if err := ValidateRoomID(roomID); err != nil {
		return RoomStats{}, err
	}
	return s.engine.RoomStats(ctx, roomID)
}

// RoomInfo describes one room.
func (s *Service) RoomInfo(ctx context.Context, roomID string) (RoomInfo, error) {
	if err := ValidateRoomID(roomID); err != nil {
		return RoomInfo{}, err
	}
	return s.engine.RoomInfo(ctx, roomID)
}

// Result is the answer to one query of a batch: Err is nil exactly when Stats holds numbers.
type Result struct {
	Query Query
	Stats Stats
	Err   error
}

// GiftStatsBatch answers all queries, in the order asked. It never fails as a whole: each query has its own error, and what
// the deadline of ctx cut off is upstream_timeout.
func (s *Service) GiftStatsBatch(ctx context.Context, queries []Query) []Result {
	results := make([]Result, len(queries))
	Spread(len(queries), batchWorkers, func(i int) { results[i] = s.batchResult(ctx, queries[i]) })
	return results
}

// batchResult answers one query. A panic stays with it: in a goroutine of our own it would end the process.
func (s *Service) batchResult(ctx context.Context, query Query) (result Result) {
	defer func() {
		if p := recover(); p != nil {
			result = Result{Query: query, Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	if err := ctx.Err(); err != nil {
		return Result{Query: query, Err: AsError(err)}
	}
	stats, err := s.GiftStats(ctx, query)
	if errors.Is(err, CodeRateLimited) && AsError(err).Upstream == nil {
		// In a batch, a turn that comes after the deadline means that the deadline cut this query off.
		err = &Error{Code: CodeUpstreamTimeout, Detail: "the time for this batch was used up before the rate limit allowed this query", Err: err}
	}
	return Result{Query: query, Stats: stats, Err: err}
}
