package streamend_test

import (
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// duet makes a room live in which alice and bob got some gifts of ten coins each.
func (s *stage) duet(created time.Time, alice, bob int64) {
	sum := func(gifts int64) ledger.Sum { return ledger.Sum{TotalCount: gifts, TotalCoins: 10 * gifts} }
	s.tencent.open("r", liveRoom{
		created: created, owner: "alice", given: map[string]ledger.Sum{"alice": sum(alice), "bob": sum(bob)}, totals: sum(alice + bob),
	})
}

// startDuet also announces the room, and a gift to bob.
func (s *stage) startDuet() (created time.Time) {
	s.t.Helper()
	created = time.Now().Truncate(time.Second)
	s.duet(created, 3, 1)
	s.create("r", created)
	s.must(s.ledger().Observe(s.t.Context(), ledger.Sighting{RoomID: "r", At: created, Receivers: []string{"bob"}}))
	return created
}

// endDuet reports the end of the room with its totals.
func (s *stage) endDuet(coins int64) {
	s.t.Helper()
	s.tencent.dissolve("r")
	event, ended := liveEnd(0, coins), time.Now()
	event.EndedAt = &ended
	s.must(s.process(event))
}

// Tencent does not document the codes of get_gift_count. If it says for one account that there is no such room, that must not end the show:
// what was given afterwards would be in no summary.
func TestOneAccountWithoutARoomDoesNotEndALiveShow(t *testing.T) {
	for _, account := range []string{"alice", "bob"} {
		t.Run(account, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
				created := s.startDuet()
				s.tencent.fail = func(question string) error {
					if question == "count r "+account {
						return giftstats.Errorf(giftstats.CodeRoomNotFound, "no room")
					}
					return nil
				}
				for i := range int64(5) {
					s.duet(created, 3+i, 1+i)
					s.sweep()
					wait(time.Minute)
				}
				if len(s.one.messages) > 0 {
					t.Fatalf("a live show has a summary: %s", s.one.messages[0].Body)
				}
				s.endDuet(120)
				want := "alice: 70 from snapshot; "
				if account == "alice" {
					want = "bob: 50 from snapshot; "
				}
				if data := s.wantOnce(); !strings.Contains(paid(data), want) {
					t.Errorf("paid is %s, want %s among it", paid(data), want)
				}
			})
		})
	}
}

// A room that is gone is asked for once more, and not once for each account.
func TestRoomThatIsGoneCostsTwoCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		s.startDuet()
		s.sweep()
		wait(time.Second)
		s.tencent.before = func() { s.tencent.dissolve("r") } // after the first question
		s.tencent.questions()
		s.sweep()
		if asked := strings.Join(s.tencent.questions(), ", "); strings.Count(asked, "count r") > 1 {
			t.Errorf("Tencent was asked %s", asked)
		}
	})
}

// The numbers of one account fall for good, such as after a correction. Those of the other hosts must not stay as they were.
func TestFallenNumbersOfOneHostDoNotFreezeThoseOfOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		created := s.startDuet()
		s.sweep()
		for i := range int64(3) {
			wait(time.Minute)
			s.duet(created, 2, 5+i)
			s.sweep()
		}
		s.endDuet(100)
		if got, want := paid(s.wantOnce()), "alice: 30 from snapshot; bob: 70 from snapshot; "; got != want {
			t.Errorf("paid is %s, want %s", got, want)
		}
	})
}

// The CreateTime of a room is optional in what Tencent answers. Without it, the accounts have numbers, too.
func TestRoomsWithoutACreateTimeHaveNumbers(t *testing.T) {
	for _, test := range []struct {
		name      string
		announced bool
	}{{name: "announced with its time", announced: true}, {name: "listed without a time"}} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
				if test.announced {
					s.create("r", time.Now())
				}
				s.tencent.listed = []string{"r"}
				for i := range int64(4) {
					s.perform("r", time.Time{}, 1+i)
					s.sweep()
					wait(time.Minute)
				}
				if got := s.coins("r"); got != 40 {
					t.Errorf("alice has %d coins, want 40", got)
				}
			})
		})
	}
}

// If the numbers of one host fall and Tencent does not send the CreateTime, nobody can tell whether the room was created again. The larger
// numbers of another host may then be those of the next show.
func TestFallenNumbersWithoutACreateTimeAreNotStored(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		s.must(s.ledger().Observe(t.Context(), ledger.Sighting{
			RoomID: "r", At: time.Now(), Opens: true, Owner: "alice", Receivers: []string{"bob"},
		}))
		s.duet(time.Time{}, 3, 1)
		s.sweep()
		wait(time.Minute)
		s.duet(time.Time{}, 1, 5)
		s.sweep()
		room, err := s.ledger().Room(t.Context(), "r")
		s.must(err)
		if got := room.Current().Account("bob").Last().TotalCoins; got != 10 {
			t.Errorf("bob has %d coins, want the 10 of before", got)
		}
	})
}
