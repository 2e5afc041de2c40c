package giftstats

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"
)

// MaxBatch is the most queries that one batch may hold.
const MaxBatch = 1000

// batchWorkers is the number of queries of one batch that run at once. 64 reach 200 calls per second if a call takes 320 ms
// or less.
const batchWorkers = 64

// Engine answers questions about single rooms. It is Tencent's live engine, or a substitute in tests. Its methods are safe for
// concurrent use.
type Engine interface {
	GiftCount(ctx context.Context, query Query) (Stats, error)
	RoomStats(ctx context.Context, roomID string) (RoomStats, error)
	RoomInfo(ctx context.Context, roomID string) (RoomInfo, error)
	RoomList(ctx context.Context, next string) (RoomList, error)
}

// Service answers the questions of callers. It validates them and runs the queries of a batch concurrently.
type Service struct{ engine Engine }

// NewService returns a Service that asks engine.
func NewService(engine Engine) *Service { return &Service{engine: engine} }

// GiftStats returns what one account received in one room.
func (s *Service) GiftStats(ctx context.Context, query Query) (Stats, error) {
	if err := query.Validate(); err != nil {
		return Stats{}, err
	}
	return s.engine.GiftCount(ctx, query)
}

// RoomStats returns the totals of one room.
func (s *Service) RoomStats(ctx context.Context, roomID string) (RoomStats, error) {
	if err := ValidateRoomID(roomID); err != nil {
		return RoomStats{}, err
	}
	return s.engine.RoomStats(ctx, roomID)
}

// RoomInfo returns the description of one room.
func (s *Service) RoomInfo(ctx context.Context, roomID string) (RoomInfo, error) {
	if err := ValidateRoomID(roomID); err != nil {
		return RoomInfo{}, err
	}
	return s.engine.RoomInfo(ctx, roomID)
}

// RoomList returns one page of the app's live rooms. The first page has the empty next.
func (s *Service) RoomList(ctx context.Context, next string) (RoomList, error) {
	return s.engine.RoomList(ctx, next)
}

// Result is the answer to one query of a batch. Stats holds numbers if and only if Err is nil.
type Result struct {
	Query Query
	Stats Stats
	Err   error
}

// GiftStatsBatch answers all queries, in the order asked, with calls that come after those of single requests. It never fails as a
// whole: each query has its own error. Queries that the deadline of ctx cuts off fail with upstream_timeout. If the rate limit allows
// not even the first of them before the deadline, all fail with [ErrNoTurn] at once.
func (s *Service) GiftStatsBatch(ctx context.Context, queries []Query) []Result {
	ctx = InBatch(ctx)
	results := make([]Result, len(queries))
	var group errgroup.Group
	group.SetLimit(batchWorkers)
	for i, query := range queries {
		group.Go(func() error {
			results[i] = s.batchResult(ctx, query)
			return nil
		})
	}
	group.Wait()
	if slices.ContainsFunc(results, func(result Result) bool { return !errors.Is(result.Err, ErrNoTurn) }) {
		cutOff(results)
	}
	return results
}

// cutOff changes the errors of the queries whose turn would have come after the deadline.
func cutOff(results []Result) {
	for i, result := range results {
		if errors.Is(result.Err, ErrNoTurn) {
			results[i].Err = &Error{
				Code: CodeUpstreamTimeout, Detail: "deadline exceeded before the rate limit allowed this query", Err: result.Err,
			}
		}
	}
}

// batchResult answers one query of a batch. It turns a panic into the error of this query, because a panic in a goroutine
// would end the process.
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
	return Result{Query: query, Stats: stats, Err: err}
}
