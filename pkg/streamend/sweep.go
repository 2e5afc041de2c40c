package streamend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

const (
	sweepTime    = 55 * time.Second // the next sweep starts a minute after this one
	sweepWorkers = 16
	roomsAtOnce  = 100                    // records read from the ledger in one call
	listEvery    = 5 * time.Minute        // how often all rooms are listed
	listPause    = 110 * time.Millisecond // between pages: Tencent allows ten calls per second
	confirmEvery = 6 * time.Minute        // how often a room that is not in the list is asked for its CreateTime
	totalsEvery  = 5 * time.Minute        // how old the totals of a room may get
	missingFor   = 30 * time.Second       // between the two answers that prove that a room is gone
)

// isSweep reports whether a message asks for a sweep: {"sweep":true}.
func isSweep(body []byte) bool {
	var request struct {
		Sweep bool `json:"sweep"`
	}
	return json.Unmarshal(body, &request) == nil && request.Sweep
}

// sweep is one run over the open streams.
type sweep struct {
	p       *Processor
	started time.Time
	ends    time.Time

	mu          sync.Mutex
	rooms, done int
	snapshots   int
	missed      int
	failures    int
	failure     error     // the first one
	oldest      time.Time // of the numbers of live streams, after this run
}

// Sweep asks Tencent for the numbers of every open stream, the one with the oldest numbers first, until its time is used up. It finds
// rooms that no webhook announced and ends that no webhook reported, and delivers summaries that could not be delivered before. A sweep
// that finds another one running returns at once.
func (p *Processor) Sweep(ctx context.Context) error {
	if p.config.Ledger == nil {
		return giftstats.Invalid("a sweep needs a ledger: set GIFTSTATS_LEDGER")
	}
	s := &sweep{p: p, started: p.config.Now()}
	s.ends = s.started.Add(sweepTime)
	holder := rand.Text()
	taken, err := p.config.Ledger.Lease(ctx, "sweep", holder, s.ends.Add(giftstats.MaxMargin))
	if err != nil || !taken {
		if err == nil {
			p.config.Logger.InfoContext(ctx, "another sweep is running")
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	s.list(ctx)
	s.run(ctx)
	release, cancelRelease := context.WithTimeout(context.WithoutCancel(ctx), giftstats.MaxMargin)
	defer cancelRelease()
	if err := p.config.Ledger.Release(release, "sweep", holder); err != nil {
		s.failed(context.WithoutCancel(ctx), err)
	}
	s.log(ctx)
	if s.failures > 0 && s.snapshots == 0 {
		return fmt.Errorf("sweep: %d failures, the first: %w", s.failures, s.failure)
	}
	return nil
}

// failed counts a failure. That the time or the rate is used up is none: the next sweep goes on with the rooms that are left.
func (s *sweep) failed(ctx context.Context, err error) {
	ours := errors.Is(err, giftstats.CodeRateLimited) && giftstats.AsError(err).Upstream == nil
	if err == nil || ours || ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures++
	if s.failure == nil {
		s.failure = err
	}
}

// list reads all rooms of the app, at most every five minutes, and opens the streams of those that are not known.
func (s *sweep) list(ctx context.Context) {
	l, holder := s.p.config.Ledger, rand.Text()
	due, err := l.Lease(ctx, "list", holder, s.started.Add(listEvery-time.Second))
	if err != nil || !due {
		s.failed(ctx, err)
		return
	}
	if err := s.listAll(ctx); err != nil {
		s.failed(ctx, err)
		s.failed(ctx, l.Release(ctx, "list", holder)) // the next sweep tries again
	}
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

func (s *sweep) sighting(room giftstats.RoomInfo) ledger.Sighting {
	return ledger.Sighting{
		RoomID: room.RoomID, At: s.p.timestamp(), Owner: room.OwnerAccount, Opens: true,
		StartedAt: room.CreatedAt, Confirmed: !room.CreatedAt.IsZero(),
	}
}

// run goes through the open streams.
func (s *sweep) run(ctx context.Context) {
	rooms, err := s.open(ctx)
	if err != nil {
		s.failed(ctx, err)
		return
	}
	s.rooms = len(rooms)
	var group errgroup.Group
	group.SetLimit(sweepWorkers)
	for _, room := range rooms {
		group.Go(func() error {
			if ctx.Err() == nil {
				s.room(ctx, room)
			}
			s.finished(room)
			return nil
		})
	}
	group.Wait()
}

// open returns the rooms with open streams, the one whose turn was longest ago first.
func (s *sweep) open(ctx context.Context) ([]ledger.Room, error) {
	ids, err := s.p.config.Ledger.OpenRooms(ctx)
	if err != nil {
		return nil, err
	}
	var rooms []ledger.Room
	for part := range slices.Chunk(ids, roomsAtOnce) {
		some, err := s.p.config.Ledger.Rooms(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, room := range some {
			if len(room.Streams) > 0 {
				rooms = append(rooms, room)
			}
		}
	}
	slices.SortStableFunc(rooms, func(a, b ledger.Room) int { return turn(a).Compare(turn(b)) })
	return rooms, nil
}

// turn is when a room was swept last: the zero time if it never was, or if a stream of it waits to be finished.
func turn(room ledger.Room) time.Time {
	current := room.Current()
	if current == nil || len(room.Streams) > 1 {
		return time.Time{}
	}
	return current.SweptAt
}

// room takes the turn of one room.
func (s *sweep) room(ctx context.Context, room ledger.Room) {
	for _, stream := range room.Streams {
		if stream.End != nil {
			if _, err := s.p.finish(ctx, ledger.Ending{Room: room, StreamID: stream.ID}); err != nil {
				s.failed(ctx, err)
			} else if stream.End.Source == ledger.SourceSweep {
				s.count(0, 1)
			}
		}
	}
	if current := room.Current(); current != nil {
		s.failed(ctx, s.live(ctx, room, *current))
	}
}

func (s *sweep) count(snapshots, missed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots += snapshots
	s.missed += missed
}

// finished records how old the numbers of a room are, for the lag.
func (s *sweep) finished(room ledger.Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	current := room.Current()
	if current == nil {
		return
	}
	newest := current.OpenedAt
	if current.SweptAt.After(newest) {
		newest = current.SweptAt
	}
	if s.oldest.IsZero() || newest.Before(s.oldest) {
		s.oldest = newest
	}
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
		if stream.StartedAt.IsZero() || !info.CreatedAt.Equal(stream.StartedAt) || info.OwnerAccount != stream.Owner {
			// The room is new to the ledger, or was created again: its streams have their turn in the next sweep.
			return s.p.config.Ledger.Observe(ctx, s.sighting(info))
		}
		stream.ConfirmedAt = now
	}
	answers, err := s.ask(ctx, room.RoomID, stream)
	switch {
	case errors.Is(err, giftstats.CodeRoomNotFound):
		return s.missing(ctx, room.RoomID, stream.ID, now)
	case stream.Fell(answers):
		return s.confirm(ctx, room.RoomID)
	}
	totals, totalsErr := s.totals(ctx, room.RoomID, stream, now)
	if len(answers) == 0 && totals == nil {
		return errors.Join(err, totalsErr)
	}
	_, storeErr := s.p.config.Ledger.Update(ctx, room.RoomID, func(room *ledger.Room) (bool, error) {
		stored := room.Stream(stream.ID)
		if stored == nil || stored.End != nil {
			return false, nil
		}
		stored.SweptAt, stored.AliveAt, stored.MissingAt, stored.ConfirmedAt = now, now, time.Time{}, stream.ConfirmedAt
		for _, answer := range answers {
			stored.AddSnapshot(answer)
		}
		if totals != nil {
			stored.AddTotals(*totals)
		}
		return true, nil
	})
	if storeErr == nil {
		s.count(len(answers), 0)
		s.swept(room, now)
	}
	return errors.Join(err, totalsErr, storeErr)
}

// confirm asks for the room's CreateTime. If it is another one, the room was created again.
func (s *sweep) confirm(ctx context.Context, roomID string) error {
	info, err := s.p.config.Service.RoomInfo(ctx, roomID)
	if err != nil {
		return err
	}
	return s.p.config.Ledger.Observe(ctx, s.sighting(info))
}

// swept corrects what finished will see.
func (s *sweep) swept(room ledger.Room, now time.Time) { room.Current().SweptAt = now }

// ask returns the numbers of the accounts that Tencent knows. Its error is room_not_found if the room is gone.
func (s *sweep) ask(ctx context.Context, roomID string, stream ledger.Stream) ([]giftstats.Stats, error) {
	var answers []giftstats.Stats
	var failures []error
	for _, account := range stream.Accounts {
		stats, err := s.p.config.Service.GiftStats(ctx, giftstats.Query{RoomID: roomID, Account: account.Account})
		switch {
		case errors.Is(err, giftstats.CodeRoomNotFound):
			return nil, err
		case err == nil:
			answers = append(answers, stats)
		case !isDefinite(err):
			failures = append(failures, err)
		}
	}
	return answers, errors.Join(failures...)
}

// totals returns the totals of the room if they are due and the other rooms can still have their turn in time.
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
		first := stored.MissingAt.IsZero()
		if first {
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
	s.count(0, 1)
	_, err = s.p.finish(ctx, ending)
	return err
}

func (s *sweep) log(ctx context.Context) {
	now := s.p.config.Now()
	attrs := []slog.Attr{slog.Int("rooms", s.rooms), slog.Int("snapshots", s.snapshots), slog.Int("missed_ends", s.missed)}
	lag := time.Duration(0)
	if !s.oldest.IsZero() {
		lag = now.Sub(s.oldest)
	}
	attrs = append(attrs, slog.Float64("sweep_lag_s", float64(lag.Milliseconds())/1000))
	level := slog.LevelInfo
	if s.failures > 0 {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Int("failures", s.failures), slog.Any("error", s.failure))
	}
	s.p.config.Logger.LogAttrs(ctx, level, "sweep finished", attrs...)
}
