package streamend_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// The end is reported while the room lives on. Gifts follow, and the room is dissolved ten minutes later: the host is paid once.
func TestRoomThatLivesOnHasOneSummary(t *testing.T) {
	for _, source := range []streamend.Source{streamend.SourceDirect, streamend.SourceTRTC, streamend.SourceCSS} {
		t.Run(string(source), func(t *testing.T) {
			s, clock := newStage(t)
			hundred := ledger.Sum{TotalCount: 10, TotalCoins: 100}
			s.tencent.open("show", liveRoom{
				created: at(0), owner: "alice", given: map[string]ledger.Sum{"alice": hundred}, totals: hundred,
			})
			s.create("show", at(0))
			clock.Advance(100 * time.Second)
			s.must(s.process(streamend.Event{EventID: "e-1", RoomID: "show", Source: source, EndedAt: new(at(100))}))
			clock.Advance(200 * time.Second)
			s.give("show", "alice", at(300))
			s.must(s.processor().Sweep(t.Context()))
			s.tencent.dissolve("show")
			clock.Advance(400 * time.Second)
			s.must(s.process(streamend.Event{
				EventID: "e-2", RoomID: "show", Source: streamend.SourceLive, EndedAt: new(at(700)), Accounts: []string{"alice"},
				RoomTotals: &giftstats.RoomTotals{TotalGiftsSent: 11, TotalGiftCoins: 110},
			}))
			if got, want := paid(s.wantOnce()), "alice: 100 from upstream; "; got != want {
				t.Errorf("paid is %s, want %s", got, want)
			}
		})
	}
}

// An end in the future would not be found by the webhook of the same end.
func TestOwnEventInTheFutureIsRefused(t *testing.T) {
	for _, test := range []struct {
		name    string
		ahead   time.Duration
		source  streamend.Source
		refused bool
	}{
		{name: "an hour", ahead: time.Hour, source: streamend.SourceDirect},
		{name: "more than an hour", ahead: time.Hour + time.Millisecond, source: streamend.SourceDirect, refused: true},
		{name: "a webhook that was accepted", ahead: time.Hour + time.Millisecond, source: streamend.SourceLive},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("show", at(0))
			endedAt := clock.Now().Add(test.ahead)
			err := s.process(streamend.Event{EventID: "e-1", RoomID: "show", Source: test.source, EndedAt: &endedAt})
			if refused := errors.Is(err, giftstats.CodeInvalidRequest) && permanent.Is(err); refused != test.refused {
				t.Fatalf("the error is %v, want a permanent refusal: %v", err, test.refused)
			}
			if test.refused {
				return
			}
			s.must(s.process(streamend.Event{EventID: "e-2", RoomID: "show", Source: streamend.SourceTRTC, EndedAt: new(at(1))}))
			s.wantOnce()
		})
	}
}

// Nothing else tells the payer of gifts that are in no summary.
func TestGiftsInNoSummaryAreLogged(t *testing.T) {
	for _, test := range []struct {
		name  string
		first *giftstats.RoomTotals // of the report that makes the summary
		coins int64                 // of the later report
		want  string                // empty: no line
	}{
		{name: "more than the totals", first: &giftstats.RoomTotals{TotalGiftsSent: 1, TotalGiftCoins: 10}, coins: 35, want: "25"},
		{name: "the same totals", first: &giftstats.RoomTotals{TotalGiftsSent: 1, TotalGiftCoins: 10}, coins: 10},
		{name: "more than the accounts, without totals", coins: 35, want: "35"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			s, clock := newStage(t)
			s.log = &log
			s.create("show", at(0))
			clock.Advance(100 * time.Second)
			s.must(s.process(streamend.Event{
				EventID: "e-1", RoomID: "show", Source: streamend.SourceTRTC, EndedAt: new(at(100)), RoomTotals: test.first,
			}))
			s.must(s.process(streamend.Event{
				EventID: "e-2", RoomID: "show", Source: streamend.SourceLive, EndedAt: new(at(100)),
				RoomTotals: &giftstats.RoomTotals{TotalGiftsSent: 1, TotalGiftCoins: test.coins},
			}))
			logged := strings.Contains(log.String(), "gifts were sent after the stream was reported as ended")
			if logged != (test.want != "") {
				t.Errorf("the line is logged: %v", logged)
			}
			if want := `"unattributed_coins":` + test.want + `}`; logged && !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s: %s", want, &log)
			}
			s.wantOnce()
		})
	}
}
