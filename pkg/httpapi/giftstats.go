package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// giftStats answers GET /v1/gift-stats: what one account received in one room.
func (a *api) giftStats(x *exchange) error {
	self, err := a.authenticate(x)
	if err != nil {
		return err
	}
	values, err := x.parameters("room_id", "account")
	if err != nil {
		return err
	}
	account, err := accountFor(self, values)
	if err != nil {
		return err
	}
	query := giftstats.Query{RoomID: values.Get("room_id"), Account: account}
	x.roomID, x.account = query.RoomID, query.Account
	answer := a.answers(x, []giftstats.Query{query}, a.askOne)[0]
	if answer.Err != nil {
		return answer.Err
	}
	return x.writeJSON(http.StatusOK, answer.body())
}

// askOne asks Tencent about the only one of queries.
func (a *api) askOne(ctx context.Context, queries []giftstats.Query) []giftstats.Result {
	stats, err := a.config.Service.GiftStats(ctx, queries[0])
	return []giftstats.Result{{Query: queries[0], Stats: stats, Err: err}}
}

type batchRequest struct {
	Queries []giftstats.Query `json:"queries"`
}

type batchResponse struct {
	Results   []any `json:"results"` // giftstats.Stats, remembered or batchFailure, in the order of the queries
	Succeeded int   `json:"succeeded"`
	Failed    int   `json:"failed"`
}

// batchFailure has the ids of its query, cut to the lengths that are allowed: an invalid one may be as long as the request.
type batchFailure struct {
	giftstats.Query
	Error problem.Details `json:"error"`
}

func newBatchFailure(query giftstats.Query, err error, requestID string) batchFailure {
	query.RoomID, query.Account = cut(query.RoomID, giftstats.MaxRoomIDBytes), cut(query.Account, giftstats.MaxAccountBytes)
	return batchFailure{query, problem.Of(err, requestID)}
}

// cut returns the beginning of text, of at most size bytes, without a part of a character at its end.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// giftStatsBatch answers POST /v1/gift-stats: up to 1,000 queries, each with its own numbers or its own problem.
func (a *api) giftStatsBatch(x *exchange) error {
	if err := a.requireFullAccess(x); err != nil {
		return err
	}
	if _, err := x.parameters(); err != nil {
		return err
	}
	var request batchRequest
	if err := x.readJSON(&request); err != nil {
		return err
	}
	if n := len(request.Queries); n == 0 || n > giftstats.MaxBatch {
		return giftstats.Invalid("queries has %d entries; give 1 to %d", n, giftstats.MaxBatch)
	}
	answers := a.answers(x, request.Queries, a.config.Service.GiftStatsBatch)
	if !slices.ContainsFunc(answers, func(answer *answer) bool { return !errors.Is(answer.Err, giftstats.ErrNoTurn) }) {
		return answers[0].Err
	}
	response := batchResponse{Results: make([]any, len(answers))}
	for i, answer := range answers {
		if answer.Err != nil {
			response.Failed++
			response.Results[i] = newBatchFailure(answer.Query, answer.Err, x.id)
			a.logFailure(x, answer.Result)
			continue
		}
		response.Succeeded++
		response.Results[i] = answer.body()
	}
	return x.writeJSON(http.StatusOK, response)
}

// logFailure logs why a query of a batch failed. The response does not show the cause.
func (a *api) logFailure(x *exchange, result giftstats.Result) {
	failure := giftstats.AsError(result.Err)
	level := slog.LevelDebug
	if problem.Status(failure.Code) >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	attributes := appendRoom(nil, result.Query.RoomID)
	attributes = append(attributes, slog.Int("errors", 1), slog.String("code", string(failure.Code)), slog.Any("error", failure))
	a.config.Logger.LogAttrs(x.context(), level, "query of a batch failed", attributes...)
}

// roomStats answers GET /v1/room-stats: the totals of one room.
func (a *api) roomStats(x *exchange) error {
	if err := a.requireFullAccess(x); err != nil {
		return err
	}
	values, err := x.parameters("room_id")
	if err != nil {
		return err
	}
	x.roomID = values.Get("room_id")
	stats, err := a.config.Service.RoomStats(x.context(), x.roomID)
	if err != nil {
		return err
	}
	return x.writeJSON(http.StatusOK, stats)
}
