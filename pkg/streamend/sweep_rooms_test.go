package streamend_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// wall is the clock of the bubble.
type wall struct{}

func (wall) Now() time.Time { return time.Now() }

// inBubble runs a test in simulated time, with a stage whose log is kept.
func inBubble(t *testing.T, test func(t *testing.T, s *stage, log *syncbuf.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, log := stageAt(t, wall{}), &syncbuf.Buffer{}
		s.log = log
		test(t, s, log)
	})
}

func wait(d time.Duration) { <-time.After(d) }

// show makes a room live in which alice got some gifts of ten coins, and which the create webhook announced.
func (s *stage) show(id string, gifts int64) {
	s.t.Helper()
	created := time.Now().Truncate(time.Second)
	s.perform(id, created, gifts)
	s.create(id, created)
}

func (s *stage) perform(id string, created time.Time, gifts int64) {
	sum := ledger.Sum{TotalCount: gifts, TotalCoins: 10 * gifts}
	s.tencent.open(id, liveRoom{created: created, owner: "alice", given: map[string]ledger.Sum{"alice": sum}, totals: sum})
}

func (s *stage) sweep() {
	s.t.Helper()
	s.must(s.processor().Sweep(s.t.Context()))
}

// coins returns those of alice's last snapshot in a room.
func (s *stage) coins(id string) int64 {
	s.t.Helper()
	room, err := s.ledger().Room(s.t.Context(), id)
	s.must(err)
	if len(room.Streams) == 0 || room.Streams[0].Account("alice") == nil || room.Streams[0].Account("alice").Last() == nil {
		return -1
	}
	return room.Streams[0].Account("alice").Last().TotalCoins
}

func TestSweepNeedsALedger(t *testing.T) {
	p := processor(t, engine{}, &box{})
	errs := p.ProcessAll(t.Context(), []streamend.Message{{ID: "timer", Body: []byte(`{"sweep":true}`)}})
	if !errors.Is(errs[0], giftstats.CodeInvalidRequest) || !strings.Contains(errs[0].Error(), "set GIFTSTATS_LEDGER") {
		t.Errorf("the error is %v", errs[0])
	}
}

// A room that is missing twice, at least 30 s apart, has ended when it was last seen. Earlier is a host's lost coins, later is never.
func TestMissedEnds(t *testing.T) {
	type step struct {
		after time.Duration
		gone  bool // the room is dissolved by then
	}
	for _, test := range []struct {
		name  string
		steps []step
		ended int // after which step, from 1; 0: not at all
	}{
		{name: "missing twice", steps: []step{{time.Minute, false}, {time.Minute, true}, {time.Minute, true}}, ended: 3},
		{name: "missing twice, 30 s apart", steps: []step{{time.Minute, true}, {30 * time.Second, true}}, ended: 2},
		{name: "missing twice, too soon", steps: []step{{time.Minute, true}, {29 * time.Second, true}}},
		{name: "too soon, and then again", steps: []step{{time.Minute, true}, {20 * time.Second, true}, {10 * time.Second, true}}, ended: 3},
		{name: "back in between", steps: []step{{time.Minute, true}, {time.Minute, false}, {time.Minute, true}}},
		{name: "missing once", steps: []step{{time.Minute, true}}},
		{name: "live", steps: []step{{time.Minute, false}, {time.Minute, false}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, log *syncbuf.Buffer) {
				s.show("r", 2)
				created := time.Now()
				s.sweep()
				seen := time.Now()
				for i, step := range test.steps {
					wait(step.after)
					s.perform("r", created, 2)
					if step.gone {
						s.tencent.dissolve("r")
					} else {
						seen = time.Now()
					}
					s.sweep()
					if ended := len(s.one.messages) > 0; ended != (test.ended > 0 && i+1 >= test.ended) {
						t.Errorf("after step %d, the stream has ended: %v", i+1, ended)
					}
				}
				if test.ended == 0 {
					return
				}
				data := s.wantOnce()
				if data.Source != streamend.SourceSweep || data.Reason != "missed" || !data.EndedAt.Equal(seen) {
					t.Errorf("source %s, reason %s, ended at %v; want the sweep's, missed, %v", data.Source, data.Reason, data.EndedAt, seen)
				}
				if want := "alice: 20 from snapshot; "; paid(data) != want {
					t.Errorf("paid is %s, want %s", paid(data), want)
				}
				if !strings.Contains(log.String(), `"rooms":1,"snapshots":0,"missed_ends":1`) {
					t.Errorf("the log does not count the missed end: %s", log)
				}
				s.sweep()
				s.wantOnce()
			})
		})
	}
}

// Rooms that no webhook announced are found, at most every five minutes, and at once after a list that failed.
func TestSweepAdoptsRooms(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		lists := func() (n int) {
			for _, question := range s.tencent.questions() {
				if strings.HasPrefix(question, "list") {
					n++
				}
			}
			return n
		}
		for i := range 5 {
			id := fmt.Sprintf("room%d", i)
			s.perform(id, time.Now(), int64(i))
			s.tencent.listed = append(s.tencent.listed, id)
		}
		s.tencent.fail = func(question string) error {
			if question == "list" {
				return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
			}
			return nil
		}
		if err := s.processor().Sweep(t.Context()); !errors.Is(err, giftstats.CodeUpstreamUnavailable) {
			t.Errorf("a sweep that achieves nothing returns %v", err)
		}
		s.tencent.fail = nil
		lists()
		s.sweep()
		if n := lists(); n != 3 {
			t.Errorf("the list of 5 rooms was read in %d pages, want 3", n)
		}
		for i := range 5 {
			id := fmt.Sprintf("room%d", i)
			if got := s.coins(id); got != int64(10*i) {
				t.Errorf("%s: alice has %d coins, want %d", id, got, 10*i)
			}
		}
		for _, step := range []struct {
			after time.Duration
			pages int
		}{{after: 4 * time.Minute, pages: 0}, {after: time.Minute, pages: 3}} {
			wait(step.after)
			s.sweep()
			if n := lists(); n != step.pages {
				t.Errorf("%v later, %d pages were read, want %d", step.after, n, step.pages)
			}
		}
	})
}

// Numbers that fall are those of a room that was created again: they belong to another show.
func TestRoomCreatedAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		gifts int64 // in the new room
	}{{name: "fewer gifts", gifts: 1}, {name: "more gifts", gifts: 9}, {name: "none", gifts: 0}} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
				s.show("r", 5)
				s.sweep()
				wait(time.Minute)
				s.perform("r", time.Now().Add(-time.Second), test.gifts) // and no webhook said so
				for range 3 {
					s.sweep()
					wait(time.Minute)
				}
				data := s.wantOnce()
				if want := "alice: 50 from snapshot; "; paid(data) != want {
					t.Errorf("paid is %s, want %s", paid(data), want)
				}
				if got := s.coins("r"); got != 10*test.gifts {
					t.Errorf("alice has %d coins in the new show, want %d", got, 10*test.gifts)
				}
			})
		})
	}
}

// A summary that could not be delivered is delivered by a later sweep, and does not count as a missed end.
func TestSweepDeliversLater(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, log *syncbuf.Buffer) {
		s.show("r", 2)
		s.sweep()
		wait(time.Minute)
		s.tencent.dissolve("r")
		s.two.fail = func() error { return errors.New("down") }
		event := liveEnd(0, 20)
		ended := time.Now()
		event.EndedAt = &ended
		if s.process(event) == nil {
			t.Fatal("an undelivered summary is not a failure")
		}
		if err := s.processor().Sweep(t.Context()); err == nil {
			t.Error("a sweep that only fails returns no error")
		}
		s.two.fail = nil
		s.sweep()
		s.wantOnce()
		if len(s.openRooms()) != 0 {
			t.Error("the stream is left open")
		}
		if strings.Contains(log.String(), `"missed_ends":1`) {
			t.Errorf("it is counted as a missed end: %s", log)
		}
		s.tencent.questions()
		s.sweep()
		if asked := slices.DeleteFunc(s.tencent.questions(), func(q string) bool { return strings.HasPrefix(q, "list") }); len(asked) != 0 {
			t.Errorf("a sweep without open rooms asks %v", asked)
		}
	})
}

// With the captured URL of a webhook, somebody fills a stream with accounts that do not exist. A guest who comes later is paid anyway.
func TestMadeUpAccountsCostNoHostItsGifts(t *testing.T) {
	s, clock := newStage(t)
	clock.Advance(10 * time.Second)
	s.create("r", at(0))
	s.tencent.open("r", liveRoom{created: at(0), owner: "alice", given: map[string]ledger.Sum{"alice": {TotalCount: 2, TotalCoins: 20}}})
	var madeUp []string
	for i := range 99 {
		madeUp = append(madeUp, fmt.Sprint("made-up", i))
	}
	s.must(s.ledger().Observe(t.Context(), ledger.Sighting{RoomID: "r", At: at(5), Opens: true, Receivers: madeUp}))
	s.sweep()
	clock.Advance(20 * time.Second)
	s.give("r", "bob", at(30))
	clock.Advance(20 * time.Second)
	s.tencent.dissolve("r")
	s.must(s.process(liveEnd(50, 30)))
	data := s.wantOnce()
	for _, want := range []string{"alice: 20 from snapshot; ", "bob: 10 from ledger; "} {
		if !strings.Contains(paid(data), want) {
			t.Errorf("paid is %s, want %s among them", paid(data), want)
		}
	}
	if data.Unattributed != nil {
		t.Errorf("%d coins are unattributed", data.Unattributed.TotalCoins)
	}
}
