package streamend

import (
	"math"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/problem"
)

// evidence is everything that is known of a stream when its numbers are put together.
type evidence struct {
	roomID     string
	endedAt    time.Time
	owner      string                // empty if it is not known
	accounts   []string              // whose numbers are wanted
	disputed   bool                  // the webhook of the end named another owner, or the totals hold what is in another summary
	unsigned   bool                  // owner and accounts are those of a webhook whose body is not signed: Tencent knows better
	answers    []giftstats.Result    // of Tencent, after the end, for each of accounts; nil if the room is gone
	totals     *giftstats.RoomTotals // of the room; nil if they are not known
	totalsFrom string                // where totals come from
	hasTotals  bool                  // the event brought totals, so that Tencent need not be asked for them
	stream     *ledger.Stream        // what the ledger knows; nil without a ledger
	gifts      []ledger.Gift         // those of the stream
	gone       error                 // why accounts without any number have none
	now        time.Time
}

// earnings puts the numbers of every account together, each from the first source that applies: see docs/stream-end.md.
func (e evidence) earnings() []Earning {
	earnings := make([]Earning, len(e.accounts))
	for i, account := range e.accounts {
		earnings[i] = e.withoutGifts(i, account)
	}
	if !slices.ContainsFunc(earnings, func(earning Earning) bool { return earning.From != FromUpstream }) {
		return earnings
	}
	if reconciled := e.fromLedger(earnings); reconciled != nil {
		return reconciled
	}
	e.addRoomTotals(earnings)
	return earnings
}

// withoutGifts returns Tencent's own numbers for an account: its answer after the end, or else the last snapshot. An answer below the
// snapshot is not of this stream, because counters only grow within one.
func (e evidence) withoutGifts(i int, account string) Earning {
	snapshot := e.snapshot(account)
	if e.answers != nil && e.answers[i].Err == nil {
		stats := e.answers[i].Stats
		if snapshot == nil || stats.TotalCount >= snapshot.TotalCount && stats.TotalCoins >= snapshot.TotalCoins {
			return Earning{Account: account, Stats: &stats, From: FromUpstream, AsOf: stats.FetchedAt}
		}
	}
	if snapshot != nil {
		stats := snapshot.Stats(e.roomID, account)
		return Earning{Account: account, Stats: &stats, From: FromSnapshot, AsOf: snapshot.AsOf}
	}
	err := e.gone
	if e.answers != nil {
		err = e.answers[i].Err
	}
	details := problem.Of(err, "")
	return Earning{Account: account, Problem: &details}
}

func (e evidence) snapshot(account string) *ledger.Snapshot {
	if e.stream == nil {
		return nil
	}
	if known := e.stream.Account(account); known != nil {
		return known.Last()
	}
	return nil
}

// shifts are how many seconds after a snapshot a gift must have been sent to be counted on top of it. Gifts carry whole seconds of another
// clock, and their webhook comes before Tencent counts them. There is no negative shift: a gift that is counted twice for one account
// could make up for a gift that was lost for another, so that wrong numbers add up to the right totals.
var shifts = []int{5, 3, 2, 1, 0}

// fromLedger adds to every snapshot the gifts that were recorded since. It returns nil unless the sums then equal the totals of the
// room: gifts are what the app was about to send, and only that proves them.
func (e evidence) fromLedger(base []Earning) []Earning {
	if e.stream == nil || e.totals == nil {
		return nil
	}
	given, all := map[string][]received{}, ledger.NewTally()
	for _, gift := range e.gifts {
		all.Add(gift)
		for _, receiver := range gift.Receivers {
			given[receiver] = append(given[receiver], received{gift.At, ledger.Sum{TotalCount: gift.Count, TotalCoins: gift.Coins}})
		}
	}
	for _, shift := range shifts {
		candidate := e.withGifts(base, given, all, func(account string) time.Time {
			if snapshot := e.snapshot(account); snapshot != nil {
				return snapshot.AsOf.Truncate(time.Second).Add(time.Duration(shift) * time.Second)
			}
			return time.Time{}
		})
		if candidate != nil {
			return candidate
		}
	}
	whole := func(string) time.Time { return time.Time{} } // all gifts of the stream, if none of them was lost
	return e.withGifts(base, given, all, whole)
}

// received is what an account got by one gift.
type received struct {
	at  time.Time
	sum ledger.Sum
}

// withGifts sums up what each account was given after the time that since returns, on top of its snapshot, or instead of it if the time
// is zero. It returns nil if a sum falls below the snapshot, or if they do not add up to the totals of the room.
func (e evidence) withGifts(base []Earning, given map[string][]received, all *ledger.Tally, since func(string) time.Time) []Earning {
	earnings := slices.Clone(base)
	var sum ledger.Sum
	for i, earning := range earnings {
		if earning.From != FromUpstream {
			from := since(earning.Account)
			var more ledger.Sum
			for _, gift := range given[earning.Account] {
				if gift.at.After(from) {
					more.Add(gift.sum)
				}
			}
			_, senders := all.Received(earning.Account)
			earnings[i] = e.withSum(earning, more, senders, !from.IsZero())
			if earnings[i].Problem != nil {
				return nil
			}
		}
		sum.Add(ledger.Sum{TotalCount: earnings[i].Stats.TotalCount, TotalCoins: earnings[i].Stats.TotalCoins})
	}
	if sum != totalsSum(e.totals) {
		return nil
	}
	return earnings
}

// withSum returns an earning with the gifts added. Its Problem is set if the numbers would fall below the snapshot.
func (e evidence) withSum(earning Earning, given ledger.Sum, senders int64, onTop bool) Earning {
	var known giftstats.Stats
	if earning.Stats != nil {
		known = *earning.Stats
	}
	if onTop {
		given.Add(ledger.Sum{TotalCount: known.TotalCount, TotalCoins: known.TotalCoins})
	}
	switch {
	case given.TotalCount < known.TotalCount, given.TotalCoins < known.TotalCoins, given.TotalCoins > math.MaxInt64/2:
		return Earning{Account: earning.Account, Problem: &problem.Details{}}
	case earning.Stats != nil && given == (ledger.Sum{TotalCount: known.TotalCount, TotalCoins: known.TotalCoins}):
		return earning // nothing was added: Tencent's own number stands
	}
	stats := giftstats.Stats{
		RoomID: e.roomID, Account: earning.Account, TotalCount: given.TotalCount, TotalCoins: given.TotalCoins,
		GiftSenderCount: max(senders, known.GiftSenderCount), FetchedAt: e.now,
	}
	return Earning{Account: earning.Account, Stats: &stats, From: FromLedger, AsOf: e.endedAt}
}

// addRoomTotals gives the owner the totals of the room if nobody else is known to have received gifts, so that members who only took a
// seat have zero. If the webhook of the end names another owner, one of the two was never seen: the webhook of the change was lost, or one
// of them is made up. Then the totals are nobody's. In Tencent's client kits a gift always goes to the owner, because sendGift has no
// receiver: https://cloud.tencent.com/document/product/647/121349
func (e evidence) addRoomTotals(earnings []Earning) {
	if e.totals == nil || e.totalsFrom != FromWebhook || !e.onlyOwnerReceives() {
		return
	}
	i := slices.Index(e.accounts, e.owner)
	if i < 0 || earnings[i].From == FromUpstream {
		return
	}
	if known := earnings[i].Stats; known != nil {
		if e.totals.TotalGiftsSent < known.TotalCount || e.totals.TotalGiftCoins < known.TotalCoins {
			return
		}
	}
	earnings[i] = Earning{Account: e.owner, From: FromRoom, AsOf: e.endedAt, Stats: &giftstats.Stats{
		RoomID: e.roomID, Account: e.owner, TotalCount: e.totals.TotalGiftsSent, TotalCoins: e.totals.TotalGiftCoins,
		GiftSenderCount: e.totals.TotalUniqueGiftSenders, FetchedAt: e.now,
	}}
	for i, earning := range earnings {
		if earning.Problem != nil && earning.Problem.Code == giftstats.CodeRoomNotFound {
			none := giftstats.Stats{RoomID: e.roomID, Account: earning.Account, FetchedAt: e.now}
			earnings[i] = Earning{Account: earning.Account, From: FromRoom, AsOf: e.endedAt, Stats: &none}
		}
	}
}

func (e evidence) onlyOwnerReceives() bool {
	if e.owner == "" || e.disputed {
		return false
	}
	if e.stream == nil {
		return len(e.accounts) == 1
	}
	if e.stream.Crowded {
		return false
	}
	for _, account := range e.stream.Accounts {
		if account.Receives && account.Account != e.owner {
			return false
		}
	}
	return !slices.ContainsFunc(e.gifts, func(gift ledger.Gift) bool {
		return slices.ContainsFunc(gift.Receivers, func(receiver string) bool { return receiver != e.owner })
	})
}

func totalsSum(totals *giftstats.RoomTotals) ledger.Sum {
	return ledger.Sum{TotalCount: totals.TotalGiftsSent, TotalCoins: totals.TotalGiftCoins}
}

// difference returns what the totals of the room hold beyond the accounts.
func difference(totals *giftstats.RoomTotals, earnings []Earning) ledger.Sum {
	var sum ledger.Sum
	for _, earning := range earnings {
		if earning.Stats != nil {
			sum.Add(ledger.Sum{TotalCount: earning.Stats.TotalCount, TotalCoins: earning.Stats.TotalCoins})
		}
	}
	return ledger.Sum{TotalCount: totals.TotalGiftsSent - sum.TotalCount, TotalCoins: totals.TotalGiftCoins - sum.TotalCoins}
}
