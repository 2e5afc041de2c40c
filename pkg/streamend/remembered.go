package streamend

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/permanent"
)

// topSenders is how many senders a summary has.
const topSenders = 10

// processRemembered records the end in the ledger, and finishes the stream.
func (p *Processor) processRemembered(ctx context.Context, event Event) ([]byte, error) {
	if err := event.CheckTime(p.config.Now()); err != nil {
		return nil, permanent.Error(err)
	}
	end := ledger.End{
		EndedAt: event.at(p.timestamp()), Timeless: event.EndedAt == nil, Reason: event.Reason, Source: string(event.Source),
		Owner: event.owner(), RoomTotals: event.RoomTotals,
	}
	if event.Source == SourceDirect { // Tencent's webhooks cannot be trusted with more than they need: their bodies are not signed
		end.Accounts = event.Accounts
		end.ReportID = event.reportID
		if !event.derived {
			end.EventID = event.EventID
		}
	}
	ending, err := p.config.Ledger.RecordEnd(ctx, event.RoomID, "", end)
	if err != nil {
		return nil, err
	}
	if ending.Stored != nil {
		p.warnOfMore(ctx, event, *ending.Stored)
	}
	return p.finish(ctx, ending)
}

// warnOfMore logs that the totals of a late report are above those of the stored summary, or above what its accounts have if the totals
// were not known: gifts were sent after the end that was reported first. The summary stays as it is.
func (p *Processor) warnOfMore(ctx context.Context, event Event, ended ledger.Ended) {
	var summary Summary
	if event.RoomTotals == nil || json.Unmarshal(ended.Summary, &summary) != nil {
		return
	}
	more := difference(event.RoomTotals, summary.Data.Accounts)
	if summary.Data.Room != nil && summary.Data.RoomFrom != FromSnapshot {
		more.TotalCoins = event.RoomTotals.TotalGiftCoins - summary.Data.Room.TotalGiftCoins
	}
	if more.TotalCoins > 0 {
		p.config.Logger.WarnContext(ctx, "gifts were sent after the stream was reported as ended",
			"event_id", ended.EventID, "room_id", ended.RoomID, "source", event.Source, "unattributed_coins", more.TotalCoins)
	}
}

// finish stores the summary of an ended stream unless that was done, delivers it to the receivers that have not taken it, and closes the
// stream. If a call fails halfway, the next one completes it.
func (p *Processor) finish(ctx context.Context, ending ledger.Ending) ([]byte, error) {
	ended, err := p.stored(ctx, ending)
	if err != nil {
		return nil, err
	}
	var summary Summary
	if err := json.Unmarshal(ended.Summary, &summary); err != nil {
		return nil, permanent.Error(fmt.Errorf("decode the stored summary: %w", err))
	}
	rest := slices.DeleteFunc(slices.Clone(p.config.Receivers), func(r delivery.Receiver) bool { return slices.Contains(ended.Taken, r.Name) })
	err = p.deliver(ctx, summary, ended.Summary, rest, func(receiver string) error { return p.config.Ledger.MarkTaken(ctx, ended, receiver) })
	if err != nil && !permanent.Is(err) {
		return ended.Summary, err
	}
	if closeErr := p.config.Ledger.Close(ctx, ended.RoomID, ended.StreamID); closeErr != nil {
		return ended.Summary, closeErr
	}
	return ended.Summary, err
}

// stored returns the stored end of a stream, and stores it first if need be. As long as the stream is open, that may have broken off
// halfway, so that a list of streams lacks it: storing it again completes that.
func (p *Processor) stored(ctx context.Context, ending ledger.Ending) (ledger.Ended, error) {
	if ending.Stored != nil {
		if ending.Room.Stream(ending.StreamID) == nil {
			return *ending.Stored, nil
		}
		return p.config.Ledger.SaveEnded(ctx, *ending.Stored)
	}
	ended, found, err := p.config.Ledger.Ended(ctx, ending.Room.RoomID, ending.StreamID)
	if err == nil && !found {
		ended, err = p.conclude(ctx, ending.Room, ending.StreamID)
	}
	if err != nil {
		return ledger.Ended{}, err
	}
	return p.config.Ledger.SaveEnded(ctx, ended)
}

// gather puts together what is known of a stream whose end is recorded. It reports unsettled if what proves the numbers may still be on
// its way.
func (p *Processor) gather(ctx context.Context, room ledger.Room, streamID string) (ended ledger.Ended, unsettled bool, err error) {
	stream := room.Stream(streamID)
	if stream == nil || stream.End == nil {
		return ledger.Ended{}, false, giftstats.Errorf(giftstats.CodeInternal, "the end of the stream is not recorded")
	}
	known := evidence{
		roomID: room.RoomID, endedAt: stream.End.EndedAt, owner: stream.Owner, stream: stream, now: p.timestamp(),
		hasTotals: stream.End.RoomTotals != nil, disputed: stream.End.Owner != "" && stream.End.Owner != stream.Owner,
	}
	gifts, tally, err := p.gifts(ctx, room, streamID)
	if err != nil {
		return ledger.Ended{}, false, err
	}
	known.gifts = gifts
	known.accounts = stream.WithReceivers(tally)
	known, created, err := p.ask(ctx, known, stream.StartedAt)
	if err != nil {
		return ledger.Ended{}, false, err
	}
	known = known.withTotals()
	is, err := p.identify(ctx, known, latest(stream.StartedAt, created))
	if err != nil {
		return ledger.Ended{}, false, err
	}
	known.disputed = known.disputed || is.unsure || is.started.IsZero() && room.Missed(streamID)
	data := Data{
		EventID: cmp.Or(stream.End.EventID, is.id), StartedAt: pointer(is.started),
		EndedAt: pointer(known.endedAt), Reason: stream.End.Reason, Source: Source(stream.End.Source),
	}
	if len(known.gifts) > 0 {
		data.TopSenders = tally.Ranking("").Top(topSenders).Senders
	}
	summary := known.summary(data)
	ended, err = record(summary, streamID, tally)
	ended.ReportID, ended.Others, ended.Answered = stream.End.ReportID, stream.End.Others, known.answers != nil
	ended.StartedAt, ended.After, ended.Until = is.started, stream.After, stream.End.Until
	ended.Gone = known.answers == nil || stream.End.Source == string(SourceLive)
	return ended, known.unsettled(summary.Data), err
}

// gifts returns the gifts of a stream, and adds them up. If they are too many, it returns none: the summary is made from Tencent's numbers.
func (p *Processor) gifts(ctx context.Context, room ledger.Room, streamID string) ([]ledger.Gift, *ledger.Tally, error) {
	var gifts []ledger.Gift
	tally := ledger.NewTally()
	for gift, err := range p.config.Ledger.Gifts(ctx, room, streamID) {
		if err != nil {
			return nil, nil, err
		}
		if tally.Add(gift); tally.Full() {
			p.config.Logger.WarnContext(ctx, "too many gifts to add up; the summary is made without them", "room_id", room.RoomID, "errors", 1)
			return nil, ledger.NewTally(), nil
		}
		gifts = append(gifts, gift)
	}
	return gifts, tally, nil
}

// withTotals chooses the totals of the room: those that the event brought; else Tencent's answer after the end; else the last ones
// while the room was live. Totals below the last ones are not believed: counters only grow within a stream, and the body of a webhook
// is not signed.
func (e evidence) withTotals() evidence {
	last := e.stream.LastTotals()
	believed := func(totals *giftstats.RoomTotals) bool {
		return totals != nil &&
			(last == nil || totals.TotalGiftsSent >= last.TotalGiftsSent && totals.TotalGiftCoins >= last.TotalGiftCoins)
	}
	switch brought := e.stream.End.RoomTotals; {
	case believed(brought):
		e.totals, e.totalsFrom = brought, FromWebhook
	case !believed(e.totals) && last != nil:
		e.totals, e.totalsFrom = &last.RoomTotals, FromSnapshot
	}
	return e
}

// record returns what is stored of an ended stream.
func record(summary Summary, streamID string, tally *ledger.Tally) (ledger.Ended, error) {
	body, err := json.Marshal(summary)
	if err != nil {
		return ledger.Ended{}, permanent.Error(fmt.Errorf("encode the summary: %w", err))
	}
	data := summary.Data
	ended := ledger.Ended{
		RoomID: data.RoomID, StreamID: streamID, EndedAt: *data.EndedAt, Source: string(data.Source),
		EventID: data.EventID, Summary: body,
	}
	for _, earning := range data.Accounts {
		ended.Accounts = append(ended.Accounts, earning.Account)
	}
	if len(data.TopSenders) > 0 {
		kinds := tally.Gifts()
		ended.Gifts = kinds[:min(len(kinds), ledger.MaxGifts)]
		ended.Senders = []ledger.Ranking{tally.Ranking("").Top(ledger.MaxSenders)}
		for _, account := range ended.Accounts {
			ended.Senders = append(ended.Senders, tally.Ranking(account).Top(ledger.MaxSenders))
		}
	}
	return ended, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
