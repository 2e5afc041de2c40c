package streamend_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/streamend"
)

var errCrash = errors.New("simulated crash")

// crash ends one process: from the n-th step on, every step of it fails.
type crash struct {
	mu    sync.Mutex
	steps []string
	at    int    // the number of the step, from 1; 0: none
	after bool   // the step is done, and only its answer is lost
	once  string // the name of a step that fails once
}

// step does one step unless the process has crashed.
func (c *crash) step(name string, do func() error) error {
	c.mu.Lock()
	c.steps = append(c.steps, name)
	n, fails := len(c.steps), c.once == name
	if fails {
		c.once = ""
	}
	c.mu.Unlock()
	if fails || c.at > 0 && (n > c.at || n == c.at && !c.after) {
		return errCrash
	}
	err := do()
	if n == c.at {
		return errCrash
	}
	return err
}

// crashingStore is the store as one process sees it.
type crashingStore struct {
	ledger.Store
	*crash
}

func (s crashingStore) Rooms(ctx context.Context, ids []string) (rooms []ledger.Room, err error) {
	err = s.step("Rooms", func() error { rooms, err = s.Store.Rooms(ctx, ids); return err })
	return rooms, err
}

func (s crashingStore) SaveRoom(ctx context.Context, room ledger.Room, expires time.Time) error {
	return s.step("SaveRoom", func() error { return s.Store.SaveRoom(ctx, room, expires) })
}

func (s crashingStore) Gifts(ctx context.Context, roomID string, from, until time.Time) iter.Seq2[ledger.Gift, error] {
	if err := s.step("Gifts", func() error { return nil }); err != nil {
		return func(yield func(ledger.Gift, error) bool) { yield(ledger.Gift{}, err) }
	}
	return s.Store.Gifts(ctx, roomID, from, until)
}

func (s crashingStore) DropGifts(ctx context.Context, roomID string, until time.Time) error {
	return s.step("DropGifts", func() error { return s.Store.DropGifts(ctx, roomID, until) })
}

func (s crashingStore) SaveEnded(ctx context.Context, ended ledger.Ended) (stored ledger.Ended, err error) {
	err = s.step("SaveEnded", func() error { stored, err = s.Store.SaveEnded(ctx, ended); return err })
	return stored, err
}

func (s crashingStore) Ended(ctx context.Context, roomID, streamID string) (ended ledger.Ended, err error) {
	err = s.step("Ended", func() error { ended, err = s.Store.Ended(ctx, roomID, streamID); return err })
	return ended, err
}

func (s crashingStore) ListEnded(ctx context.Context, query ledger.Query) (streams []ledger.Ended, err error) {
	err = s.step("ListEnded", func() error { streams, err = s.Store.ListEnded(ctx, query); return err })
	return streams, err
}

func (s crashingStore) MarkTaken(ctx context.Context, roomID, streamID, receiver string) error {
	return s.step("MarkTaken", func() error { return s.Store.MarkTaken(ctx, roomID, streamID, receiver) })
}

// crashing processes the event in an instance that crashes, and then again in a healthy one, as a queue does. It returns the steps of
// the first.
func (s *stage) crashing(event streamend.Event, c *crash) []string {
	healthy := s.store
	s.store = crashingStore{healthy, c}
	s.one.fail = func() error { return c.step("deliver", func() error { return nil }) }
	s.two.fail = s.one.fail
	first := s.process(event)
	s.store, s.one.fail, s.two.fail = healthy, nil, nil
	if first == nil && c.at > 0 && len(c.steps) >= c.at && c.steps[c.at-1] != "MarkTaken" {
		s.t.Errorf("a crash at step %d, %s, does not fail: a queue would drop the event", c.at, c.steps[c.at-1])
	}
	s.must(s.process(event))
	return c.steps
}

// A process may end at any moment. The next one makes no second summary, and delivers the summary to every receiver.
func TestCrashAtEveryStep(t *testing.T) {
	var steps []string
	for at := 0; at <= len(steps); at++ {
		for _, after := range []bool{false, true} {
			name := "no crash"
			if at > 0 {
				name = fmt.Sprintf("step %d, %s, done %v", at, steps[at-1], after)
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					done := crashedShow(t, &crash{at: at, after: after})
					if at == 0 {
						steps = done
					}
				})
			})
		}
	}
	if len(steps) < 10 {
		t.Errorf("only %d steps: %v", len(steps), steps)
	}
}

// crashedShow ends a show with a crash and checks the outcome. It returns the steps of the process that crashed.
func crashedShow(t *testing.T, c *crash) []string {
	clock := ledgertest.NewClock()
	s := stageAt(t, clock)
	s.create("r", at(0))
	clock.Advance(150 * time.Second)
	s.give("r", "alice", at(50))
	s.give("r", "bob", at(60))
	steps := s.crashing(liveEnd(100, 20), c)
	for name, b := range map[string]*inbox{"one": s.one, "two": s.two} {
		if len(b.messages) == 0 || len(b.messages) > 2 {
			t.Fatalf("receiver %s has accepted %d messages", name, len(b.messages))
		}
		for _, message := range b.messages[1:] {
			if message.ID != b.messages[0].ID || string(message.Body) != string(b.messages[0].Body) {
				t.Errorf("receiver %s has two summaries:\n%s\n%s", name, b.messages[0].Body, message.Body)
			}
		}
	}
	if one, two := string(s.one.messages[0].Body), string(s.two.messages[0].Body); one != two {
		t.Errorf("the receivers have\n%s\nand\n%s", one, two)
	}
	if want := "alice: 10 from ledger; bob: 10 from ledger; "; paid(s.summaries(s.one)[0].Data) != want {
		t.Errorf("paid is %s, want %s", paid(s.summaries(s.one)[0].Data), want)
	}
	if rooms := s.openRooms(); len(rooms) != 0 {
		t.Errorf("the rooms %v are left open", rooms)
	}
	return steps
}

// A call that fails once does not make a second delivery, except if the delivery itself could not be recorded before.
func TestSingleFailures(t *testing.T) {
	for _, failing := range []string{"Rooms", "SaveRoom", "Gifts", "SaveEnded", "Ended", "ListEnded", "MarkTaken", "DropGifts"} {
		t.Run(failing, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := ledgertest.NewClock()
				s := stageAt(t, clock)
				s.create("r", at(0))
				clock.Advance(150 * time.Second)
				s.give("r", "alice", at(50))
				s.store = crashingStore{s.store, &crash{once: failing}}
				if s.process(liveEnd(100, 10)) != nil {
					s.must(s.process(liveEnd(100, 10)))
				}
				if data := s.wantOnce(); paid(data) != "alice: 10 from ledger; " {
					t.Errorf("paid is %s", paid(data))
				}
				if rooms := s.openRooms(); len(rooms) != 0 {
					t.Errorf("the rooms %v are left open", rooms)
				}
			})
		})
	}
}
