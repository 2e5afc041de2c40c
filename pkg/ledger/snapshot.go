package ledger

import (
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Snapshot is Tencent's answer for one account at AsOf.
type Snapshot struct {
	TotalCount        int64     `json:"count"`
	TotalCoins        int64     `json:"coins"`
	GiftSenderCount   int64     `json:"senders"`
	Sequence          *int64    `json:"sequence,omitempty"`
	UpstreamRequestID string    `json:"request,omitempty"`
	AsOf              time.Time `json:"as_of"`
}

// RoomSnapshot is Tencent's answer for a whole room at AsOf.
type RoomSnapshot struct {
	giftstats.RoomTotals
	AsOf time.Time `json:"as_of"`
}

// AddSnapshot records Tencent's numbers for an account. Numbers below the ones that are known are ignored: counters only grow
// within a stream.
func (s *Stream) AddSnapshot(stats giftstats.Stats) {
	account := s.Account(stats.Account)
	if account == nil {
		return
	}
	if last := account.Last(); last != nil {
		lower := stats.TotalCount < last.TotalCount || stats.TotalCoins < last.TotalCoins
		if lower || !stats.FetchedAt.After(last.AsOf) {
			return
		}
	}
	account.Receives, account.Unknown = account.Receives || stats.TotalCount > 0, false
	account.Snapshots = keep(slices.Insert(account.Snapshots, 0, Snapshot{
		TotalCount: stats.TotalCount, TotalCoins: stats.TotalCoins, GiftSenderCount: stats.GiftSenderCount,
		Sequence: stats.Sequence, UpstreamRequestID: stats.UpstreamRequestID, AsOf: stats.FetchedAt,
	}), snapshotTime, s.ConfirmedAt)
}

// Fell reports whether an answer is below the numbers that are known. Counters only grow within a stream, so the room was probably
// created again.
func (s *Stream) Fell(answers []giftstats.Stats) bool {
	return slices.ContainsFunc(answers, func(answer giftstats.Stats) bool {
		account := s.Account(answer.Account)
		if account == nil || account.Last() == nil {
			return false
		}
		return answer.TotalCount < account.Last().TotalCount || answer.TotalCoins < account.Last().TotalCoins
	})
}

// AddTotals records Tencent's totals of the room.
func (s *Stream) AddTotals(stats giftstats.RoomStats) {
	if last := s.LastTotals(); last != nil {
		lower := stats.TotalGiftsSent < last.TotalGiftsSent || stats.TotalGiftCoins < last.TotalGiftCoins
		if lower || !stats.FetchedAt.After(last.AsOf) {
			return
		}
	}
	s.Totals = keep(slices.Insert(s.Totals, 0, RoomSnapshot{stats.RoomTotals, stats.FetchedAt}), totalsTime, s.ConfirmedAt)
}

// Last returns the newest snapshot, or nil.
func (a *Account) Last() *Snapshot {
	if len(a.Snapshots) == 0 {
		return nil
	}
	return &a.Snapshots[0]
}

// Stats returns a snapshot in the form of an answer.
func (s Snapshot) Stats(roomID, account string) giftstats.Stats {
	return giftstats.Stats{
		RoomID: roomID, Account: account, TotalCount: s.TotalCount, TotalCoins: s.TotalCoins, GiftSenderCount: s.GiftSenderCount,
		Sequence: s.Sequence, UpstreamRequestID: s.UpstreamRequestID, FetchedAt: s.AsOf,
	}
}

// LastTotals returns the newest totals of the room, or nil.
func (s *Stream) LastTotals() *RoomSnapshot {
	if len(s.Totals) == 0 {
		return nil
	}
	return &s.Totals[0]
}

// dropAfter drops the numbers that were requested at or after the given time: they are those of a room that was created again.
func (s *Stream) dropAfter(created time.Time) {
	for i := range s.Accounts {
		account := &s.Accounts[i]
		account.Snapshots = slices.DeleteFunc(account.Snapshots, func(snapshot Snapshot) bool { return !snapshot.AsOf.Before(created) })
	}
	s.Totals = slices.DeleteFunc(s.Totals, func(totals RoomSnapshot) bool { return !totals.AsOf.Before(created) })
}

func snapshotTime(s Snapshot) time.Time   { return s.AsOf }
func totalsTime(s RoomSnapshot) time.Time { return s.AsOf }

// keep reduces a history, newest first, to the two newest entries and the newest one that was confirmed to be of this stream. The
// older ones serve if it turns out that the room was created again in between.
func keep[T any](history []T, at func(T) time.Time, confirmed time.Time) []T {
	confirmedOne := slices.IndexFunc(history, func(entry T) bool { return !at(entry).After(confirmed) })
	kept := history[:0]
	for i, entry := range history {
		if i < 2 || i == confirmedOne {
			kept = append(kept, entry)
		}
	}
	return kept
}
