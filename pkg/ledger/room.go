package ledger

import (
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// sameEnd is how far apart the times of two reports of one end may be, when nothing else identifies the stream. Tencent's services
// report one end seconds apart.
const sameEnd = time.Minute

// sameReport is how far apart the times of a repeated report of Tencent Chat may be.
const sameReport = 10 * time.Second

// How long after an end a sighting may still be of the stream that has ended. The webhook of a gift comes before the gift; the others
// come while the room exists.
const (
	giftStraggles = 10 * time.Second
	seatStraggles = time.Second
)

// Room is what is known of the open streams of a room, in the order of their start. There are two only while the end of the older
// one has not been processed.
type Room struct {
	RoomID  string   `json:"room_id"`
	Version string   `json:"-"` // set by the store
	Streams []Stream `json:"streams"`
}

// Stream is an open stream.
type Stream struct {
	ID        string    `json:"id"`                  // unique in its room; it never changes
	StartedAt time.Time `json:"started_at,omitzero"` // the room's CreateTime, in whole seconds; zero if not known yet
	CreatedAt time.Time `json:"created_at,omitzero"` // the moment in that second; zero if the webhook of the new room did not name it
	OpenedAt  time.Time `json:"opened_at"`           // the earliest sighting
	AliveAt   time.Time `json:"alive_at"`            // the latest sighting
	// After is the end of the previous stream of the room, if the ledger knows it: this stream's gifts came later.
	After time.Time `json:"after,omitzero"`
	// ConfirmedAt is when Tencent was last known to name StartedAt as the CreateTime of the room.
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	SweptAt     time.Time `json:"swept_at,omitzero"`   // the last time that the sweep asked
	MissingAt   time.Time `json:"missing_at,omitzero"` // since when Tencent reports the room as missing
	Owner       string    `json:"owner,omitempty"`
	Accounts    []Account `json:"accounts,omitempty"`
	// Crowded is true if there was no place for an account that may exist, or if such an account lost its place: an account that is not
	// known may have received gifts.
	Crowded bool           `json:"crowded,omitempty"`
	Totals  []RoomSnapshot `json:"totals,omitempty"` // newest first
	End     *End           `json:"end,omitempty"`    // the first report of the end
}

// End is a report that a stream has ended.
type End struct {
	EventID    string                `json:"event_id,omitempty"`  // the sender's own; empty if it is to be derived
	ReportID   string                `json:"report_id,omitempty"` // the same whenever this report is delivered again; may be empty
	EndedAt    time.Time             `json:"ended_at"`
	Until      time.Time             `json:"until,omitzero"` // when the stream had ended, if EndedAt is only when it was last seen, or wrong
	Reason     string                `json:"reason,omitempty"`
	Source     string                `json:"source"`
	Owner      string                `json:"owner,omitempty"`
	Accounts   []string              `json:"accounts,omitempty"` // named by the sender
	RoomTotals *giftstats.RoomTotals `json:"room_totals,omitempty"`
	TotalsAt   time.Time             `json:"totals_at,omitzero"` // when the room ended by the report that brought them, if it is another one

	// Timeless is true if the report named no time, so that EndedAt is when it arrived. It is about the newest stream.
	Timeless bool `json:"timeless,omitempty"`
	// Others are the ids of later reports without a time, which must not end the next stream when they are delivered again.
	Others []string `json:"others,omitempty"`
}

// Start is the earliest time that is known to belong to the stream.
func (s *Stream) Start() time.Time {
	if !s.StartedAt.IsZero() {
		return s.StartedAt
	}
	return s.OpenedAt.Truncate(time.Second)
}

// Current returns the newest stream if it has not ended, or nil.
func (r *Room) Current() *Stream {
	if n := len(r.Streams); n > 0 && r.Streams[n-1].End == nil {
		return &r.Streams[n-1]
	}
	return nil
}

// Stream returns the open stream with an id, or nil.
func (r *Room) Stream(id string) *Stream {
	if i := slices.IndexFunc(r.Streams, func(s Stream) bool { return s.ID == id }); i >= 0 {
		return &r.Streams[i]
	}
	return nil
}

// Next returns the start of the stream after the one with an id, or the zero time.
func (r *Room) Next(id string) time.Time {
	i := slices.IndexFunc(r.Streams, func(s Stream) bool { return s.ID == id })
	if i < 0 || i == len(r.Streams)-1 {
		return time.Time{}
	}
	return r.Streams[i+1].Start()
}

// EndedBy returns the open stream that a report of an end can be about: the newest that started before it, unless another end of that
// stream is known. In the second in which a room is dissolved and created again, it is the older one.
func (r *Room) EndedBy(end End) *Stream {
	for i := len(r.Streams) - 1; i >= 0; i-- {
		if s := &r.Streams[i]; s.startedBefore(end) {
			if i > 0 {
				older := &r.Streams[i-1]
				if s.startsIn(end) && older.awaits(end) || older.End != nil && end.late(older.End) {
					return older
				}
			}
			if s.End != nil && !s.End.same(end) {
				return nil
			}
			return s
		}
	}
	return nil
}

// startedBefore reports whether the stream may have started before the end.
func (s *Stream) startedBefore(end End) bool {
	if s.precise(end) {
		return !s.CreatedAt.After(end.EndedAt)
	}
	return !s.Start().After(end.EndedAt)
}

// precise reports whether the order of the start and an end is known: Tencent Chat tells both in milliseconds.
func (s *Stream) precise(end End) bool { return end.Source == sourceLive && !s.CreatedAt.IsZero() }

// startsIn reports whether the stream started in the very second of the end, so that the order of the two is not known: a CreateTime
// has whole seconds.
func (s *Stream) startsIn(end End) bool {
	return !end.Timeless && !s.precise(end) && !s.StartedAt.IsZero() && s.StartedAt.Equal(end.EndedAt.Truncate(time.Second))
}

// awaits reports whether a report can be about the end of the stream, although the next one has started: the first report of its end, or
// the same one once more.
func (s *Stream) awaits(end End) bool {
	switch {
	case s.End == nil:
		return true
	case s.End.Source == sourceLive:
		return end.repeats(s.End)
	}
	return s.End.same(end)
}

// same reports whether another report can be about the same end. Tencent Chat reports every end once, so that two of its reports at
// different times are about two ends.
func (e *End) same(other End) bool {
	switch {
	case other.Timeless:
		return true
	case e.Source == sourceLive && other.Source == sourceLive:
		return other.EndedAt.Sub(e.EndedAt).Abs() <= sameReport
	}
	return !other.EndedAt.After(e.by().Add(sameEnd))
}

// by is the time by which the stream had ended: EndedAt, or, if nobody reported the end or EndedAt is wrong, the time when it was noticed.
func (e *End) by() time.Time { return latest(e.EndedAt, e.Until) }

func (r *Room) remove(id string) (Stream, bool) {
	i := slices.IndexFunc(r.Streams, func(s Stream) bool { return s.ID == id })
	if i < 0 {
		return Stream{}, false
	}
	removed := r.Streams[i]
	r.Streams = slices.Delete(r.Streams, i, i+1)
	return removed, true
}

// forget removes what late sightings have opened of a stream whose end is stored, and reports whether there was something.
func (r *Room) forget(ended Ended) bool {
	before := len(r.Streams)
	r.Streams = slices.DeleteFunc(r.Streams, func(s Stream) bool { return s.ID != ended.StreamID && s.End == nil && ended.covers(s) })
	return len(r.Streams) < before
}

// supersede ends a stream whose room was created again at the given time.
func (s *Stream) supersede(created time.Time) {
	if s.End == nil {
		s.DropAfter(created)
		until := created.Add(-time.Millisecond)
		s.End = &End{EndedAt: earliest(s.AliveAt, until), Until: until, Reason: ReasonMissed, Source: SourceSweep}
	}
}

// Sources of ends. Those of other ends are the caller's.
const (
	SourceSweep  = "sweep" // nobody reported the end; its reason is ReasonMissed
	sourceLive   = "live"  // Tencent Chat
	ReasonMissed = "missed"
)

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
