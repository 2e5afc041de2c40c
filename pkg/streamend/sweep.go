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
	sweepTime    = 55 * time.Second       // the next sweep starts a minute after this one
	sweepWorkers = 16                     // live streams at once
	endWorkers   = 4                      // ended streams that are delivered at once
	roomsAtOnce  = 100                    // records read from the ledger in one call
	listEvery    = 5 * time.Minute        // how often all rooms are listed
	listPause    = 110 * time.Millisecond // between pages: Tencent allows ten calls per second
	confirmEvery = 6 * time.Minute        // the longest interval between checks of a room's CreateTime; a sweep with time left checks it
	totalsEvery  = 5 * time.Minute        // how old the totals of a room may get
	missingFor   = 30 * time.Second       // between the two answers that prove that a room no longer exists
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
	failure     error                // the first one
	renewed     map[string]time.Time // when this run stored new numbers, by room
	oldest      time.Time            // of the numbers of live streams, after this run
	taken       map[string]bool      // ids of the rooms that have had their turn
}

// Sweep asks Tencent for the numbers of every open stream, the one with the oldest numbers first, until its time is used up. It finds
// rooms that no webhook announced and ends that no webhook reported, and delivers summaries that could not be delivered before. A sweep
// that finds another one running returns at once.
func (p *Processor) Sweep(ctx context.Context) error {
	if p.config.Ledger == nil {
		return giftstats.Invalid("a sweep needs a ledger: set GIFTSTATS_LEDGER")
	}
	s := &sweep{p: p, started: p.config.Now(), renewed: map[string]time.Time{}, taken: map[string]bool{}}
	s.ends = s.started.Add(sweepTime)
	holder := rand.Text()
	taken, err := p.config.Ledger.Lease(ctx, "sweep", holder, s.ends.Add(giftstats.MaxMargin))
	if err != nil || !taken {
		if err == nil {
			p.config.Logger.InfoContext(ctx, "another sweep is running")
		}
		return err
	}
	ctx, cancel := context.WithTimeout(giftstats.InBatch(ctx), sweepTime) // a sweep by hand must not delay requests
	defer cancel()
	s.runAll(ctx)
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

// runAll goes through the open streams while it lists the rooms of the app, and then through the streams that only the list knows.
func (s *sweep) runAll(ctx context.Context) {
	rooms, err := s.open(ctx)
	if err != nil {
		s.failed(ctx, err)
		return
	}
	found := make(chan bool, 1)
	go func() { found <- s.list(ctx, rooms) }()
	s.run(ctx, rooms)
	if !<-found || ctx.Err() != nil {
		return
	}
	if rooms, err = s.open(ctx); err != nil {
		s.failed(ctx, err)
		return
	}
	s.run(ctx, rooms)
}

// failed counts a failure. To run out of time or rate is not a failure: the next sweep continues with the rooms that are left.
func (s *sweep) failed(ctx context.Context, err error) {
	if err == nil || errors.Is(err, giftstats.ErrNoTurn) || ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures++
	if s.failure == nil {
		s.failure = err
	}
}

func (s *sweep) sighting(room giftstats.RoomInfo) ledger.Sighting {
	return ledger.Sighting{
		RoomID: room.RoomID, At: s.p.timestamp(), Owner: room.OwnerAccount, Opens: true,
		StartedAt: room.CreatedAt, Confirmed: !room.CreatedAt.IsZero(), Answered: true,
	}
}

// run goes through the open streams of rooms.
func (s *sweep) run(ctx context.Context, rooms []ledger.Room) {
	s.rooms += len(rooms)
	var ends sync.WaitGroup // apart, so that receivers that are down do not keep the live streams waiting
	ends.Go(func() { each(rooms, endWorkers, func(room ledger.Room) { s.finishEnded(ctx, room) }) })
	each(rooms, sweepWorkers, func(room ledger.Room) {
		if current := room.Current(); current != nil && ctx.Err() == nil {
			s.failed(ctx, s.live(ctx, room, *current))
		}
		s.finished(room)
	})
	ends.Wait()
}

// each calls do for all rooms, for so many of them at once.
func each(rooms []ledger.Room, workers int, do func(ledger.Room)) {
	var group errgroup.Group
	group.SetLimit(workers)
	for _, room := range rooms {
		group.Go(func() error {
			do(room)
			return nil
		})
	}
	group.Wait()
}

// open returns the rooms with open streams that this sweep has not handled yet, the one that was swept longest ago first.
func (s *sweep) open(ctx context.Context) ([]ledger.Room, error) {
	ids, err := s.p.config.Ledger.OpenRooms(ctx)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return s.taken[id] })
	var rooms []ledger.Room
	for part := range slices.Chunk(ids, roomsAtOnce) {
		some, err := s.p.config.Ledger.Rooms(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, room := range some {
			if s.taken[room.RoomID] = true; len(room.Streams) > 0 {
				rooms = append(rooms, room)
			}
		}
	}
	slices.SortStableFunc(rooms, func(a, b ledger.Room) int { return turn(a).Compare(turn(b)) })
	return rooms, nil
}

// turn returns the time when the live stream of a room was last swept, or first seen. Rooms that are only announced must not come before
// those that Tencent has answered for.
func turn(room ledger.Room) time.Time {
	if current := room.Current(); current != nil {
		return latest(current.SweptAt, current.OpenedAt)
	}
	return time.Time{}
}

func (s *sweep) count(snapshots, missed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots += snapshots
	s.missed += missed
}

// swept records that the numbers of a room's live stream are new.
func (s *sweep) swept(roomID string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed[roomID] = at
}

// finished records how old the numbers of a room's live stream are, for the lag.
func (s *sweep) finished(room ledger.Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	current := room.Current()
	if current == nil {
		return
	}
	newest := current.OpenedAt
	for _, at := range []time.Time{current.SweptAt, s.renewed[room.RoomID]} {
		newest = latest(newest, at)
	}
	if s.oldest.IsZero() || newest.Before(s.oldest) {
		s.oldest = newest
	}
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
