package streamend

import (
	"context"
	"crypto/rand"
	"time"
)

// list reads all rooms of the app, at most every five minutes, and opens the streams of those that are not known. It reports whether it
// has read any.
func (s *sweep) list(ctx context.Context) bool {
	l, holder := s.p.config.Ledger, rand.Text()
	due, err := l.Lease(ctx, "list", holder, s.started.Add(listEvery-time.Second))
	if err != nil || !due {
		s.failed(ctx, err)
		return false
	}
	if err := s.listAll(ctx); err != nil {
		s.failed(ctx, err)
		s.failed(ctx, l.Release(ctx, "list", holder)) // the next sweep tries again
	}
	return true
}

// listAll reads the list page by page. A room that cannot be stored does not keep the others from their turn.
func (s *sweep) listAll(ctx context.Context) error {
	var failure error
	seen := map[string]bool{} // the order of the list changes while it is read, so that a page may repeat rooms
	for next, first := "", true; first || next != ""; first = false {
		page, err := s.p.config.Service.RoomList(ctx, next)
		if err != nil {
			return err
		}
		for _, room := range page.Rooms {
			if seen[room.RoomID] {
				continue
			}
			seen[room.RoomID] = true
			if err := s.p.config.Ledger.Observe(ctx, s.sighting(room)); err != nil {
				failure = err
			}
		}
		if next = page.Next; next != "" {
			if err := s.pause(ctx); err != nil {
				return err
			}
		}
	}
	return failure
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
