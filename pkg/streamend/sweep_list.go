package streamend

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// list reads all rooms of the app, at most every five minutes, and opens the streams of those that are not among the known ones. It
// reports whether there were any.
func (s *sweep) list(ctx context.Context, known []ledger.Room) bool {
	l, holder := s.p.config.Ledger, rand.Text()
	due, err := l.Lease(ctx, "list", holder, s.started.Add(listEvery-time.Second))
	if err != nil || !due {
		s.failed(ctx, err)
		return false
	}
	found, err := s.listAll(ctx, known)
	if err != nil {
		s.failed(ctx, err)
		s.failed(ctx, l.Release(ctx, "list", holder)) // the next sweep tries again
	}
	return found
}

// listAll reads the list page by page. A room that cannot be stored does not keep the others from their turn.
func (s *sweep) listAll(ctx context.Context, known []ledger.Room) (found bool, failure error) {
	seen := map[string]giftstats.RoomInfo{} // the order of the list changes while it is read, so that a page may repeat rooms
	for _, room := range known {
		if current := room.Current(); current != nil {
			seen[room.RoomID] = giftstats.RoomInfo{OwnerAccount: current.Owner, CreatedAt: current.StartedAt}
		}
	}
	for next, first := "", true; first || next != ""; first = false {
		page, err := s.p.config.Service.RoomList(ctx, next)
		if err != nil {
			return found, err
		}
		for _, room := range page.Rooms {
			if last := seen[room.RoomID]; last.OwnerAccount == room.OwnerAccount && last.CreatedAt.Equal(room.CreatedAt) {
				continue
			}
			seen[room.RoomID], found = room, true
			if err := s.observe(ctx, room); err != nil {
				failure = err
			}
		}
		if next = page.Next; next != "" {
			if err := s.pause(ctx); err != nil {
				return found, err
			}
		}
	}
	return found, failure
}

// observe records a listed room. If its stream is known to have ended, the list may be old, and Tencent is asked for the room itself.
func (s *sweep) observe(ctx context.Context, room giftstats.RoomInfo) error {
	sighting := s.sighting(room)
	sighting.Listed = true
	err := s.p.config.Ledger.Observe(ctx, sighting)
	if !errors.Is(err, ledger.ErrEnded) {
		return err
	}
	info, err := s.p.config.Service.RoomInfo(ctx, room.RoomID)
	if errors.Is(err, giftstats.CodeRoomNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.p.config.Ledger.Observe(ctx, s.sighting(info))
}

func (s *sweep) pause(ctx context.Context) error {
	timer := time.NewTimer(listPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
