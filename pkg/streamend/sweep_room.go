package streamend

import (
	"context"
	"errors"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// finishEnded delivers the summaries of a room's streams that have ended and are not closed yet.
func (s *sweep) finishEnded(ctx context.Context, room ledger.Room) {
	for _, stream := range room.Streams {
		if stream.End == nil || ctx.Err() != nil {
			continue
		}
		missed := stream.End.Source == ledger.SourceSweep
		if missed {
			lives, err := s.withdraw(ctx, room, stream)
			if s.failed(ctx, err); err != nil || lives {
				continue
			}
		}
		_, err := s.p.finish(ctx, ledger.Ending{Room: room, StreamID: stream.ID})
		if err == nil && missed {
			s.count(0, 1)
		}
		s.failed(ctx, err)
	}
}

// withdraw takes back a missed end that has no summary yet if Tencent shows the room again, and reports whether it does.
func (s *sweep) withdraw(ctx context.Context, room ledger.Room, stream ledger.Stream) (lives bool, err error) {
	if _, stored, err := s.p.config.Ledger.Ended(ctx, room.RoomID, stream.ID); err != nil || stored {
		return false, err
	}
	info, err := s.p.config.Service.RoomInfo(ctx, room.RoomID)
	switch {
	case errors.Is(err, giftstats.CodeRoomNotFound):
		return false, nil
	case err != nil:
		return false, err
	case info.CreatedAt.IsZero() || !info.CreatedAt.Equal(stream.StartedAt):
		return false, nil
	}
	_, err = s.p.config.Ledger.Update(ctx, room.RoomID, func(room *ledger.Room) (bool, error) {
		lives = room.Withdraw(stream.ID)
		return lives, nil
	})
	return lives, err
}

// live asks for the numbers of one live stream and stores them.
func (s *sweep) live(ctx context.Context, room ledger.Room, stream ledger.Stream) error {
	now := s.p.timestamp()
	if stream.StartedAt.IsZero() || stream.Owner == "" || s.ahead(now) || now.Sub(stream.ConfirmedAt) > confirmEvery {
		info, err := s.p.config.Service.RoomInfo(ctx, room.RoomID)
		switch {
		case errors.Is(err, giftstats.CodeRoomNotFound):
			return s.missing(ctx, room.RoomID, stream.ID, now)
		case err != nil:
			return err
		}
		if !info.CreatedAt.IsZero() && !info.CreatedAt.Equal(stream.StartedAt) || !ownedBy(stream, info.OwnerAccount) {
			// The room is new to the ledger, or was created again: its streams have their turn in the next sweep.
			return s.p.config.Ledger.Observe(ctx, s.sighting(info))
		}
		if !info.CreatedAt.IsZero() {
			stream.ConfirmedAt = now
		}
	}
	found, err := s.ask(ctx, room.RoomID, stream)
	if errors.Is(err, giftstats.CodeRoomNotFound) {
		return s.missing(ctx, room.RoomID, stream.ID, now)
	}
	if stream.Fell(found.answers) {
		same, err := s.confirm(ctx, room.RoomID, stream)
		if err != nil || !same {
			return err
		}
		stream.ConfirmedAt = now // the numbers of one account fell, and those of the others count
	}
	totals, totalsErr := s.totals(ctx, room.RoomID, stream, now)
	found.totals = totals
	return errors.Join(err, totalsErr, s.store(ctx, room.RoomID, stream, found, now))
}

// ownedBy reports whether the stream has the owner among its accounts.
func ownedBy(stream ledger.Stream, owner string) bool {
	return stream.Owner == owner && (owner == "" || stream.Account(owner) != nil)
}

// found is what Tencent says about a live stream.
type found struct {
	answers []giftstats.Stats
	unknown []string             // accounts that do not exist
	exists  bool                 // the room exists, although Tencent says for an account that it does not
	totals  *giftstats.RoomStats // nil if they were not asked for
}

// store adds to a live stream what was found.
func (s *sweep) store(ctx context.Context, roomID string, stream ledger.Stream, found found, now time.Time) error {
	// An account that does not exist does not say that the room does.
	answered := len(found.answers) > 0 || found.totals != nil || found.exists
	if !answered && len(found.unknown) == 0 {
		return nil
	}
	_, err := s.p.config.Ledger.Update(ctx, roomID, func(room *ledger.Room) (bool, error) {
		stored := room.Stream(stream.ID)
		if stored == nil || stored.End != nil {
			return false, nil
		}
		stored.SweptAt = now
		if answered {
			stored.AliveAt, stored.MissingAt, stored.ConfirmedAt = now, time.Time{}, latest(stored.ConfirmedAt, stream.ConfirmedAt)
		}
		for _, answer := range found.answers {
			stored.AddSnapshot(answer)
		}
		for _, account := range found.unknown {
			stored.MarkUnknown(account)
		}
		if found.totals != nil {
			stored.AddTotals(*found.totals)
		}
		return true, nil
	})
	if err == nil && answered {
		s.count(len(found.answers), 0)
		s.swept(roomID, now)
	}
	return err
}

// confirm asks for the room's CreateTime, and reports whether it is that of the stream. If it is another one, the room was created again.
func (s *sweep) confirm(ctx context.Context, roomID string, stream ledger.Stream) (same bool, err error) {
	info, err := s.p.config.Service.RoomInfo(ctx, roomID)
	if err != nil {
		return false, err
	}
	same = !info.CreatedAt.IsZero() && info.CreatedAt.Equal(stream.StartedAt)
	return same, s.p.config.Ledger.Observe(ctx, s.sighting(info))
}

// ask asks for the numbers of each account. Its error is room_not_found if the room no longer exists. Tencent does not document the codes
// of get_gift_count: if it answers for one account that there is no such room, only get_room_info can tell whether that is so.
func (s *sweep) ask(ctx context.Context, roomID string, stream ledger.Stream) (found, error) {
	var found found
	var failures []error
	for _, account := range stream.Accounts {
		stats, err := s.p.config.Service.GiftStats(ctx, giftstats.Query{RoomID: roomID, Account: account.Account})
		switch {
		case errors.Is(err, giftstats.CodeRoomNotFound) && !found.exists:
			if _, err := s.p.config.Service.RoomInfo(ctx, roomID); err != nil {
				return found, err
			}
			found.exists = true
		case err == nil:
			found.answers = append(found.answers, stats)
		case errors.Is(err, giftstats.CodeAccountNotFound):
			found.unknown = append(found.unknown, account.Account)
		case !isDefinite(err):
			failures = append(failures, err)
		}
	}
	return found, errors.Join(failures...)
}

// totals returns the totals of the room if they are due and there is time left for the other rooms.
func (s *sweep) totals(ctx context.Context, roomID string, stream ledger.Stream, now time.Time) (*giftstats.RoomStats, error) {
	last := stream.LastTotals()
	if last != nil && now.Sub(last.AsOf) < totalsEvery || !s.ahead(now) {
		return nil, nil
	}
	stats, err := s.p.config.Service.RoomStats(ctx, roomID)
	if err != nil {
		return nil, err
	}
	return &stats, nil
}

// ahead reports whether this run will reach all rooms in time at its present pace.
func (s *sweep) ahead(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := time.Duration(s.rooms-s.done) * (now.Sub(s.started) / time.Duration(max(s.done, sweepWorkers)))
	return now.Add(left).Before(s.ends.Add(-sweepTime / 10))
}

// missing notes that Tencent does not know the room. The second time, at least 30 seconds later, the stream has ended.
func (s *sweep) missing(ctx context.Context, roomID, streamID string, now time.Time) error {
	gone := false
	end := ledger.End{Reason: ledger.ReasonMissed, Source: ledger.SourceSweep}
	_, err := s.p.config.Ledger.Update(ctx, roomID, func(room *ledger.Room) (bool, error) {
		stored := room.Stream(streamID)
		if stored == nil || stored.End != nil {
			return false, nil
		}
		if !stored.MissingAt.IsZero() && now.Sub(stored.MissingAt) >= missingFor {
			gone, end.EndedAt, end.Until = true, stored.AliveAt, stored.MissingAt
			return false, nil
		}
		if stored.MissingAt.IsZero() {
			stored.MissingAt = now
		}
		stored.SweptAt = now
		return true, nil
	})
	if err != nil || !gone {
		return err
	}
	ending, err := s.p.config.Ledger.RecordEnd(ctx, roomID, streamID, end)
	if err != nil {
		return err
	}
	if _, err = s.p.finish(ctx, ending); err == nil {
		s.count(0, 1)
	}
	return err
}
