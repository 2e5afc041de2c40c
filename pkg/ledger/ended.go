package ledger

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Ended is a stream that has ended. Everything but Taken is written once.
type Ended struct {
	RoomID    string    `json:"room_id"`
	StreamID  string    `json:"stream_id"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at"`
	Until     time.Time `json:"until,omitzero"` // see End
	After     time.Time `json:"after,omitzero"` // see Stream
	Source    string    `json:"source"`         // see End
	Gone      bool      `json:"gone"`           // whether the room was known to be dissolved; if not, later reports are about this stream, too
	// Answered is whether Tencent still answered about the room after the end: the end may have been reported too early.
	Answered bool      `json:"answered,omitempty"`
	EventID  string    `json:"event_id"`
	ReportID string    `json:"report_id,omitempty"` // see End
	Others   []string  `json:"others,omitempty"`    // see End
	Accounts []string  `json:"accounts"`            // those in the summary
	Summary  []byte    `json:"summary"`             // as it is delivered, byte for byte
	Senders  []Ranking `json:"senders,omitempty"`   // of all gifts, then of those to each of Accounts; nil if no gift was recorded
	// Gifts are the totals of each kind of gift, at most [MaxGifts].
	Gifts []GiftTotal `json:"gifts,omitempty"`

	Expires time.Time `json:"-"`
	// Taken are the receivers that have taken the summary. It also has marks of reports that came when the summary was stored.
	Taken []string `json:"-"`
}

// MaxSenders is how many senders of each ranking are remembered of an ended stream.
const MaxSenders = 100

// MaxGifts is how many kinds of gifts are remembered of an ended stream: more than a catalogue has. Without a bound, invented gift ids
// could make a stream too large for any response.
const MaxGifts = 1000

// Ranking returns who sent gifts to an account, or all gifts if account is empty. It reports false if no gift was recorded, or if
// the account is not one of the stream.
func (e Ended) Ranking(account string) (Ranking, bool) {
	if len(e.Senders) == 0 {
		return Ranking{}, false
	}
	if account == "" {
		return e.Senders[0], true
	}
	for i, known := range e.Accounts {
		if known == account {
			return e.Senders[i+1], true
		}
	}
	return Ranking{}, false
}

// Query asks for streams that ended in [From, To).
type Query struct {
	Account string // only streams in which it is an account; empty: all
	RoomID  string // only streams of this room; empty: all
	From    time.Time
	To      time.Time
	Limit   int
	After   *Position // only streams after this one in the order of the answer: newest first
}

// Includes reports whether a stream is one that the query asks for.
func (q Query) Includes(ended Ended) bool {
	switch {
	case q.Account != "" && !slices.Contains(ended.Accounts, q.Account), q.RoomID != "" && ended.RoomID != q.RoomID:
		return false
	case ended.EndedAt.Before(q.From), !ended.EndedAt.Before(q.To):
		return false
	}
	return q.After == nil || q.After.Before(ended.Position())
}

// Position is the place of an ended stream in the order of answers: by EndedAt, RoomID and StreamID, all descending.
type Position struct {
	EndedAt  time.Time `json:"t"`
	RoomID   string    `json:"r"`
	StreamID string    `json:"s"`
}

// Position returns the place of the stream.
func (e Ended) Position() Position { return Position{e.EndedAt, e.RoomID, e.StreamID} }

// Before reports whether p comes before other in the order of answers.
func (p Position) Before(other Position) bool {
	switch {
	case !p.EndedAt.Equal(other.EndedAt):
		return p.EndedAt.After(other.EndedAt)
	case p.RoomID != other.RoomID:
		return p.RoomID > other.RoomID
	}
	return p.StreamID > other.StreamID
}

// Cursor returns the position as opaque text.
func (p Position) Cursor() string {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a time always encode
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// ParseCursor reads what Cursor returned. Its error is invalid_request.
func ParseCursor(cursor string) (*Position, error) {
	var p Position
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil || giftstats.ValidateRoomID(p.RoomID) != nil || !isStreamID(p.StreamID) || p.EndedAt.IsZero() {
		return nil, giftstats.Invalid("unknown cursor; use the value of next in the previous page")
	}
	return &p, nil
}

// isStreamID reports whether text can be the id of a stream: a store may refuse a key that is too long, and a caller must not be able
// to make it fail.
func isStreamID(text string) bool {
	return text != "" && len(text) <= maxStreamID && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// endedAtOnce is how many ended streams EachEnded reads at once. One can have a megabyte, most of it the rankings of senders.
const endedAtOnce = 50

// EachEnded yields ended streams, newest first, at most query.Limit of them. It reads no more than it needs, or a few more.
func (l *Ledger) EachEnded(ctx context.Context, query Query) iter.Seq2[Ended, error] {
	return func(yield func(Ended, error) bool) {
		for left := query.Limit; left > 0; left -= endedAtOnce {
			query.Limit = min(left, endedAtOnce)
			streams, err := l.config.Store.ListEnded(ctx, query)
			if err != nil {
				yield(Ended{}, unavailable("list ended streams", err))
				return
			}
			for _, ended := range streams {
				if !yield(ended, nil) {
					return
				}
			}
			if len(streams) < query.Limit {
				return
			}
			last := streams[len(streams)-1].Position()
			query.After = &last
		}
	}
}

// SaveEnded stores an ended stream unless it is stored already, and returns the stored one.
func (l *Ledger) SaveEnded(ctx context.Context, ended Ended) (Ended, error) {
	ended.Expires = l.config.Now().Add(l.config.Retention)
	stored, err := l.config.Store.SaveEnded(ctx, ended)
	return stored, unavailable("store the ended stream", err)
}

// Ended returns an ended stream; found is false if it is not known.
func (l *Ledger) Ended(ctx context.Context, roomID, streamID string) (ended Ended, found bool, err error) {
	ended, err = l.config.Store.Ended(ctx, roomID, streamID)
	if errors.Is(err, ErrNotFound) {
		return Ended{}, false, nil
	}
	return ended, err == nil, unavailable("read the ended stream", err)
}

// MarkTaken remembers that a receiver has taken the summary of an ended stream.
func (l *Ledger) MarkTaken(ctx context.Context, ended Ended, receiver string) error {
	return unavailable("remember the delivery", l.config.Store.MarkTaken(ctx, ended.RoomID, ended.StreamID, receiver))
}

// LastEnded returns the newest ended stream of a room, or nil.
func (l *Ledger) LastEnded(ctx context.Context, roomID string) (*Ended, error) {
	now := l.config.Now()
	return l.NewestEnded(ctx, Query{RoomID: roomID, From: time.Unix(0, 0), To: now.Add(clockSkew)})
}

// NewestEnded returns the newest ended stream that a query asks for, or nil.
func (l *Ledger) NewestEnded(ctx context.Context, query Query) (*Ended, error) {
	query.Limit = 1
	streams, err := l.config.Store.ListEnded(ctx, query)
	if err != nil || len(streams) == 0 {
		return nil, unavailable("read the last ended stream", err)
	}
	return &streams[0], nil
}
