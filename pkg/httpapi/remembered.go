package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

const (
	snapshotTime  = time.Second // for the ledger to answer before Tencent is asked instead
	recallWorkers = 32          // ended streams that are read at once for one request
)

// remembered are the numbers of an account as the ledger has them.
type remembered struct {
	giftstats.Stats
	From    string    `json:"from"`
	AsOf    time.Time `json:"as_of"`
	EndedAt time.Time `json:"ended_at,omitzero"` // zero while the stream is not known to have ended
}

// answer is the answer to one query: of the ledger if remembered is not nil, else of Tencent.
type answer struct {
	giftstats.Result
	remembered *remembered
}

// body returns what the response shows of a query that succeeded.
func (a answer) body() any {
	if a.remembered != nil {
		return a.remembered
	}
	return a.Stats
}

// ask is the way to ask Tencent.
type ask func(context.Context, []giftstats.Query) []giftstats.Result

// answers answers queries in their order: from snapshots that the request is content with, else from Tencent, and from the ledger
// again if Tencent has forgotten the room.
func (a *api) answers(x *exchange, queries []giftstats.Query, ask ask) []*answer {
	answers := make([]*answer, len(queries))
	for i, query := range queries {
		answers[i] = &answer{Result: giftstats.Result{Query: query}}
	}
	a.addSnapshots(x, answers, maxAge(x.request.Header.Values("Cache-Control")))
	var open []*answer
	var rest []giftstats.Query
	for _, answer := range answers {
		if answer.remembered == nil {
			open, rest = append(open, answer), append(rest, answer.Query)
		}
	}
	if len(rest) == 0 {
		return answers
	}
	for i, result := range ask(x.context(), rest) {
		open[i].Result = result
	}
	a.recall(x.context(), slices.DeleteFunc(open, func(answer *answer) bool { return !errors.Is(answer.Err, giftstats.CodeRoomNotFound) }))
	return answers
}

// addSnapshots answers from snapshots that are at most maxAge old, and sets the header Age to the age of the oldest. If the ledger
// fails, it leaves all queries to Tencent.
func (a *api) addSnapshots(x *exchange, answers []*answer, maxAge time.Duration) {
	answers = slices.DeleteFunc(slices.Clone(answers), func(answer *answer) bool { return answer.Query.Validate() != nil })
	if a.config.Ledger == nil || maxAge == 0 || len(answers) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(x.context(), snapshotTime)
	defer cancel()
	rooms, err := a.rooms(ctx, answers)
	if err != nil {
		a.config.Logger.LogAttrs(x.context(), slog.LevelWarn, "ledger not readable; asking Tencent instead",
			slog.Int("errors", 1), slog.String("code", string(giftstats.AsError(err).Code)), slog.Any("error", err))
		return
	}
	now, oldest, found := a.config.Now(), time.Duration(0), false
	for _, answer := range answers {
		room := rooms[answer.Query.RoomID]
		current := room.Current()
		if current == nil {
			continue
		}
		snapshot := lastSnapshot(*current, answer.Query)
		if snapshot == nil || now.Sub(snapshot.AsOf) > maxAge {
			continue
		}
		answer.remembered = snapshot
		oldest, found = max(oldest, now.Sub(snapshot.AsOf)), true
	}
	if found {
		x.setAge(oldest)
	}
}

// recall answers queries about rooms that Tencent does not know. Those about which the ledger knows nothing either keep their error.
func (a *api) recall(ctx context.Context, answers []*answer) {
	if a.config.Ledger == nil || len(answers) == 0 {
		return
	}
	rooms, err := a.rooms(ctx, answers)
	if err != nil {
		for _, answer := range answers {
			answer.Err = err
		}
		return
	}
	var group errgroup.Group
	group.SetLimit(recallWorkers)
	for _, answer := range answers {
		stream := newestStream(rooms[answer.Query.RoomID], answer.Query)
		if stream != nil && stream.End == nil {
			answer.recalled(lastSnapshot(*stream, answer.Query), nil)
			continue
		}
		group.Go(func() error {
			if stream == nil {
				answer.recalled(a.lastNumbers(ctx, answer.Query))
			} else {
				answer.recalled(a.endedNumbers(ctx, *stream, answer.Query))
			}
			return nil
		})
	}
	group.Wait()
}

// recalled takes what the ledger knows. Nil numbers leave the error of Tencent.
func (a *answer) recalled(numbers *remembered, err error) {
	switch {
	case err != nil:
		a.Err = err
	case numbers != nil:
		a.Err, a.remembered = nil, numbers
	}
}

// rooms reads the rooms of the queries in one call.
func (a *api) rooms(ctx context.Context, answers []*answer) (map[string]ledger.Room, error) {
	var ids []string
	rooms := map[string]ledger.Room{}
	for _, answer := range answers {
		if _, listed := rooms[answer.Query.RoomID]; !listed {
			ids, rooms[answer.Query.RoomID] = append(ids, answer.Query.RoomID), ledger.Room{}
		}
	}
	found, err := a.config.Ledger.Rooms(ctx, ids)
	for _, room := range found {
		rooms[room.RoomID] = room
	}
	return rooms, err
}

// newestStream returns the newest open stream in which the account is known, or nil. The numbers of an older stream would be wrong.
func newestStream(room ledger.Room, query giftstats.Query) *ledger.Stream {
	for i := len(room.Streams) - 1; i >= 0; i-- {
		if room.Streams[i].Account(query.Account) != nil {
			return &room.Streams[i]
		}
	}
	return nil
}

// endedNumbers returns the numbers of a stream that has ended and is not closed yet: those of its summary if that is stored, although
// a receiver may not have it, else the last snapshot.
func (a *api) endedNumbers(ctx context.Context, stream ledger.Stream, query giftstats.Query) (*remembered, error) {
	ended, found, err := a.config.Ledger.Ended(ctx, query.RoomID, stream.ID)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return lastSnapshot(stream, query), nil
	}
	return numbersOf(ended, query)
}

// lastSnapshot returns the last snapshot of an open stream, or nil.
func lastSnapshot(stream ledger.Stream, query giftstats.Query) *remembered {
	account := stream.Account(query.Account)
	if account == nil || account.Last() == nil {
		return nil
	}
	last := account.Last()
	snapshot := &remembered{Stats: last.Stats(query.RoomID, query.Account), From: streamend.FromSnapshot, AsOf: last.AsOf}
	if stream.End != nil {
		snapshot.EndedAt = stream.End.EndedAt.UTC()
	}
	return snapshot
}

// lastNumbers returns the numbers of the last ended stream of the room that has the account. It returns nil if there is no such
// stream, or if the numbers are not known.
func (a *api) lastNumbers(ctx context.Context, query giftstats.Query) (*remembered, error) {
	ended, err := a.config.Ledger.NewestEnded(ctx, ledger.Query{
		RoomID: query.RoomID, Account: query.Account, From: time.Unix(0, 0), To: a.config.Now().Add(clockSkew),
	})
	if err != nil || ended == nil {
		return nil, err
	}
	return numbersOf(*ended, query)
}

// numbersOf returns the numbers of an account in an ended stream. It returns nil if they are not known.
func numbersOf(ended ledger.Ended, query giftstats.Query) (*remembered, error) {
	stream, err := decodeStream(ended)
	if err != nil {
		return nil, err
	}
	for _, earning := range stream.earnings(query.Account) {
		if earning.Stats != nil {
			return &remembered{Stats: *earning.Stats, From: earning.From, AsOf: earning.AsOf, EndedAt: stream.EndedAt.UTC()}, nil
		}
	}
	return nil, nil
}
