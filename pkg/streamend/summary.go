package streamend

import (
	"encoding/json"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// SummaryType is the type of every summary.
const SummaryType = "stream.summary"

// Where the totals of a room come from.
const (
	FromWebhook  = "webhook"  // the event brought them, whichever way it came: a hint, not evidence
	FromUpstream = "upstream" // asked for when the stream had ended
	FromNone     = "none"     // not to be had any more
)

// Summary is what is delivered: what the room and its hosts earned.
type Summary struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// Data is the content of a summary.
type Data struct {
	EventID  string                `json:"event_id"`
	RoomID   string                `json:"room_id"`
	EndedAt  *time.Time            `json:"ended_at,omitempty"`
	Reason   string                `json:"reason,omitempty"`
	Source   Source                `json:"source"`
	Room     *giftstats.RoomTotals `json:"room"`
	RoomFrom string                `json:"room_from"`
	Accounts []Earning             `json:"accounts"`
	// Complete is false when numbers are missing that can no longer be had.
	Complete bool `json:"complete"`
}

// Earning is what one account received, or why that is not known.
type Earning struct {
	Account string
	Stats   *giftstats.Stats
	Problem *problem.Details
}

// MarshalJSON writes the stats object, or the account and its problem.
func (e Earning) MarshalJSON() ([]byte, error) {
	if e.Stats != nil {
		return json.Marshal(e.Stats)
	}
	return json.Marshal(struct {
		Account string           `json:"account"`
		Error   *problem.Details `json:"error"`
	}{e.Account, e.Problem})
}
