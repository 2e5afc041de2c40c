package ledger

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// ErrEnded is returned by Observe for a listed room whose end the sweep has noticed. The list may be older than that, so that Tencent
// must be asked for the room itself.
var ErrEnded = errors.New("the stream of the listed room has ended")

// Sighting says that a room was live.
type Sighting struct {
	RoomID    string
	At        time.Time
	StartedAt time.Time // the room's CreateTime; zero if it is not known
	CreatedAt time.Time // the moment in the second StartedAt, if the webhook of the new room names it
	Opens     bool      // it may open a stream; else it only adds to an open one
	Confirmed bool      // Tencent named StartedAt just now, at At
	Answered  bool      // it is an answer of Tencent, and not a webhook, whose body is not signed
	Listed    bool      // it is from a list of rooms
	Owner     string    // empty if it is not known
	Former    string    // an owner before Owner
	Receivers []string  // receivers of a gift
	Seated    []string  // members who took a seat
}

// Observe records that a room was seen live. A sighting that belongs to no known stream opens one, if it may, or if the room had a
// stream before. A sighting of a stream that has ended changes nothing, unless only the sweep noticed its end, and Tencent shows now that
// it goes on. For a listed room, the error is [ErrEnded] then.
func (l *Ledger) Observe(ctx context.Context, sighting Sighting) error {
	doubtful := false
	_, err := l.Update(ctx, sighting.RoomID, func(room *Room) (bool, error) {
		stream, stale := room.place(sighting)
		switch {
		case stream != nil:
			return stream.absorb(sighting), nil
		case len(room.Streams) >= maxStreams, stale && !sighting.Confirmed:
			return false, nil
		}
		last, err := l.LastEnded(ctx, sighting.RoomID)
		if err == nil && last != nil && sighting.continues(*last) {
			doubtful = sighting.Listed
			return !doubtful && room.resume(sighting, *last), nil
		}
		if stale { // the room of the ended stream lives on: what was opened since is not another stream
			return err == nil && last != nil && sighting.belongsTo(*last) && room.forget(*last), err
		}
		if err != nil || last == nil && len(room.Streams) == 0 && !sighting.Opens || last != nil && sighting.belongsTo(*last) {
			return false, err
		}
		if last != nil {
			room.forget(*last)
		}
		room.open(sighting, last)
		return true, nil
	})
	if err == nil && doubtful {
		return ErrEnded
	}
	return err
}

// place finds the open stream that a sighting belongs to. If there is none, stale reports whether the sighting is older than an open
// stream, or belongs to the moments after the end of one.
func (r *Room) place(sighting Sighting) (stream *Stream, stale bool) {
	for i := len(r.Streams) - 1; i >= 0; i-- {
		s := &r.Streams[i]
		switch {
		case s.matches(sighting):
			return s, false
		case sighting.StartedAt.IsZero() && s.End != nil:
			stale = stale || !sighting.At.After(s.End.EndedAt.Add(sighting.straggles()))
		case sighting.StartedAt.IsZero():
			stale = true // it is before this stream, which has not ended
		default:
			stale = stale || sighting.StartedAt.Before(s.Start())
		}
	}
	return nil, stale
}

// matches reports whether a sighting is of this stream: by the room's CreateTime where it is known, else by time.
func (s *Stream) matches(sighting Sighting) bool {
	started := sighting.StartedAt
	switch {
	case !started.IsZero() && !s.StartedAt.IsZero():
		return started.Equal(s.StartedAt)
	case !started.IsZero(): // the stream was seen before its CreateTime was known
		return !started.After(s.OpenedAt) && !started.Before(s.After.Truncate(time.Second))
	case s.End != nil && sighting.At.Truncate(time.Second).After(s.End.EndedAt):
		return false
	case s.StartedAt.IsZero():
		return sighting.At.After(s.After)
	}
	return !sighting.At.Before(s.StartedAt)
}

// belongsTo reports whether a sighting is a late one of an ended stream.
func (s Sighting) belongsTo(ended Ended) bool {
	if !s.StartedAt.IsZero() {
		return !s.StartedAt.After(ended.by()) && (ended.StartedAt.IsZero() || !s.StartedAt.After(ended.StartedAt))
	}
	return !s.At.After(ended.by().Add(s.straggles()))
}

func (s Sighting) straggles() time.Duration {
	if len(s.Receivers) > 0 {
		return giftStraggles
	}
	return seatStraggles
}

// continues reports whether Tencent shows that a stream goes on of which only the sweep noticed the end: Tencent said for a while that
// there was no such room.
func (s Sighting) continues(ended Ended) bool {
	return s.Answered && s.Confirmed && ended.Source == SourceSweep && s.StartedAt.Equal(ended.StartedAt) && s.At.After(ended.by()) &&
		len(ended.StreamID) < maxStreamID
}

// resume opens a stream that goes on after its end was noticed, and reports whether that changed something. Its numbers count from the
// start, like those of the summary that it has already, and it has the same accounts.
func (r *Room) resume(sighting Sighting, ended Ended) bool {
	sighting.Receivers = append(sighting.Receivers, ended.Accounts...)
	for i := range r.Streams {
		switch s := &r.Streams[i]; {
		case s.StartedAt.IsZero() && s.After.Equal(ended.by()):
			return s.absorb(sighting) // gifts or seats have opened it
		case s.Start().After(sighting.StartedAt):
			return false // the room was created again
		}
	}
	r.open(sighting, &ended)
	return true
}

// Missed reports whether another stream of the room waits for its summary of which only the sweep noticed the end: if nobody announced the
// stream with the id, it may be the same.
func (r *Room) Missed(streamID string) bool {
	return slices.ContainsFunc(r.Streams, func(s Stream) bool { return s.ID != streamID && s.End != nil && s.End.Source == SourceSweep })
}

// Withdraw removes the end of a stream that only the sweep noticed, because Tencent shows now that the room has never been dissolved. It
// reports whether there was something to remove.
func (r *Room) Withdraw(streamID string) bool {
	stream := r.Stream(streamID)
	if stream == nil || stream.End == nil || stream.End.Source != SourceSweep || !r.Next(streamID).IsZero() {
		return false
	}
	stream.End, stream.MissingAt = nil, time.Time{}
	return true
}

// open adds a stream. Older streams without a reported end must have ended before its start.
func (r *Room) open(sighting Sighting, last *Ended) {
	stream := Stream{ID: streamID(sighting), StartedAt: sighting.StartedAt, OpenedAt: sighting.At, AliveAt: sighting.At}
	if last != nil {
		stream.After = last.by()
		if !stream.StartedAt.IsZero() && last.StartedAt.Equal(stream.StartedAt) {
			stream.ID = last.StreamID // which is not the first of this start if that has ended several times
		}
	}
	for i := range r.Streams {
		if older := &r.Streams[i]; older.Start().Before(stream.Start()) {
			older.supersede(stream.Start())
			stream.After = latest(stream.After, older.End.by())
		}
	}
	for r.Stream(stream.ID) != nil || last != nil && last.StreamID == stream.ID {
		stream.ID += "x"
	}
	stream.absorb(sighting)
	r.Streams = append(r.Streams, stream)
	slices.SortStableFunc(r.Streams, func(a, b Stream) int { return a.Start().Compare(b.Start()) })
}

// maxStreamID is more than the longest id that streamID returns, in bytes, with room for a suffix that makes it unique.
const maxStreamID = 64

func streamID(sighting Sighting) string {
	if !sighting.StartedAt.IsZero() {
		return strconv.FormatInt(sighting.StartedAt.Unix(), 10)
	}
	return "seen-" + strconv.FormatInt(sighting.At.UnixMilli(), 10)
}

// absorb adds what a sighting tells, and reports whether that is new. A later AliveAt alone is not worth a write.
func (s *Stream) absorb(sighting Sighting) bool {
	changed := false
	if !sighting.StartedAt.IsZero() && s.StartedAt.IsZero() {
		s.StartedAt, changed = sighting.StartedAt, true
	}
	if s.CreatedAt.IsZero() && !sighting.CreatedAt.IsZero() {
		s.CreatedAt, changed = sighting.CreatedAt, true
	}
	if sighting.At.Before(s.OpenedAt) {
		s.OpenedAt, changed = sighting.At, true
	}
	if s.End == nil {
		s.AliveAt = latest(s.AliveAt, sighting.At)
	}
	if sighting.Confirmed {
		s.ConfirmedAt, changed = latest(s.ConfirmedAt, sighting.At), true
		s.MissingAt = time.Time{} // Tencent knows the room again
	}
	if s.End == nil && sighting.Owner != "" && sighting.Owner != s.Owner {
		s.Owner, changed = sighting.Owner, true
	}
	if sighting.Confirmed && sighting.Owner == s.Owner {
		changed = s.addTrusted(sighting.Owner, nil) || changed
	}
	if owner := s.Account(sighting.Owner); owner != nil && sighting.Answered {
		owner.Owned = true
	}
	for _, account := range slices.Concat([]string{sighting.Owner, sighting.Former}, sighting.Receivers) {
		changed = s.AddAccount(account, true) || changed
	}
	for _, account := range sighting.Seated {
		changed = s.AddAccount(account, false) || changed
	}
	return changed
}
