package streamend_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// destroyed is the webhook of the end of a room of alice with these totals.
func destroyed(room string, endedAt time.Time, totals *ledger.Sum) streamend.Event {
	event := streamend.Event{
		EventID: streamend.NewID(room, endedAt), RoomID: room, Accounts: []string{"alice"}, EndedAt: &endedAt, Source: streamend.SourceLive,
	}
	if totals != nil {
		event.RoomTotals = &giftstats.RoomTotals{TotalGiftsSent: totals.TotalCount, TotalGiftCoins: totals.TotalCoins}
	}
	return event
}

// Anyone with a captured webhook can report an end too early. If the real end then had a summary of another stream, the host would be
// paid for the beginning twice; if both had one id, receivers would drop the second one.
func TestEndThatWasReportedTooEarly(t *testing.T) {
	five, fifty := ledger.Sum{TotalCount: 5, TotalCoins: 50}, ledger.Sum{TotalCount: 50, TotalCoins: 500}
	for _, test := range []struct {
		name      string
		live      bool // whether Tencent still answers after the real end
		gone      bool // whether Tencent did not answer after the first end
		gift      bool // whether a gift is sent in between
		second    *ledger.Sum
		continues bool
	}{
		{name: "room is gone after the real end", second: &fifty, continues: true},
		{name: "room answers after the real end", live: true, second: &fifty, continues: true},
		{name: "room answers, without totals", live: true, continues: true},
		{name: "gift in between", gift: true, second: &fifty, continues: true},
		{name: "the same numbers", second: &five, continues: true},
		{name: "smaller totals are of another show", second: &ledger.Sum{TotalCount: 4, TotalCoins: 40}},
		{name: "the first end was real", gone: true, second: &fifty},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			room := liveRoom{created: at(0), owner: "alice", given: map[string]ledger.Sum{"alice": five}, totals: five}
			if !test.gone {
				s.tencent.open("r", room)
			}
			clock.Advance(10 * time.Minute)
			s.must(s.process(destroyed("r", at(600), nil)))
			if test.gift {
				clock.Advance(time.Minute)
				s.give("r", "alice", at(660))
			}
			room.given, room.totals = map[string]ledger.Sum{"alice": fifty}, fifty
			s.tencent.open("r", room)
			if !test.live {
				s.tencent.dissolve("r")
			}
			clock.Advance(10 * time.Minute)
			s.must(s.process(destroyed("r", clock.Now(), test.second)))
			summaries := s.summaries(s.one)
			if len(summaries) != 2 {
				t.Fatalf("there are %d summaries, want 2", len(summaries))
			}
			first, second := summaries[0].Data, summaries[1].Data
			if first.EventID == second.EventID {
				t.Errorf("both summaries have the id %s", first.EventID)
			}
			if same := second.StartedAt != nil && second.StartedAt.Equal(at(0)); same != test.continues {
				t.Errorf("the second summary is of the stream of the first one: %v, want %v", same, test.continues)
			}
		})
	}
}

// Gifts with many receivers, sent with a captured webhook for a few seconds, must not keep a stream from being summarized.
func TestTooManyGifts(t *testing.T) {
	s, clock := newStage(t)
	s.create("r", at(0))
	var receivers []string
	for i := range ledger.MaxAccounts {
		receivers = append(receivers, fmt.Sprint("receiver", i))
	}
	five := ledger.Sum{TotalCount: 5, TotalCoins: 50}
	s.tencent.open("r", liveRoom{created: at(0), owner: "alice", given: map[string]ledger.Sum{"alice": five}, totals: five})
	for i := range 5001 {
		id := fmt.Sprint(i)
		s.must(s.store.AddGift(t.Context(), ledger.Gift{
			ID: id, RoomID: "r", Sender: "sender" + id, Receivers: receivers, GiftID: "rose", Count: 1, Coins: 1, At: at(1),
		}, at(10_000)))
	}
	room, err := s.ledger().Room(t.Context(), "r")
	s.must(err)
	if _, err := s.ledger().Tally(t.Context(), room, room.Streams[0].ID); !errors.Is(err, giftstats.CodeLedgerUnavailable) {
		t.Errorf("the tally of too many gifts: %v, want ledger_unavailable", err)
	}
	clock.Advance(time.Minute)
	s.must(s.process(destroyed("r", at(60), nil)))
	data := s.wantOnce()
	if got := paid(data); got != "alice: 50 from upstream; " {
		t.Errorf("the summary has %s", got)
	}
	if len(data.TopSenders) > 0 {
		t.Errorf("the summary has top senders of a part of the gifts: %+v", data.TopSenders)
	}
}
