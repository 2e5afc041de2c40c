package streamend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// definite are failures that are a result: the same question will get the same answer.
var definite = []giftstats.Code{
	giftstats.CodeRoomNotFound, giftstats.CodeAccountNotFound, giftstats.CodeInvalidRequest, giftstats.CodeUpstreamRejected,
}

func isDefinite(err error) bool { return slices.Contains(definite, giftstats.AsError(err).Code) }

// errAnotherStream is why a room that answers has no numbers for this stream.
var errAnotherStream = giftstats.Errorf(giftstats.CodeRoomNotFound, "the room was created again after this stream had ended")

// ask adds to the evidence what Tencent says after the end, and returns the room's CreateTime, if it is of this stream. A room that
// was created after the end, or at another time than started, is another stream and counts as gone. It is looked at before and after
// the numbers, because it may be created again in between. The error means that the answers can be had later.
func (p *Processor) ask(ctx context.Context, known evidence, started time.Time) (evidence, time.Time, error) {
	info, err := p.roomInfo(ctx, known, started)
	if err != nil && !isDefinite(err) {
		return known, time.Time{}, fmt.Errorf("get room info: %w", err)
	}
	if err != nil {
		known.gone = err
		return known, time.Time{}, nil
	}
	if known.owner == "" || known.unsigned {
		known.owner = info.OwnerAccount
	}
	if len(known.accounts) == 0 || known.unsigned {
		known.accounts = []string{info.OwnerAccount}
	}
	answers, totals, err := p.numbers(ctx, known)
	if err != nil {
		return known, time.Time{}, err
	}
	again, err := p.roomInfo(ctx, known, started)
	switch {
	case errors.Is(err, errAnotherStream), err == nil && !again.CreatedAt.Equal(info.CreatedAt):
		known.gone = errAnotherStream
		return known, info.CreatedAt, nil
	case err != nil && !isDefinite(err):
		return known, time.Time{}, fmt.Errorf("get room info: %w", err)
	} // a room that was dissolved meanwhile has answered before
	known.answers, known.gone = answers, errAnotherStream
	if totals != nil {
		known.totals, known.totalsFrom = totals, FromUpstream
	}
	return known, info.CreatedAt, nil
}

// roomInfo returns the description of the room if it is the room of this stream.
func (p *Processor) roomInfo(ctx context.Context, known evidence, started time.Time) (giftstats.RoomInfo, error) {
	info, err := p.config.Service.RoomInfo(ctx, known.roomID)
	created := info.CreatedAt
	switch {
	case err != nil:
		return giftstats.RoomInfo{}, err
	case created.IsZero():
		return info, nil
	case !started.IsZero() && !created.Equal(started), !known.endedAt.IsZero() && created.After(known.endedAt):
		return giftstats.RoomInfo{}, errAnotherStream
	}
	return info, nil
}

// numbers asks for the numbers of every account, and of the room unless the event brought them.
func (p *Processor) numbers(ctx context.Context, known evidence) ([]giftstats.Result, *giftstats.RoomTotals, error) {
	done, err := p.budget.take(ctx, len(known.accounts)+2)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	queries := make([]giftstats.Query, len(known.accounts))
	for i, account := range known.accounts {
		queries[i] = giftstats.Query{RoomID: known.roomID, Account: account}
	}
	answers := p.config.Service.GiftStatsBatch(ctx, queries)
	var failures []error
	for _, answer := range answers {
		if answer.Err != nil && !isDefinite(answer.Err) {
			failures = append(failures, fmt.Errorf("get gift stats: %w", answer.Err))
		}
	}
	if known.hasTotals {
		return answers, nil, errors.Join(failures...)
	}
	room, err := p.config.Service.RoomStats(ctx, known.roomID)
	if err != nil && !isDefinite(err) {
		failures = append(failures, fmt.Errorf("get room stats: %w", err))
	}
	if err != nil {
		return answers, nil, errors.Join(failures...)
	}
	return answers, &room.RoomTotals, errors.Join(failures...)
}
