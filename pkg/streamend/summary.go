package streamend

import (
	"encoding/json"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/problem"
)

// SummaryType is the type of every summary.
const SummaryType = "stream.summary"

// The sources of numbers: room_from of a summary and from of its accounts.
const (
	FromUpstream = "upstream" // Tencent's answer after the end
	FromLedger   = "ledger"   // the last snapshot and the gifts recorded since; the sums equal the room's totals
	FromRoom     = "room"     // the totals of the room, which all belong to its owner
	FromSnapshot = "snapshot" // Tencent's last answer while the room was live
	FromWebhook  = "webhook"  // of a room only: the event brought the totals, whichever way it came
	FromNone     = "none"     // of a room only: the totals are not known
)

// Summary is what is delivered: what the room and its hosts earned.
type Summary struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// Data is the content of a summary.
type Data struct {
	EventID   string                `json:"event_id"`
	RoomID    string                `json:"room_id"`
	StartedAt *time.Time            `json:"started_at,omitempty"`
	EndedAt   *time.Time            `json:"ended_at,omitempty"`
	Reason    string                `json:"reason,omitempty"`
	Source    Source                `json:"source"`
	Room      *giftstats.RoomTotals `json:"room"`
	RoomFrom  string                `json:"room_from"`
	Accounts  []Earning             `json:"accounts"`
	// Reconciled reports whether the sums over Accounts equal the totals of the room, in gifts and in coins. It is nil if the totals are
	// not known. If RoomFrom is FromSnapshot, both are of before the end. The difference is Unattributed, nil if it is zero.
	Reconciled   *bool       `json:"reconciled,omitempty"`
	Unattributed *ledger.Sum `json:"unattributed,omitempty"`
	// TopSenders are the first ten by coins. They need a ledger and the gift webhook.
	TopSenders []ledger.Sender `json:"top_senders,omitempty"`
	// Complete is true if the totals of the room and the numbers of every account are present.
	Complete bool `json:"complete"`
}

// Earning is what one account received, or the reason why that is not known.
type Earning struct {
	Account string
	Stats   *giftstats.Stats
	From    string
	AsOf    time.Time
	Problem *problem.Details
}

type earningStats struct {
	giftstats.Stats
	From string    `json:"from"`
	AsOf time.Time `json:"as_of"`
}

type earningProblem struct {
	Account string           `json:"account"`
	Error   *problem.Details `json:"error"`
}

// MarshalJSON writes the stats object with its source, or the account and its problem.
func (e Earning) MarshalJSON() ([]byte, error) {
	if e.Stats != nil {
		return json.Marshal(earningStats{*e.Stats, e.From, e.AsOf})
	}
	return json.Marshal(earningProblem{e.Account, e.Problem})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Earning) UnmarshalJSON(raw []byte) error {
	var failed earningProblem
	if err := json.Unmarshal(raw, &failed); err != nil {
		return err
	}
	if failed.Error != nil {
		*e = Earning{Account: failed.Account, Problem: failed.Error}
		return nil
	}
	var known earningStats
	if err := json.Unmarshal(raw, &known); err != nil {
		return err
	}
	*e = Earning{Account: known.Account, Stats: &known.Stats, From: known.From, AsOf: known.AsOf}
	return nil
}
