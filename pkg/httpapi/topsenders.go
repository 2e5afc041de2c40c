package httpapi

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

const defaultSenders = 20

// topSendersQuery selects a stream and a ranking of it.
type topSendersQuery struct {
	roomID    string
	startedAt time.Time // zero: the live stream, or else the one that ended last
	account   string    // empty: of gifts to all accounts
	limit     int
}

// topSenders is the response to GET /v1/top-senders.
type topSenders struct {
	RoomID    string         `json:"room_id"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	Account   string         `json:"account,omitempty"`
	Senders   []rankedSender `json:"senders"`
	ledger.Sum
	SenderCount int64     `json:"sender_count"`
	AsOf        time.Time `json:"as_of"`
}

type rankedSender struct {
	Rank int `json:"rank"`
	ledger.Sender
}

// topSenders answers GET /v1/top-senders: who gave how much in a stream.
func (a *api) topSenders(x *exchange) error {
	self, err := a.authenticate(x)
	if err != nil {
		return err
	}
	if _, err := a.requireLedger(); err != nil {
		return err
	}
	values, err := x.parameters("room_id", "account", "started_at", "limit")
	if err != nil {
		return err
	}
	query, err := readTopSendersQuery(self, values)
	if err != nil {
		return err
	}
	x.roomID, x.account = query.roomID, query.account
	response, err := a.rank(x.context(), query)
	if err != nil {
		return err
	}
	return x.writeJSON(http.StatusOK, response)
}

func readTopSendersQuery(self string, values url.Values) (query topSendersQuery, err error) {
	query.roomID = values.Get("room_id")
	if err := giftstats.ValidateRoomID(query.roomID); err != nil {
		return query, err
	}
	if query.account, err = accountFor(self, values); err != nil {
		return query, err
	}
	if values.Has("account") {
		if err := giftstats.ValidateAccount(query.account); err != nil {
			return query, err
		}
	}
	if query.startedAt, err = timeOf(values, "started_at"); err != nil {
		return query, err
	}
	query.limit, err = limit(values, defaultSenders)
	return query, err
}

// rank ranks the senders of the stream that query selects.
func (a *api) rank(ctx context.Context, query topSendersQuery) (topSenders, error) {
	room, err := a.config.Ledger.Room(ctx, query.roomID)
	if err != nil {
		return topSenders{}, err
	}
	stream := openStream(room, query.startedAt)
	if stream != nil && stream.End == nil {
		return a.rankOpen(ctx, room, stream, query, a.config.Now())
	}
	ended, err := a.endedStream(ctx, stream, query)
	switch {
	case err != nil:
		return topSenders{}, err
	case ended != nil:
		ranking, _ := ended.Ranking(query.account)
		return query.response(ended.StartedAt, ranking, ended.EndedAt), nil
	case stream != nil: // it has ended, and its summary is not stored yet
		return a.rankOpen(ctx, room, stream, query, stream.End.EndedAt)
	case query.startedAt.IsZero():
		return topSenders{}, giftstats.Errorf(giftstats.CodeRoomNotFound, "the ledger has no stream of this room")
	}
	return topSenders{}, giftstats.Errorf(giftstats.CodeRoomNotFound,
		"the ledger has no stream of this room with this started_at; take it from GET /v1/streams, or leave it out")
}

// openStream returns the open stream that started at a time, or the newest one if that is zero.
func openStream(room ledger.Room, startedAt time.Time) *ledger.Stream {
	for i := len(room.Streams) - 1; i >= 0; i-- {
		if startedAt.IsZero() || room.Streams[i].StartedAt.Equal(startedAt) {
			return &room.Streams[i]
		}
	}
	return nil
}

func (a *api) rankOpen(
	ctx context.Context, room ledger.Room, stream *ledger.Stream, query topSendersQuery, asOf time.Time,
) (topSenders, error) {
	tally, err := a.config.Ledger.Tally(ctx, room, stream.ID)
	if err != nil {
		return topSenders{}, err
	}
	return query.response(stream.StartedAt, tally.Ranking(query.account), asOf), nil
}

// endedStream returns the ended stream that query selects, or nil. The stream may still be open, if only its end is recorded.
func (a *api) endedStream(ctx context.Context, open *ledger.Stream, query topSendersQuery) (*ledger.Ended, error) {
	switch {
	case open != nil:
		ended, found, err := a.config.Ledger.Ended(ctx, query.roomID, open.ID)
		if err != nil || !found {
			return nil, err
		}
		return &ended, nil
	case query.startedAt.IsZero():
		return a.config.Ledger.LastEnded(ctx, query.roomID)
	}
	return a.endedStreamOf(ctx, query)
}

// endedStreamOf returns the ended stream of a room that started at a time, or nil. Most streams have that time as their id. The others
// are searched, for an account only among its own: an app user must not make this read the whole history of a room.
func (a *api) endedStreamOf(ctx context.Context, query topSendersQuery) (*ledger.Ended, error) {
	ended, found, err := a.config.Ledger.Ended(ctx, query.roomID, strconv.FormatInt(query.startedAt.Unix(), 10))
	if err != nil || found && ended.StartedAt.Equal(query.startedAt) {
		return &ended, err
	}
	for ended, err := range a.config.Ledger.EachEnded(ctx, ledger.Query{
		RoomID: query.roomID, Account: query.account, From: query.startedAt, To: a.config.Now().Add(clockSkew), Limit: math.MaxInt,
	}) {
		if err != nil || ended.StartedAt.Equal(query.startedAt) {
			return &ended, err
		}
	}
	return nil, nil
}

func (q topSendersQuery) response(startedAt time.Time, ranking ledger.Ranking, asOf time.Time) topSenders {
	response := topSenders{
		RoomID: q.roomID, StartedAt: startedAt.UTC(), Account: q.account, Senders: []rankedSender{}, Sum: ranking.Sum,
		SenderCount: ranking.SenderCount, AsOf: asOf.UTC().Truncate(time.Millisecond),
	}
	for i, sender := range ranking.Top(q.limit).Senders {
		response.Senders = append(response.Senders, rankedSender{i + 1, sender})
	}
	return response
}
