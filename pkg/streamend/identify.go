package streamend

import (
	"context"
	"encoding/json"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// identified is what tells a stream from the others of its room.
type identified struct {
	id      string    // of the summary
	started time.Time // zero if it is not known
	// unsure is true if the stream may be the previous one of the room, of which only the sweep noticed the end: nobody has announced it,
	// and its totals may have grown from the numbers that are in the first summary.
	unsure bool
}

// unsureFor is how long after a missed end the room may still be the same. A room that Tencent lists is known to go on much earlier.
const unsureFor = 24 * time.Hour

// identify returns the id of a summary and when its stream started.
//
// A stream may end twice: the first report may have been forged, because Tencent does not sign the bodies of its webhooks, or the sweep
// may have noticed an end that was none. The numbers of the second summary count from the start, like those of the first one. Therefore it
// has the same start, so that the difference is paid and not the whole; and another id, so that it is not taken for a repetition.
func (p *Processor) identify(ctx context.Context, known evidence, started time.Time) (identified, error) {
	last, err := p.config.Ledger.LastEnded(ctx, known.roomID)
	if err != nil {
		return identified{}, err
	}
	if last == nil {
		return identified{id: hashID(known.roomID, identity(started, known.endedAt)), started: started}, nil
	}
	grown := started.IsZero() && known.grownSince(*last)
	if grown && last.Answered { // the room was reported as ended before, and Tencent still answered about it
		started = last.StartedAt
	}
	is := identified{id: hashID(known.roomID, identity(started, known.endedAt)), started: started}
	if !started.IsZero() && last.StartedAt.Equal(started) {
		is.id = hashID(known.roomID, identity(time.Time{}, known.endedAt))
	}
	is.unsure = grown && !last.Answered && last.Source == ledger.SourceSweep && known.totals.TotalGiftsSent > 0 &&
		known.endedAt.Sub(last.EndedAt) < unsureFor
	return is, nil
}

// grownSince reports whether the totals of the room can have grown from the numbers of a stream that ended before.
func (e evidence) grownSince(last ledger.Ended) bool {
	var summary Summary
	if e.totals == nil || last.EndedAt.After(e.endedAt) || json.Unmarshal(last.Summary, &summary) != nil {
		return false
	}
	rest := difference(e.totals, summary.Data.Accounts)
	return rest.TotalCount >= 0 && rest.TotalCoins >= 0
}
