package httpapi

import (
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// page is the response to GET /v1/streams. Its sums are those of the requested account, or else of all accounts.
type page struct {
	Streams []any `json:"streams"` // fullStream, or ownStream for app users
	ledger.Sum
	Next string `json:"next,omitempty"`
}

// streamIdentity says which stream it is, and how it ended.
type streamIdentity struct {
	RoomID    string           `json:"room_id"`
	StartedAt time.Time        `json:"started_at,omitzero"`
	EndedAt   time.Time        `json:"ended_at"`
	Reason    string           `json:"reason,omitempty"`
	Source    streamend.Source `json:"source"`
	EventID   string           `json:"event_id"`
}

type fullStream struct {
	streamIdentity
	Room         *giftstats.RoomTotals `json:"room"`
	Accounts     []streamend.Earning   `json:"accounts"`
	TopSenders   []ledger.Sender       `json:"top_senders,omitempty"`
	Gifts        []ledger.GiftTotal    `json:"gifts,omitempty"`
	Reconciled   *bool                 `json:"reconciled,omitempty"`
	Unattributed *ledger.Sum           `json:"unattributed,omitempty"`
}

// ownStream is what an app user sees of a stream: nothing that reveals the earnings of others.
type ownStream struct {
	streamIdentity
	Accounts   []streamend.Earning `json:"accounts"`
	Reconciled *bool               `json:"reconciled,omitempty"`
}

func newPage(streams []endedStream, account string, isUser bool, next *ledger.Position) page {
	response := page{Streams: make([]any, len(streams))}
	for i, stream := range streams {
		for _, earning := range stream.earnings(account) {
			if earning.Stats != nil {
				response.Add(ledger.Sum{TotalCount: earning.Stats.TotalCount, TotalCoins: earning.Stats.TotalCoins})
			}
		}
		if isUser {
			response.Streams[i] = ownStream{stream.identity(), stream.earnings(account), stream.data.Reconciled}
			continue
		}
		response.Streams[i] = stream.full()
	}
	if next != nil {
		response.Next = next.Cursor()
	}
	return response
}

func (s endedStream) identity() streamIdentity {
	return streamIdentity{
		RoomID: s.RoomID, StartedAt: s.StartedAt.UTC(), EndedAt: s.EndedAt.UTC(),
		Reason: s.data.Reason, Source: s.data.Source, EventID: s.EventID,
	}
}

func (s endedStream) full() fullStream {
	return fullStream{
		streamIdentity: s.identity(), Room: s.data.Room, Accounts: s.earnings(""), TopSenders: s.data.TopSenders, Gifts: s.Gifts,
		Reconciled: s.data.Reconciled, Unattributed: s.data.Unattributed,
	}
}
