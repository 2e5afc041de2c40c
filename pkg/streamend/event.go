// Package streamend is what happens when a stream ends: the event that says so, whatever brought it, and the way from there
// to a delivered summary.
//
// An [Event] that can be dealt with now or later either becomes a delivered [Summary] or an error: its sender then has to
// bring it again. What no retry can fix is marked with package permanent, and belongs into a dead-letter queue.
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

// Source is who said first that the stream has ended.
type Source string

// The sources.
const (
	SourceLive   Source = "live"   // Live.CallbackAfterDestroyRoom or Room.CallbackAfterDestroyRoom
	SourceTRTC   Source = "trtc"   // TRTC's room dismissed
	SourceCSS    Source = "css"    // a push of Cloud Streaming Services was interrupted
	SourceDirect Source = "direct" // the customer's own word
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
	Accounts   []string              `json:"accounts,omitempty"` // whose numbers are wanted; none: the room's owner's
	EndedAt    *time.Time            `json:"ended_at,omitempty"`
	Reason     string                `json:"reason,omitempty"`
	Source     Source                `json:"source"`
	RoomTotals *giftstats.RoomTotals `json:"room_totals,omitempty"` // as the event brought them
}

// Parse reads an event that is JSON of its own form. An event without an id gets one from what identifies the end: room and
// time, or else messageID, which is what its carrier calls it. Its errors are permanent.
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
		event.EventID = event.deriveID(messageID)
	}
	if err := event.validate(); err != nil {
		return Event{}, permanent.Error(fmt.Errorf("the event cannot be used: %w", err))
	}
	return event, nil
}

// decode reads the fields. Fields that are not known are passed over: senders add their own.
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
			return Event{}, errors.New("the event is no JSON object")
		}
		return Event{}, errors.New("a field of the event cannot be read; ended_at must be like 2026-11-23T12:00:00Z")
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

func (e *Event) deriveID(messageID string) string {
	if e.EndedAt != nil {
		return ID(e.Source, e.RoomID, e.EndedAt.Format(time.RFC3339Nano))
	}
	return ID(e.Source, e.RoomID, messageID)
}

func (e *Event) validate() error {
	if err := giftstats.ValidateRoomID(e.RoomID); err != nil {
		return err
	}
	if len(e.Accounts) > maxAccounts {
		return fmt.Errorf("it names %d accounts; at most %d are allowed", len(e.Accounts), maxAccounts)
	}
	for _, account := range e.Accounts {
		if err := giftstats.ValidateAccount(account); err != nil {
			return err
		}
	}
	switch {
	case !slices.Contains([]Source{SourceLive, SourceTRTC, SourceCSS, SourceDirect}, e.Source):
		return errors.New("source must be live, trtc, css or direct")
	case len(e.EventID) > maxEventID || strings.ContainsFunc(e.EventID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("event_id must be at most %d printable ASCII characters without spaces: it is sent as a header", maxEventID)
	case len(e.Reason) > maxReason:
		return fmt.Errorf("reason must have at most %d bytes", maxReason)
	}
	return nil
}

// ID derives the id of an event from what identifies the end of the stream, so that the same end has the same id whenever
// and by whichever way it comes again.
func ID(source Source, parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return string(source) + "-" + hex.EncodeToString(hash.Sum(nil)[:16])
}
