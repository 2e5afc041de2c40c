package streamend

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Report is an [Event] as its sender writes it in JSON. Only RoomID is required; null is the same as leaving out another field.
type Report struct {
	EventID    *string  `json:"event_id"`
	RoomID     string   `json:"room_id"`
	Accounts   []string `json:"accounts"`
	EndedAt    *string  `json:"ended_at"`
	Reason     *string  `json:"reason"`
	Source     *Source  `json:"source"`
	RoomTotals *Totals  `json:"room_totals"`
}

// Totals are the totals of a room in a [Report]. All but TotalMessages are required: a missing one would read as zero.
type Totals struct {
	TotalViewers           *int64 `json:"total_viewers"`
	TotalGiftsSent         *int64 `json:"total_gifts_sent"`
	TotalGiftCoins         *int64 `json:"total_gift_coins"`
	TotalUniqueGiftSenders *int64 `json:"total_unique_gift_senders"`
	TotalLikesReceived     *int64 `json:"total_likes_received"`
	TotalMessages          *int64 `json:"total_messages"`
}

// Event returns the event that is reported. An event without an id gets one that is derived from what identifies the end: the room and
// the time, or else messageID, the carrier's id of the message. The error is an invalid_request error that names the field to change.
func (r Report) Event(messageID string) (Event, error) {
	event := Event{
		EventID: value(r.EventID), RoomID: r.RoomID, Accounts: r.Accounts, Reason: value(r.Reason),
		Source: cmp.Or(value(r.Source), SourceDirect),
	}
	var err error
	if event.EndedAt, err = r.endedAt(); err != nil {
		return Event{}, err
	}
	if event.RoomTotals, err = r.RoomTotals.totals(); err != nil {
		return Event{}, err
	}
	if event.EventID == "" {
		event.EventID, event.derived = event.deriveID(messageID), true
	}
	if messageID != "" {
		event.reportID = hashID(event.RoomID, messageID)
	}
	if err := event.validate(); err != nil {
		return Event{}, err
	}
	event.Accounts = unique(event.Accounts)
	return event, nil
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

func (r Report) endedAt() (*time.Time, error) {
	if r.EndedAt == nil {
		return nil, nil
	}
	var at time.Time
	if err := at.UnmarshalText([]byte(*r.EndedAt)); err != nil {
		return nil, giftstats.Invalid("ended_at must be like 2026-11-23T12:00:00Z")
	}
	at = at.UTC()
	if at.Year() < 1970 || at.Year() > 9999 {
		return nil, giftstats.Invalid("ended_at is before 1970 or after 9999")
	}
	return &at, nil
}

func (t *Totals) totals() (*giftstats.RoomTotals, error) {
	if t == nil {
		return nil, nil
	}
	totals := giftstats.RoomTotals{TotalMessages: t.TotalMessages}
	for _, total := range []struct {
		name     string
		from, to *int64
	}{
		{name: "total_viewers", from: t.TotalViewers, to: &totals.TotalViewers},
		{name: "total_gifts_sent", from: t.TotalGiftsSent, to: &totals.TotalGiftsSent},
		{name: "total_gift_coins", from: t.TotalGiftCoins, to: &totals.TotalGiftCoins},
		{name: "total_unique_gift_senders", from: t.TotalUniqueGiftSenders, to: &totals.TotalUniqueGiftSenders},
		{name: "total_likes_received", from: t.TotalLikesReceived, to: &totals.TotalLikesReceived},
	} {
		if total.from == nil {
			return nil, giftstats.Invalid("room_totals has no %s; give it, or leave room_totals out", total.name)
		}
		if *total.from < 0 {
			return nil, negative(total.name, *total.from)
		}
		*total.to = *total.from
	}
	if messages := t.TotalMessages; messages != nil && *messages < 0 {
		return nil, negative("total_messages", *messages)
	}
	return &totals, nil
}

func negative(name string, total int64) error {
	return giftstats.Invalid("room_totals.%s is %d; a total must not be negative", name, total)
}

// unique removes the repetitions of accounts: a host who is named twice earned once.
func unique(accounts []string) []string {
	seen := make(map[string]bool, len(accounts))
	return slices.DeleteFunc(slices.Clone(accounts), func(account string) bool {
		repeated := seen[account]
		seen[account] = true
		return repeated
	})
}

// decode reads the fields. Unknown fields are ignored, because senders add their own.
func decode(raw []byte) (Report, error) {
	var report Report
	var kind *json.UnmarshalTypeError
	err := json.Unmarshal(raw, &report)
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return Report{}, giftstats.Invalid("the event's %s has the wrong type", kind.Field)
	case err != nil:
		return Report{}, giftstats.Invalid("the event must be a JSON object")
	}
	return report, nil
}
