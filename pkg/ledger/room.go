package ledger

import (
	"slices"
	"strconv"
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
	ID        string    `json:"id"`                  // unique in its room, and the same for ever
	StartedAt time.Time `json:"started_at,omitzero"` // the room's CreateTime, in whole seconds; zero if not known yet
	OpenedAt  time.Time `json:"opened_at"`           // the earliest sighting
	AliveAt   time.Time `json:"alive_at"`            // the latest sighting
	// After is the end of the previous stream of the room, if the ledger knows it: this stream's gifts came later.
	After time.Time `json:"after,omitzero"`
	// ConfirmedAt is when Tencent was last known to name StartedAt as the CreateTime of the room.
	ConfirmedAt time.Time      `json:"confirmed_at,omitzero"`
	SweptAt     time.Time      `json:"swept_at,omitzero"`   // the last time that the sweep asked
	MissingAt   time.Time      `json:"missing_at,omitzero"` // since when Tencent reports the room as missing
	Owner       string         `json:"owner,omitempty"`
	Accounts    []Account      `json:"accounts,omitempty"`
	Totals      []RoomSnapshot `json:"totals,omitempty"` // newest first
	End         *End           `json:"end,omitempty"`    // the first report of the end
}

// Account is one that may receive gifts in a stream.
type Account struct {
	Account string `json:"account"`
	// Receives is true for owners, former owners and receivers of gifts; false for members who only took a seat.
	Receives  bool       `json:"receives,omitempty"`
	Snapshots []Snapshot `json:"snapshots,omitempty"` // newest first
}

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

// End is a report that a stream has ended.
type End struct {
	EventID    string                `json:"event_id,omitempty"` // the sender's own; empty if it is to be derived
	EndedAt    time.Time             `json:"ended_at"`
	Until      time.Time             `json:"until,omitzero"` // of a missed end: when it was noticed; EndedAt is when the room was last seen
	Reason     string                `json:"reason,omitempty"`
	Source     string                `json:"source"`
	Owner      string                `json:"owner,omitempty"`
	Accounts   []string              `json:"accounts,omitempty"` // named by the sender
	RoomTotals *giftstats.RoomTotals `json:"room_totals,omitempty"`

	// Timeless is true if the report named no time, so that EndedAt is when it arrived. It is about the newest stream.
	Timeless bool `json:"timeless,omitempty"`
}

// Sighting says that a room was live.
type Sighting struct {
	RoomID    string
	At        time.Time
	StartedAt time.Time // the room's CreateTime; zero if it is not known
	Opens     bool      // it may open a stream; else it only adds to an open one
	Confirmed bool      // Tencent named StartedAt just now, at At
	Owner     string    // empty if it is not known
	Former    string    // an owner before Owner
	Receivers []string  // receivers of a gift
	Seated    []string  // members who took a seat
}

// Start is the earliest time that is known to belong to the stream.
func (s *Stream) Start() time.Time {
	if !s.StartedAt.IsZero() {
		return s.StartedAt
	}
	return s.OpenedAt.Truncate(time.Second)
}

// Current returns the newest stream if it has not ended, else nil.
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
// stream is known.
func (r *Room) EndedBy(end End) *Stream {
	for i := len(r.Streams) - 1; i >= 0; i-- {
		if s := &r.Streams[i]; !s.Start().After(end.EndedAt) {
			if s.End != nil && !s.End.same(end) {
				return nil
			}
			return s
		}
	}
	return nil
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
	return !other.EndedAt.After(latest(e.EndedAt, e.Until).Add(sameEnd))
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

// open adds a stream. Older streams that nobody reported as ended must have ended by its start.
func (r *Room) open(sighting Sighting, last *Ended) {
	stream := Stream{ID: streamID(sighting), StartedAt: sighting.StartedAt, OpenedAt: sighting.At, AliveAt: sighting.At}
	if last != nil {
		stream.After = last.EndedAt
	}
	for i := range r.Streams {
		if older := &r.Streams[i]; older.Start().Before(stream.Start()) {
			older.supersede(stream.Start())
			stream.After = latest(stream.After, older.End.EndedAt)
		}
	}
	for r.Stream(stream.ID) != nil || last != nil && last.StreamID == stream.ID {
		stream.ID += "x"
	}
	stream.absorb(sighting)
	r.Streams = append(r.Streams, stream)
	slices.SortStableFunc(r.Streams, func(a, b Stream) int { return a.Start().Compare(b.Start()) })
}

func streamID(sighting Sighting) string {
	if !sighting.StartedAt.IsZero() {
		return strconv.FormatInt(sighting.StartedAt.Unix(), 10)
	}
	return "seen-" + strconv.FormatInt(sighting.At.UnixMilli(), 10)
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

// absorb adds what a sighting tells, and reports whether that is new. A later AliveAt alone is not worth a write.
func (s *Stream) absorb(sighting Sighting) bool {
	changed := false
	if !sighting.StartedAt.IsZero() && s.StartedAt.IsZero() {
		s.StartedAt, changed = sighting.StartedAt, true
	}
	if sighting.At.Before(s.OpenedAt) {
		s.OpenedAt, changed = sighting.At, true
	}
	if s.End == nil {
		s.AliveAt = latest(s.AliveAt, sighting.At)
	}
	if sighting.Confirmed {
		s.ConfirmedAt, changed = latest(s.ConfirmedAt, sighting.At), true
	}
	if s.End == nil && sighting.Owner != "" && sighting.Owner != s.Owner {
		s.Owner, changed = sighting.Owner, true
	}
	for _, account := range slices.Concat([]string{sighting.Owner, sighting.Former}, sighting.Receivers) {
		changed = s.AddAccount(account, true) || changed
	}
	for _, account := range sighting.Seated {
		changed = s.AddAccount(account, false) || changed
	}
	return changed
}

// MaxAccounts bounds the accounts of one stream: more hosts and co-hosts than any room has.
const MaxAccounts = 100

// AddAccount adds an account unless it is known, and reports whether the stream changed. An account that cannot be one is ignored.
func (s *Stream) AddAccount(account string, receives bool) bool {
	if known := s.Account(account); known != nil {
		changed := receives && !known.Receives
		known.Receives = known.Receives || receives
		return changed
	}
	if giftstats.ValidateAccount(account) != nil || len(s.Accounts) >= MaxAccounts {
		return false
	}
	s.Accounts = append(s.Accounts, Account{Account: account, Receives: receives})
	return true
}

// Account returns what is known of an account, or nil.
func (s *Stream) Account(account string) *Account {
	if i := slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Account == account }); i >= 0 {
		return &s.Accounts[i]
	}
	return nil
}

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
