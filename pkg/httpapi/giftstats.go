package httpapi

import (
	"log/slog"
	"net/http"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// giftStats answers GET /v1/gift-stats: what one account received in one room.
func (a *api) giftStats(x *exchange, r *http.Request) error {
	self, err := a.authenticate(x, r)
	if err != nil {
		return err
	}
	values, err := parameters(r, "room_id", "account")
	if err != nil {
		return err
	}
	query := giftstats.Query{RoomID: values.Get("room_id"), Account: values.Get("account")}
	if self != "" {
		if values.Has("account") && query.Account != self {
			return forbidden("a UserSig gives its own account's numbers only; leave account out")
		}
		query.Account = self
	}
	x.roomID, x.account = query.RoomID, query.Account
	stats, err := a.config.Service.GiftStats(r.Context(), query)
	if err != nil {
		return err
	}
	return writeJSON(x, r, http.StatusOK, stats)
}

type batchRequest struct {
	Queries []giftstats.Query `json:"queries"`
}

type batchAnswer struct {
	Results   []any `json:"results"` // giftstats.Stats or batchFailure, in the order asked
	Succeeded int   `json:"succeeded"`
	Failed    int   `json:"failed"`
}

type batchFailure struct {
	giftstats.Query
	Error problem.Details `json:"error"`
}

// giftStatsBatch answers POST /v1/gift-stats: up to 1,000 queries, each with its own numbers or its own problem.
func (a *api) giftStatsBatch(x *exchange, r *http.Request) error {
	if err := a.authenticateFull(x, r); err != nil {
		return err
	}
	if _, err := parameters(r); err != nil {
		return err
	}
	var request batchRequest
	if err := readJSON(x, r, &request); err != nil {
		return err
	}
	if n := len(request.Queries); n == 0 || n > giftstats.MaxBatch {
		return giftstats.Invalid("queries has %d entries; give 1 to %d", n, giftstats.MaxBatch)
	}
	results := a.config.Service.GiftStatsBatch(r.Context(), request.Queries)
	answer := batchAnswer{Results: make([]any, len(results))}
	for i, result := range results {
		if result.Err != nil {
			answer.Failed++
			answer.Results[i] = batchFailure{result.Query, problem.Of(result.Err, x.id)}
			a.logFailure(r, result)
			continue
		}
		answer.Succeeded++
		answer.Results[i] = result.Stats
	}
	return writeJSON(x, r, http.StatusOK, answer)
}

// logFailure logs the cause of a query's failure, which the answer does not show.
func (a *api) logFailure(r *http.Request, result giftstats.Result) {
	failure := giftstats.AsError(result.Err)
	level := slog.LevelDebug
	if problem.Status(failure.Code) >= 500 {
		level = slog.LevelWarn
	}
	a.config.Logger.Log(r.Context(), level, "query of a batch failed", "room_id", result.Query.RoomID, "errors", 1, "code", failure.Code, "error", failure)
}

// roomStats answers GET /v1/room-stats: the totals of one room.
func (a *api) roomStats(x *exchange, r *http.Request) error {
	if err := a.authenticateFull(x, r); err != nil {
		return err
	}
	values, err := parameters(r, "room_id")
	if err != nil {
		return err
	}
	roomID := values.Get("room_id")
	x.roomID = roomID
	stats, err := a.config.Service.RoomStats(r.Context(), roomID)
	if err != nil {
		return err
	}
	return writeJSON(x, r, http.StatusOK, stats)
}

// authenticateFull lets in only who may ask for everything.
func (a *api) authenticateFull(x *exchange, r *http.Request) error {
	self, err := a.authenticate(x, r)
	if err == nil && self != "" {
		return forbidden("a UserSig gives its own account's numbers only; this call needs an api key")
	}
	return err
}
