package streamend_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// shortShow is a show in the room "r", and what its owner is given in it.
type shortShow struct {
	start, end float64
	owner      string
	coins      int64
	webhook    string // of the new room: "", "lost", or "no time" if it does not say when the room was created but for the whole second
}

// begin records what webhooks tell while the show is live. A CreateTime has whole seconds, and so has the time of a gift.
func (s shortShow) begin(stage *stage) {
	stage.t.Helper()
	second := at(s.start).Truncate(time.Second)
	sighting := ledger.Sighting{RoomID: "r", At: at(s.start), StartedAt: second, Opens: true, Confirmed: true, Owner: s.owner}
	if s.webhook == "" {
		sighting.CreatedAt = at(s.start)
	}
	if s.webhook != "lost" {
		stage.must(stage.ledger().Observe(stage.t.Context(), sighting))
	}
	stage.must(stage.ledger().RecordGift(stage.t.Context(), ledger.Gift{
		ID: fmt.Sprint(s.coins), RoomID: "r", Sender: "carol", Receivers: []string{s.owner}, GiftID: "rose", Count: 1, Coins: s.coins, At: second,
	}))
}

func (s shortShow) ownEnd() streamend.Event { return reported(streamend.SourceDirect, s.end) }

func (s shortShow) liveEnd() streamend.Event {
	event := reported(streamend.SourceLive, s.end)
	event.Accounts, event.RoomTotals = []string{s.owner}, &giftstats.RoomTotals{TotalGiftsSent: 1, TotalGiftCoins: s.coins}
	return event
}

// orders returns every order of the steps in which p and b come after B.
func orders(steps string) []string {
	if steps == "" {
		return []string{""}
	}
	var all []string
	for i, step := range steps {
		if strings.ContainsRune(steps[:i], step) || strings.ContainsRune("pb", step) && strings.Contains(steps, "B") {
			continue
		}
		for _, rest := range orders(steps[:i] + steps[i+1:]) {
			all = append(all, string(step)+rest)
		}
	}
	return all
}

// play processes the messages about two shows in an order: the second begins (B), Tencent reports the end of the first (a) and of the
// second (b), and the app that of the first (o) and of the second (p). Tencent does not answer during the first messages about ends, and a
// receiver not during the next one, so that the queue delivers them again. It returns what was delivered.
func play(t *testing.T, first, second shortShow, order string, unanswered int) []streamend.Summary {
	t.Helper()
	s, clock := newStage(t)
	first.begin(s)
	turn := 0
	s.tencent.fail = func(string) error {
		if turn <= unanswered {
			return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
		}
		return nil
	}
	s.two.fail = func() error {
		if turn == unanswered+1 {
			return errors.New("down")
		}
		return nil
	}
	process := func(event streamend.Event) bool {
		turn++
		return s.process(event) == nil
	}
	ends := map[rune]streamend.Event{'a': first.liveEnd(), 'b': second.liveEnd(), 'o': first.ownEnd(), 'p': second.ownEnd()}
	var again []streamend.Event
	for _, step := range order {
		if step == 'B' {
			second.begin(s)
			continue
		}
		if !process(ends[step]) {
			again = append(again, ends[step])
		}
	}
	for len(again) > 0 {
		if process(again[0]) {
			again = again[1:]
		}
	}
	for range 5 { // the sweep finds what nobody reported
		clock.Advance(time.Minute)
		s.must(s.processor().Sweep(t.Context()))
	}
	if open := s.openRooms(); len(open) > 0 {
		t.Errorf("%v is still open", open)
	}
	return s.summaries(s.two)
}

// CreateTime has whole seconds, so that two shows of a room that follow each other within a second can be taken for one. Whatever the order
// of the messages is, nobody is paid more than they were given: neither by streams, of which the difference is paid, nor by summaries.
func TestShowsWithinASecondAreNotPaidTwice(t *testing.T) {
	inFull := 0
	for _, test := range []struct {
		name          string
		first, second shortShow
	}{
		{name: "both within one second", first: shortShow{start: 0.1, end: 0.3}, second: shortShow{start: 0.5, end: 0.8}},
		{name: "the first ends in the second of the next start", first: shortShow{start: 0.5, end: 1.2}, second: shortShow{start: 1.4, end: 3}},
		{name: "and the second, too", first: shortShow{start: 0.5, end: 1.2}, second: shortShow{start: 1.4, end: 1.8}},
		{name: "shorter than a second", first: shortShow{start: 0.2, end: 0.6}, second: shortShow{start: 1.1, end: 1.7}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, kind := range []struct{ host, first, second string }{
				{host: "alice"},
				{host: "bob"},
				{host: "alice", first: "lost"},
				{host: "alice", second: "no time"},
				{host: "bob", first: "no time", second: "no time"},
			} {
				test.first.owner, test.first.coins, test.first.webhook = "alice", 1000, kind.first
				test.second.owner, test.second.coins, test.second.webhook = kind.host, 70, kind.second
				for _, order := range slices.Concat(orders("aaoBbb"), orders("aBpbb")) {
					for _, unanswered := range []int{0, 2} {
						name := fmt.Sprintf("%+v, order %s, %d unanswered", kind, order, unanswered)
						if wantPaidOnce(t, name, test.first, test.second, play(t, test.first, test.second, order, unanswered)) {
							inFull++
						}
					}
				}
			}
		})
	}
	if inFull == 0 {
		t.Error("no shows are paid in full")
	}
}

// wantPaidOnce adds up what is paid, and reports whether it is all that was given.
func wantPaidOnce(t *testing.T, name string, first, second shortShow, summaries []streamend.Summary) bool {
	t.Helper()
	given := map[string]int64{first.owner: first.coins}
	given[second.owner] += second.coins
	streams, bySummary, byStream := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, summary := range summaries {
		stream := summary.Data.EventID
		if summary.Data.StartedAt != nil {
			stream = summary.Data.StartedAt.String()
		}
		for _, earning := range summary.Data.Accounts {
			if earning.Stats == nil {
				continue
			}
			coins, key := earning.Stats.TotalCoins, stream+earning.Account
			bySummary[earning.Account] += coins
			byStream[earning.Account] += max(0, coins-streams[key])
			streams[key] = max(coins, streams[key])
		}
	}
	inFull := true
	for host, coins := range given {
		if bySummary[host] > coins || byStream[host] > coins {
			t.Errorf("%s: %s was given %d, and is paid %d by summaries, %d by streams", name, host, coins, bySummary[host], byStream[host])
		}
		inFull = inFull && bySummary[host] == coins
	}
	return inFull
}
