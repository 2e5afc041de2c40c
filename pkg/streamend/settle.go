package streamend

import (
	"context"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// afterSettling is the time that an event needs after it has waited. With less time before the deadline, it does not wait.
const afterSettling = 5 * time.Second

// conclude puts together what is known of a stream whose end is recorded. The services of Tencent report one end within seconds of each
// other, and the customer's back end does so, too; only Tencent Chat sends the totals of the room, which prove the gifts since the last
// snapshot. Therefore a report that comes before it waits for a moment, and so does one that comes before the last gifts.
func (p *Processor) conclude(ctx context.Context, room ledger.Room, streamID string) (ledger.Ended, error) {
	ended, unsettled, err := p.gather(ctx, room, streamID)
	if err != nil || !unsettled || !p.settle(ctx, ended.EndedAt) {
		return ended, err
	}
	if room, err = p.config.Ledger.Room(ctx, room.RoomID); err != nil {
		return ledger.Ended{}, err
	}
	if room.Stream(streamID) != nil {
		ended, _, err = p.gather(ctx, room, streamID)
		return ended, err
	}
	ended, found, err := p.config.Ledger.Ended(ctx, room.RoomID, streamID)
	if err == nil && !found {
		err = giftstats.Errorf(giftstats.CodeInternal, "the stream was closed without a summary")
	}
	return ended, err
}

// unsettled reports whether the room's totals, or gifts that they contain, may still be on their way.
func (e evidence) unsettled(data Data) bool {
	switch end := e.stream.End; {
	case e.answers != nil, end.Source == ledger.SourceSweep:
		return false
	case end.RoomTotals == nil:
		return end.Source != string(SourceLive) // whose older versions send none
	}
	return len(e.gifts) > 0 && data.Unattributed != nil && data.Unattributed.TotalCoins > 0
}

// settle waits until an end is settled. It reports false if that was so before, or if there is no time to wait.
func (p *Processor) settle(ctx context.Context, endedAt time.Time) bool {
	left := min(p.config.Settle, endedAt.Add(p.config.Settle).Sub(p.config.Now()))
	if deadline, ok := ctx.Deadline(); left <= 0 || ok && time.Until(deadline) < left+afterSettling {
		return false
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}
