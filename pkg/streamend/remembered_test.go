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
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// reported is an end of the room "r" that a source reports at a second.
func reported(source streamend.Source, second float64) streamend.Event {
	ended := at(second)
	return streamend.Event{EventID: string(source) + ended.String(), RoomID: "r", EndedAt: &ended, Source: source}
}

// liveEnd is what Tencent Chat reports: with owner and totals.
func liveEnd(second float64, coins int64) streamend.Event {
	event := reported(streamend.SourceLive, second)
	event.Accounts = []string{"alice"}
	event.RoomTotals = &giftstats.RoomTotals{TotalGiftsSent: coins / 10, TotalGiftCoins: coins}
	return event
}

// ownEvent is an event of the customer.
func ownEvent(t *testing.T, text string) streamend.Event {
	t.Helper()
	event, err := streamend.Parse([]byte(text), "message")
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// A customer who pays by summaries pays once, no matter which sources report the end, how often, and in which order.
func TestOneEndHasOneSummary(t *testing.T) {
	own := ownEvent(t, `{"room_id":"r","ended_at":"2026-11-25T12:01:41Z"}`)
	reports := []streamend.Event{
		liveEnd(100, 20), liveEnd(100.001, 20), reported(streamend.SourceLive, 100.5), reported(streamend.SourceTRTC, 130), own,
	}
	names := []string{"live", "live 1 ms later", "Room.*", "TRTC", "own event"}
	for first := range reports {
		t.Run(names[first]+" first", func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			clock.Advance(150 * time.Second)
			s.give("r", "alice", at(50))
			s.give("r", "alice", at(60))
			s.must(s.process(reports[first]))
			for i, report := range reports {
				if err := s.process(report); err != nil {
					t.Fatalf("%s: %v", names[i], err)
				}
			}
			data := s.wantOnce()
			if data.Source != reports[first].Source {
				t.Errorf("the source is %s, want that of the first report", data.Source)
			}
			if rooms := s.openRooms(); len(rooms) != 0 {
				t.Errorf("the rooms %v are left open", rooms)
			}
		})
	}
}

// The id of a summary depends on what identifies the stream, not on who reported its end.
func TestEventIDs(t *testing.T) {
	ids := map[string]string{}
	for _, test := range []struct {
		name   string
		create bool
		event  streamend.Event
		same   string // as the id of that test
		want   string
	}{
		{name: "live", create: true, event: liveEnd(100, 0)},
		{name: "TRTC", create: true, event: reported(streamend.SourceTRTC, 130), same: "live"},
		{name: "own event without id", create: true, event: ownEvent(t, `{"room_id":"r","ended_at":"2026-11-25T12:01:30Z"}`), same: "live"},
		{name: "own event without time", create: true, event: ownEvent(t, `{"room_id":"r"}`), same: "live"},
		{name: "own event with id", create: true, event: ownEvent(t, `{"room_id":"r","event_id":"e-1"}`), want: "e-1"},
		{name: "start not known", event: liveEnd(100, 0), want: streamend.NewID("r", at(100))},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			if test.create {
				s.create("r", at(0))
			}
			clock.Advance(150 * time.Second)
			s.must(s.process(test.event))
			id := s.wantOnce().EventID
			ids[test.name] = id
			if test.want != "" && id != test.want {
				t.Errorf("the id is %s, want %s", id, test.want)
			}
			if test.same != "" && id != ids[test.same] {
				t.Errorf("the id is %s, and that of %s is %s", id, test.same, ids[test.same])
			}
		})
	}
	if ids["live"] == ids["start not known"] {
		t.Error("two streams have one id")
	}
}

// Only the receiver that lacks a summary gets it in the second turn, and gets the same bytes.
func TestReceiverThatFails(t *testing.T) {
	s, clock := newStage(t)
	s.create("r", at(0))
	clock.Advance(150 * time.Second)
	s.two.fail = func() error { return errors.New("down") }
	if err := s.process(liveEnd(100, 20)); err == nil || permanent.Is(err) {
		t.Fatalf("the error is %v, want one that a retry can mend", err)
	}
	if rooms := s.openRooms(); len(rooms) != 1 {
		t.Errorf("open rooms are %v: the sweep must find the undelivered summary", rooms)
	}
	clock.Advance(time.Hour)
	s.two.fail = nil
	s.tencent.questions()
	s.must(s.process(liveEnd(100, 20)))
	if data := s.wantOnce(); paid(data) != "alice: 20 from room; " {
		t.Errorf("paid is %s", paid(data))
	}
	if asked := s.tencent.questions(); len(asked) != 0 {
		t.Errorf("a stored summary asked %v", asked)
	}
	if rooms := s.openRooms(); len(rooms) != 0 {
		t.Errorf("the rooms %v are left open", rooms)
	}
}

// A summary that is refused permanently is not tried again and again, and its event goes to the dead-letter queue.
func TestReceiverThatRefuses(t *testing.T) {
	for _, test := range []struct {
		name     string
		one, two error
		closed   bool
	}{
		{name: "one refuses", one: permanent.Error(errors.New("410 Gone")), closed: true},
		{name: "both refuse", one: permanent.Error(errors.New("410 Gone")), two: permanent.Error(errors.New("410 Gone")), closed: true},
		{name: "one refuses, the other is down", one: permanent.Error(errors.New("410 Gone")), two: errors.New("down")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			clock.Advance(150 * time.Second)
			s.one.fail, s.two.fail = func() error { return test.one }, func() error { return test.two }
			err := s.process(liveEnd(100, 20))
			if err == nil || permanent.Is(err) != test.closed {
				t.Errorf("the error is %v, permanent %v", err, permanent.Is(err))
			}
			if closed := len(s.openRooms()) == 0; closed != test.closed {
				t.Errorf("the stream is closed: %v, want %v", closed, test.closed)
			}
		})
	}
}

// SQS delivers an event ten times before its redrive policy moves it, even if a receiver has refused the summary permanently. The other
// receiver must not be sent the summary ten times.
func TestRefusalOfOneReceiverDoesNotRepeatTheSummaryToAnother(t *testing.T) {
	const turns = 10
	s, clock := newStage(t)
	s.create("r", at(0))
	clock.Advance(150 * time.Second)
	refusals := 0
	s.one.fail = func() error { refusals++; return permanent.Error(errors.New("410 Gone")) }
	for turn := range turns {
		if err := s.process(liveEnd(100, 20)); !permanent.Is(err) {
			t.Errorf("turn %d: error %v, want a permanent one, so that the event becomes a dead letter", turn+1, err)
		}
	}
	if len(s.two.messages) != 1 {
		t.Errorf("the receiver that took the summary was sent it %d times, want 1", len(s.two.messages))
	}
	if refusals != turns {
		t.Errorf("the receiver that refuses was asked %d times, want %d: it may be repaired in between", refusals, turns)
	}
}

// The body of Tencent's webhook is not signed: who replays one must not move coins to another account.
func TestReplayedWebhookChangesNothing(t *testing.T) {
	forged := liveEnd(100, 5000)
	forged.Accounts = []string{"mallory"}
	for _, test := range []struct {
		name   string
		events []streamend.Event
		want   string
	}{
		{name: "after the summary", events: []streamend.Event{liveEnd(100, 20), forged}, want: "alice: 20 from room; "},
		{
			name: "before the real one: the owner stays, and nobody gets forged coins", events: []streamend.Event{forged, liveEnd(100, 20)},
			want: "alice: room_not_found; ",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			clock.Advance(150 * time.Second)
			for _, event := range test.events {
				s.must(s.process(event))
			}
			if data := s.wantOnce(); paid(data) != test.want {
				t.Errorf("paid is %s, want %s", paid(data), test.want)
			}
		})
	}
}

// An own event may name accounts, and the numbers come from what the ledger recorded.
func TestNumbersOfARememberedStream(t *testing.T) {
	s, clock := newStage(t)
	s.create("r", at(0))
	clock.Advance(150 * time.Second)
	s.give("r", "alice", at(50))
	s.give("r", "bob", at(60))
	s.give("r", "bob", at(101)) // of another show
	event := ownEvent(t, `{"room_id":"r","accounts":["dan"],"ended_at":"2026-11-25T12:01:40Z","reason":"done",`+
		`"room_totals":{"total_viewers":3,"total_gifts_sent":2,"total_gift_coins":20,"total_unique_gift_senders":1,"total_likes_received":0}}`)
	s.must(s.process(event))
	data := s.wantOnce()
	if want := "alice: 10 from ledger; bob: 10 from ledger; dan: 0 from ledger; "; paid(data) != want {
		t.Errorf("paid is %s, want %s", paid(data), want)
	}
	if data.StartedAt == nil || !data.StartedAt.Equal(at(0)) || data.Reason != "done" {
		t.Errorf("it started at %v and ended because of %q", data.StartedAt, data.Reason)
	}
	if data.Reconciled == nil || !*data.Reconciled || !data.Complete {
		t.Errorf("reconciled is %v, complete %v", data.Reconciled, data.Complete)
	}
	if len(data.TopSenders) != 1 || data.TopSenders[0].TotalCoins != 20 {
		t.Errorf("the top senders are %+v", data.TopSenders)
	}
	ended, found, err := s.ledger().Ended(t.Context(), "r", "1795608000")
	s.must(err)
	if ranking, ok := ended.Ranking("bob"); !found || !ok || ranking.TotalCoins != 10 {
		t.Errorf("the stored ranking of bob is %+v, %v", ranking, ok)
	}
	if want := []ledger.GiftTotal{{GiftID: "rose", Sum: ledger.Sum{TotalCount: 2, TotalCoins: 20}}}; !slices.Equal(ended.Gifts, want) {
		t.Errorf("the stored gifts are %+v, want %+v", ended.Gifts, want)
	}
}

// While Tencent cannot be asked, nothing is stored: an outage of a moment must not lose the numbers.
func TestNothingIsStoredWhileTencentIsDown(t *testing.T) {
	s, clock := newStage(t)
	s.create("r", at(0))
	clock.Advance(150 * time.Second)
	s.tencent.open("r", liveRoom{created: at(0), owner: "alice", given: map[string]ledger.Sum{"alice": {TotalCount: 2, TotalCoins: 20}}})
	for _, question := range []string{"info", "count", "totals"} {
		s.tencent.fail = func(asked string) error {
			if strings.HasPrefix(asked, question) {
				return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
			}
			return nil
		}
		if err := s.process(reported(streamend.SourceTRTC, 100)); !errors.Is(err, giftstats.CodeUpstreamUnavailable) || permanent.Is(err) {
			t.Errorf("%s fails: %v", question, err)
		}
	}
	s.tencent.fail = nil
	s.must(s.process(reported(streamend.SourceTRTC, 100)))
	if data := s.wantOnce(); paid(data) != "alice: 20 from upstream; " {
		t.Errorf("paid is %s", paid(data))
	}
}

// Anyone with a captured webhook can invent kinds of gifts. With all of them, the answer of GET /v1/streams would be larger than a
// function may return, and so would every page with this stream.
func TestKindsOfGiftsAreBounded(t *testing.T) {
	s, clock := newStage(t)
	s.create("r", at(0))
	l := s.ledger()
	for i := range ledger.MaxGifts + 1 {
		kind := fmt.Sprintf("kind %04d", i)
		s.must(l.RecordGift(t.Context(), ledger.Gift{
			ID: kind, RoomID: "r", Sender: "carol", Receivers: []string{"alice"}, GiftID: kind, Count: 1, Coins: int64(i), At: at(1),
		}))
	}
	clock.Advance(time.Minute)
	s.must(s.process(destroyed("r", at(60), nil)))
	ended, err := l.LastEnded(t.Context(), "r")
	s.must(err)
	if got := len(ended.Gifts); got != ledger.MaxGifts {
		t.Errorf("%d kinds of gifts are stored, want %d", got, ledger.MaxGifts)
	}
	if got := ended.Gifts[0].GiftID; got != fmt.Sprintf("kind %04d", ledger.MaxGifts) {
		t.Errorf("the first one is %s, want the one with the most coins", got)
	}
}
