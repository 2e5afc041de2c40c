// Package streamend processes the ends of streams: it turns an [Event], from any source, into a delivered [Summary]. With a ledger it also
// sweeps over the streams that are live, so that their numbers are known when they end.
//
// An event that fails must be delivered again by its sender. An error that no retry can fix is marked with package permanent, and its event
// belongs in a dead-letter queue.
package streamend

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
)

// Source is what reported the end of the stream first.
type Source string

// The sources.
const (
	SourceLive   Source = "live"   // Live.CallbackAfterDestroyRoom or Room.CallbackAfterDestroyRoom
	SourceTRTC   Source = "trtc"   // TRTC's room dismissed
	SourceCSS    Source = "css"    // a push of Cloud Streaming Services was interrupted
	SourceDirect Source = "direct" // the customer's own event
	SourceSweep  Source = "sweep"  // the sweep found that the room no longer exists
)

const (
	maxEventID  = 200 // bytes
	maxReason   = 200 // bytes
	maxAccounts = 100 // more hosts and co-hosts than any room has
)

// Event says that a stream has ended. [Parse] makes it from a [Report].
type Event struct {
	EventID    string                `json:"event_id"`
	RoomID     string                `json:"room_id"`
	Accounts   []string              `json:"accounts,omitempty"` // whose numbers are wanted; empty: those of the room's owner
	EndedAt    *time.Time            `json:"ended_at,omitempty"`
	Reason     string                `json:"reason,omitempty"`
	Source     Source                `json:"source"`
	RoomTotals *giftstats.RoomTotals `json:"room_totals,omitempty"` // as the event reported them
	// ReportedAt is when an event without EndedAt was sent; nil if that is not known. While it waits on a queue, the room may be used again.
	ReportedAt *time.Time `json:"giftstats_reported_at,omitempty"`

	derived  bool   // EventID was derived, not given
	reportID string // the same whenever the message is delivered again; empty if its carrier gave no id
}

// Parse reads an event in its JSON form, that of a [Report]. Unknown fields are ignored. Its errors are permanent.
func Parse(raw []byte, messageID string) (Event, error) {
	if !utf8.Valid(raw) {
		return Event{}, permanent.Error(giftstats.Invalid("the event is not valid UTF-8"))
	}
	report, err := decode(raw)
	if err != nil {
		return Event{}, permanent.Error(err)
	}
	event, err := report.Event(messageID)
	if err != nil {
		return Event{}, permanent.Error(fmt.Errorf("invalid event: %w", err))
	}
	var queued Event // by httpapi
	if event.EndedAt == nil && json.Unmarshal(raw, &queued) == nil {
		event.ReportedAt = queued.ReportedAt
	}
	return event, nil
}

// at returns the time of the end for the ledger: without a time in the event, that of the report.
func (e *Event) at(now time.Time) time.Time {
	switch {
	case e.EndedAt != nil:
		return *e.EndedAt
	case e.ReportedAt != nil && e.ReportedAt.After(time.Unix(0, 0)) && e.ReportedAt.Before(now):
		return e.ReportedAt.UTC()
	}
	return now
}

// deriveID returns an id that all reports of one end share as far as possible: the source is not part of it.
func (e *Event) deriveID(messageID string) string {
	if e.EndedAt != nil {
		return hashID(e.RoomID, identity(time.Time{}, *e.EndedAt))
	}
	return hashID(e.RoomID, messageID)
}

// identity is what distinguishes the streams of one room: when the stream started, or else when it ended.
func identity(started, ended time.Time) string {
	if !started.IsZero() {
		return "started " + started.UTC().Format(time.RFC3339Nano)
	}
	return "ended " + ended.UTC().Format(time.RFC3339Nano)
}

// owner returns the owner of the room if the event names it: Tencent's webhook does.
func (e *Event) owner() string {
	if e.Source == SourceLive && len(e.Accounts) == 1 {
		return e.Accounts[0]
	}
	return ""
}

func (e *Event) validate() error {
	if err := giftstats.ValidateRoomID(e.RoomID); err != nil {
		return err
	}
	if len(e.Accounts) > maxAccounts {
		return giftstats.Invalid("accounts has %d entries; at most %d are allowed", len(e.Accounts), maxAccounts)
	}
	for i, account := range e.Accounts {
		if err := giftstats.ValidateAccount(account); err != nil {
			return giftstats.Invalid("accounts[%d]: %s", i, giftstats.AsError(err).Detail)
		}
	}
	switch {
	case !slices.Contains([]Source{SourceLive, SourceTRTC, SourceCSS, SourceDirect, SourceSweep}, e.Source):
		return giftstats.Invalid("source must be live, trtc, css, direct or sweep")
	case len(e.EventID) > maxEventID || strings.ContainsFunc(e.EventID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return giftstats.Invalid("event_id must be at most %d printable ASCII characters without spaces: it is sent as a header", maxEventID)
	case strings.Contains(e.EventID, "."):
		return giftstats.Invalid("event_id must not contain a full stop, which separates it from what follows in the signature of a delivery")
	case len(e.Reason) > maxReason:
		return giftstats.Invalid("reason must have at most %d bytes", maxReason)
	}
	return nil
}

// maxClockError is how far ahead of ours the clock may be that an end was reported by.
const maxClockError = time.Hour

// CheckTime returns an invalid_request error if an event of the customer's own is more than an hour in the future. In a ledger, every
// other report of that end would miss it, and the stream would have two summaries. The times of webhooks were checked when they arrived.
func (e *Event) CheckTime(now time.Time) error {
	if e.Source == SourceDirect && e.EndedAt != nil && e.EndedAt.After(now.Add(maxClockError)) {
		return giftstats.Invalid("ended_at is more than an hour in the future; give the time in UTC or with its offset")
	}
	return nil
}

// NewID returns the id of the end of a stream in a room, which every report of this end has.
func NewID(roomID string, endedAt time.Time) string {
	return hashID(roomID, identity(time.Time{}, endedAt))
}

// hashID hashes the room and what distinguishes its streams.
func hashID(roomID, stream string) string {
	hash := sha256.New()
	for _, part := range []string{roomID, stream} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return "end-" + hex.EncodeToString(hash.Sum(nil)[:16])
}
