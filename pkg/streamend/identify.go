package streamend

import (
	"context"
	"encoding/json"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// identify returns the id of a summary and when its stream started, which is the zero time if that is not known.
//
// A stream may end twice: the first report may have been forged, because Tencent does not sign the bodies of its webhooks, or the sweep
// may have noticed an end that was none. The numbers of the second summary count from the start, like those of the first one. Therefore it
// has the same start, so that the difference is paid and not the whole; and another id, so that it is not taken for a repetition.
func (p *Processor) identify(ctx context.Context, known evidence, started time.Time) (id string, start time.Time, err error) {
	last, err := p.config.Ledger.LastEnded(ctx, known.roomID)
	if err != nil {
		return "", time.Time{}, err
	}
	if started.IsZero() && last != nil && known.continues(*last) {
		started = last.StartedAt
	}
	id = hashID(known.roomID, identity(started, known.endedAt))
	if last != nil && !started.IsZero() && last.StartedAt.Equal(started) {
		id = hashID(known.roomID, identity(time.Time{}, known.endedAt))
	}
	return id, started, nil
}

// continues reports whether a stream that nobody announced is probably the one that was reported as ended before: Tencent still answered
// about the room then, and its totals have only grown since.
func (e evidence) continues(last ledger.Ended) bool {
	var summary Summary
	if !last.Answered || e.totals == nil || last.EndedAt.After(e.endedAt) || json.Unmarshal(last.Summary, &summary) != nil {
		return false
	}
	rest := difference(e.totals, summary.Data.Accounts)
	return rest.TotalCount >= 0 && rest.TotalCoins >= 0
}
