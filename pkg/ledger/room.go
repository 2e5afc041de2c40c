package ledger

import (
	"slices"
	"time"
)

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
		s.dropAfter(created)
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
