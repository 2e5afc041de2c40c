package streamend_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// payments returns what each account is paid by the rule in docs/stream-end.md: the key is stream and account, and of two summaries of
// one stream the second one pays the difference.
func (s *stage) payments() map[string]int64 {
	s.t.Helper()
	keys, paid, ids := map[string]int64{}, map[string]int64{}, map[string]bool{}
	for _, summary := range s.summaries(s.one) {
		data := summary.Data
		if ids[data.EventID] {
			s.t.Errorf("two summaries have the id %s", data.EventID)
		}
		ids[data.EventID] = true
		stream := data.EventID
		if data.StartedAt != nil {
			stream = data.StartedAt.String()
		}
		for _, earning := range data.Accounts {
			if earning.Stats == nil {
				continue
			}
			key := data.RoomID + stream + earning.Account
			if more := earning.Stats.TotalCoins - keys[key]; more > 0 {
				paid[earning.Account] += more
				keys[key] += more
			}
		}
	}
	return paid
}

// Tencent says for a while that a live room does not exist, so that the sweep ends its stream. The host must not be paid its first part
// again when the show really ends, and the rest must not be lost.
func TestShowThatTencentForgotForAWhileIsPaidOnce(t *testing.T) {
	for _, test := range []struct {
		name      string
		forgotten int  // times
		gifts     bool // their webhooks arrive
		reported  bool // the end is reported; else the sweep notices it
	}{
		{name: "once", forgotten: 1, reported: true},
		{name: "once, with gifts", forgotten: 1, gifts: true, reported: true},
		{name: "three times", forgotten: 3, reported: true},
		{name: "three times, with gifts", forgotten: 3, gifts: true, reported: true},
		{name: "once, and the end is missed", forgotten: 1},
		{name: "three times, with gifts, and the end is missed", forgotten: 3, gifts: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
				s.tencent.listed = []string{"r"}
				s.show("r", 0)
				created, gifts := time.Now(), int64(0)
				for minute := range 10 * (test.forgotten + 1) {
					wait(time.Minute)
					gifts++
					s.perform("r", created, gifts)
					if test.gifts {
						s.give("r", "alice", time.Now())
					}
					if minute%10 > 7 && minute < 10*test.forgotten {
						s.tencent.dissolve("r")
						s.tencent.listed = nil
					} else {
						s.tencent.listed = []string{"r"}
					}
					s.sweep()
				}
				s.tencent.dissolve("r")
				s.tencent.listed = nil
				wait(10 * time.Second)
				if test.reported {
					event, ended := liveEnd(0, 10*gifts), time.Now()
					event.EndedAt = &ended
					s.must(s.process(event))
				}
				for range 3 {
					wait(time.Minute)
					s.sweep()
				}
				if got := s.payments()["alice"]; got != 10*gifts {
					t.Errorf("alice is paid %d coins, want %d", got, 10*gifts)
				}
				if n := len(s.one.messages); n != test.forgotten+1 {
					t.Errorf("there are %d summaries, want %d", n, test.forgotten+1)
				}
				if rooms := s.openRooms(); len(rooms) != 0 {
					t.Errorf("the rooms %v are left open", rooms)
				}
			})
		})
	}
}

// Tencent says for a while that a live room does not exist, and the show ends before anything shows that it goes on. Its totals hold what
// the first summary has, and what other hosts got: the owner must not be paid them. Those of another show are the owner's.
func TestTotalsThatMayHoldThoseOfAnotherSummaryAreNobodys(t *testing.T) {
	for _, test := range []struct {
		name  string
		coins int64 // of the room at the end that is reported
		later time.Duration
		want  string
	}{
		{name: "as many as before", coins: 40, later: time.Minute, want: "alice: room_not_found; "},
		{name: "more than before", coins: 120, later: time.Minute, want: "alice: room_not_found; "},
		{name: "less than before: another show", coins: 30, later: time.Minute, want: "alice: 30 from room; "},
		{name: "none: there is nothing to pay", coins: 0, later: time.Minute, want: "alice: 0 from ledger; "},
		{name: "a day later: another show", coins: 120, later: 25 * time.Hour, want: "alice: 120 from room; "},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
				s.startDuet()
				if test.coins == 0 {
					s.duet(time.Now(), 0, 0)
				}
				s.sweep()
				s.tencent.dissolve("r")
				for range 2 {
					wait(time.Minute)
					s.sweep()
				}
				wait(test.later)
				event, ended := liveEnd(0, test.coins), time.Now()
				event.EndedAt = &ended
				s.must(s.process(event))
				if len(s.one.messages) != 2 {
					t.Fatalf("there are %d summaries, want 2", len(s.one.messages))
				}
				data := s.summaries(s.one)[1].Data
				if got := paid(data); got != test.want {
					t.Errorf("paid is %s, want %s", got, test.want)
				}
				proven := strings.Contains(test.want, "from")
				if data.Reconciled == nil || *data.Reconciled != proven {
					t.Errorf("the summary does not say that it is reconciled: %v", proven)
				}
			})
		})
	}
}

// A list of rooms may be older than the end of one of them. Tencent is asked for the room itself then.
func TestOldListDoesNotResumeAShow(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		s.show("r", 2)
		s.tencent.listed = []string{"r"}
		created := time.Now()
		s.sweep()
		s.tencent.dissolve("r")
		s.tencent.stale = map[string]liveRoom{"r": {created: created, owner: "alice"}}
		for range 12 {
			wait(time.Minute)
			s.sweep()
		}
		s.wantOnce()
		s.tencent.fail = func(question string) error {
			if question == "info r" {
				return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
			}
			return nil
		}
		wait(5 * time.Minute)
		if s.processor().Sweep(t.Context()) == nil {
			t.Error("a sweep that cannot ask for a listed room is no failure")
		}
		s.wantOnce()
	})
}

// The customer's own event has a time of another time zone. The webhook of the same end must not make a second summary with the whole of
// the numbers.
func TestOwnEventWithAWrongTimeIsNotPaidTwice(t *testing.T) {
	for _, early := range []time.Duration{8 * time.Hour, time.Hour, 90 * time.Second, time.Minute} {
		for _, lag := range []time.Duration{0, 5 * time.Minute} { // of the sweep
			t.Run(fmt.Sprintf("%v early, last swept %v before", early, lag), func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
					s.show("r", 3)
					wait(9*time.Hour - lag)
					s.sweep()
					wait(lag + 10*time.Second)
					s.tencent.dissolve("r")
					ended := time.Now()
					claimed := ended.Add(-early)
					s.must(s.process(streamend.Event{EventID: "e-1", RoomID: "r", Source: streamend.SourceDirect, EndedAt: &claimed}))
					for _, event := range []streamend.Event{liveEnd(0, 40), reported(streamend.SourceTRTC, 0)} {
						wait(10 * time.Second)
						event.EndedAt = &ended
						s.must(s.process(event))
					}
					if claimed.After(ended.Add(-lag - 10*time.Second)) {
						return // the sweep cannot know that this time is wrong
					}
					if data := s.wantOnce(); paid(data) != "alice: 30 from snapshot; " {
						t.Errorf("paid is %s", paid(data))
					}
				})
			})
		}
	}
}
