// Package streamend processes the ends of streams: it turns an [Event], from whatever source, into a delivered [Summary]. With a ledger
// it also sweeps over the streams that are live, so that their numbers are known when they end.
//
// An event that fails must be delivered again by its sender. An error that no retry can fix is marked with package permanent, and its
// event belongs into a dead-letter queue.
package streamend

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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
	SourceSweep  Source = "sweep"  // the sweep found that the room is gone
)

const (
	maxEventID  = 200 // bytes
	maxReason   = 200 // bytes
	maxAccounts = 100 // more hosts and co-hosts than any room has
)

// Event says that a stream has ended. Only RoomID is required of a sender; [Parse] fills in the rest.
type Event struct {
	EventID    string                `json:"event_id"`
	RoomID     string                `json:"room_id"`
	Accounts   []string              `json:"accounts,omitempty"` // whose numbers are wanted; empty: those of the room's owner
	EndedAt    *time.Time            `json:"ended_at,omitempty"`
	Reason     string                `json:"reason,omitempty"`
	Source     Source                `json:"source"`
	RoomTotals *giftstats.RoomTotals `json:"room_totals,omitempty"` // as the event reported them

	derived bool // EventID was derived by Parse
}

// Parse reads an event in its own JSON form. An event without an id gets one that is derived from what identifies the end: the room and
// the time, or else messageID, the carrier's id of the message. Its errors are permanent.
func Parse(raw []byte, messageID string) (Event, error) {
	if !utf8.Valid(raw) {
		return Event{}, permanent.Error(errors.New("the event is not valid UTF-8"))
	}
	event, err := decode(raw)
	if err != nil {
		return Event{}, permanent.Error(err)
	}
	if event.Source == "" {
		event.Source = SourceDirect
	}
	if event.EventID == "" {
		event.EventID, event.derived = event.deriveID(messageID), true
	}
	if err := event.validate(); err != nil {
		return Event{}, permanent.Error(fmt.Errorf("invalid event: %w", err))
	}
	return event, nil
}

// decode reads the fields. Unknown fields are ignored, because senders add their own.
func decode(raw []byte) (Event, error) {
	var event Event
	var kind *json.UnmarshalTypeError
	err := json.Unmarshal(raw, &event)
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return Event{}, fmt.Errorf("the event's %s has the wrong type", kind.Field)
	case err != nil:
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) || errors.As(err, &kind) {
			return Event{}, errors.New("the event must be a JSON object")
		}
		return Event{}, errors.New("a field of the event is invalid; ended_at must be like 2026-11-23T12:00:00Z")
	}
	if event.EndedAt != nil {
		utc := event.EndedAt.UTC()
		if utc.Year() < 1970 || utc.Year() > 9999 {
			return Event{}, errors.New("ended_at is before 1970 or after 9999")
		}
		event.EndedAt = &utc
	}
	return event, nil
}

// deriveID returns an id that every report of one end has, as far as can be known: the source is no part of it.
func (e *Event) deriveID(messageID string) string {
	if e.EndedAt != nil {
		return hashID(e.RoomID, identity(time.Time{}, *e.EndedAt))
	}
	return hashID(e.RoomID, messageID)
}

// identity is what tells the streams of one room apart: when the stream started, or else when it ended.
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
		return fmt.Errorf("accounts has %d entries; at most %d are allowed", len(e.Accounts), maxAccounts)
	}
	for _, account := range e.Accounts {
		if err := giftstats.ValidateAccount(account); err != nil {
			return err
		}
	}
	switch {
	case !slices.Contains([]Source{SourceLive, SourceTRTC, SourceCSS, SourceDirect, SourceSweep}, e.Source):
		return errors.New("source must be live, trtc, css, direct or sweep")
	case len(e.EventID) > maxEventID || strings.ContainsFunc(e.EventID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("event_id must be at most %d printable ASCII characters without spaces: it is sent as a header", maxEventID)
	case len(e.Reason) > maxReason:
		return fmt.Errorf("reason must have at most %d bytes", maxReason)
	}
	return nil
}

// NewID returns the id of the end of a stream in a room, which every report of this end has.
func NewID(roomID string, endedAt time.Time) string {
	return hashID(roomID, identity(time.Time{}, endedAt))
}

// hashID hashes the room and what tells its streams apart.
func hashID(roomID, stream string) string {
	hash := sha256.New()
	for _, part := range []string{roomID, stream} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return "end-" + hex.EncodeToString(hash.Sum(nil)[:16])
}
