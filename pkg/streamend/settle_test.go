package streamend_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// duetWithLastGifts plays a show of alice and bob. The last gifts come after the last sweep, and only the totals of the room prove them.
func (s *stage) duetWithLastGifts() (ended time.Time) {
	s.t.Helper()
	s.settle = 5 * time.Second
	s.startDuet()
	s.sweep()
	wait(50 * time.Second)
	s.give("r", "alice", time.Now())
	wait(9 * time.Second)
	s.give("r", "bob", time.Now())
	wait(500 * time.Millisecond)
	s.tencent.dissolve("r")
	return time.Now()
}

// wantSame checks that both receivers have accepted the same bytes, maybe several times: two reports at once may deliver them twice.
func (s *stage) wantSame() streamend.Data {
	s.t.Helper()
	if len(s.one.messages) == 0 || len(s.two.messages) == 0 {
		s.t.Fatal("a receiver has no summary")
	}
	for _, message := range slices.Concat(s.one.messages, s.two.messages) {
		if string(message.Body) != string(s.one.messages[0].Body) {
			s.t.Errorf("there are two summaries:\n%s\n%s", s.one.messages[0].Body, message.Body)
		}
	}
	return s.summaries(s.one)[0].Data
}

func endedAt(event streamend.Event, at time.Time) streamend.Event {
	event.EndedAt = &at
	return event
}

// With several reports of one end it is chance which of them is processed first. The hosts must not lose the gifts since the last sweep
// because it is one without the totals of the room.
func TestReportBeforeTheOneWithTotalsCostsNoHostItsLastGifts(t *testing.T) {
	for _, test := range []struct {
		name  string
		first func(t *testing.T, ended time.Time) streamend.Event
	}{
		{name: "TRTC", first: func(_ *testing.T, ended time.Time) streamend.Event {
			return endedAt(reported(streamend.SourceTRTC, 0), ended.Add(700*time.Millisecond))
		}},
		{name: "TRTC, by a clock that is behind", first: func(_ *testing.T, ended time.Time) streamend.Event {
			return endedAt(reported(streamend.SourceTRTC, 0), ended.Add(-3*time.Second))
		}},
		{name: "CSS, in whole seconds", first: func(_ *testing.T, ended time.Time) streamend.Event {
			return endedAt(reported(streamend.SourceCSS, 0), ended.Truncate(time.Second))
		}},
		{name: "own event", first: func(t *testing.T, ended time.Time) streamend.Event {
			return endedAt(ownEvent(t, `{"room_id":"r","event_id":"e-1"}`), ended)
		}},
		{name: "own event without a time", first: func(t *testing.T, _ time.Time) streamend.Event {
			return ownEvent(t, `{"room_id":"r"}`)
		}},
	} {
		for _, later := range []time.Duration{0, time.Millisecond, 1800 * time.Millisecond} {
			t.Run(fmt.Sprintf("%s, the live webhook %v later", test.name, later), func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
					ended := s.duetWithLastGifts()
					var reports sync.WaitGroup
					reports.Go(func() { s.must(s.process(test.first(t, ended))) })
					wait(later)
					reports.Go(func() { s.must(s.process(endedAt(liveEnd(0, 60), ended))) })
					reports.Wait()
					data := s.wantSame()
					if got, want := paid(data), "alice: 40 from ledger; bob: 20 from ledger; "; got != want {
						t.Errorf("paid is %s, want %s", got, want)
					}
					if data.Reconciled == nil || !*data.Reconciled {
						t.Error("the numbers are not proven")
					}
					if rooms := s.openRooms(); len(rooms) != 0 {
						t.Errorf("the rooms %v are left open", rooms)
					}
				})
			})
		}
	}
}

// The webhook of a gift that was sent in the last moment may be recorded after the end was reported.
func TestGiftThatIsRecordedAfterTheEndIsPaid(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		ended := s.duetWithLastGifts()
		var report sync.WaitGroup
		report.Go(func() { s.must(s.process(endedAt(liveEnd(0, 70), ended))) })
		wait(800 * time.Millisecond)
		s.give("r", "alice", ended.Truncate(time.Second))
		report.Wait()
		if got, want := paid(s.wantOnce()), "alice: 50 from ledger; bob: 20 from ledger; "; got != want {
			t.Errorf("paid is %s, want %s", got, want)
		}
	})
}

// A summary waits only if that can prove its numbers, and never long.
func TestSummaryDoesNotWaitInVain(t *testing.T) {
	for _, test := range []struct {
		name  string
		event streamend.Event
		late  time.Duration // the report is processed so much after the end
		lives bool          // the room is still there
		limit time.Duration // until the deadline, if not zero
		want  time.Duration
	}{
		{name: "no totals come", event: reported(streamend.SourceTRTC, 0), want: 5 * time.Second},
		{name: "no totals come, and time has passed", event: reported(streamend.SourceTRTC, 0), late: 3 * time.Second, want: 2 * time.Second},
		{name: "the end is long past", event: reported(streamend.SourceTRTC, 0), late: 5 * time.Second},
		{name: "Tencent still answers", event: reported(streamend.SourceTRTC, 0), lives: true},
		{name: "the deadline is near", event: reported(streamend.SourceTRTC, 0), limit: 9 * time.Second},
		{name: "an older version of the live webhook", event: reported(streamend.SourceLive, 0)},
		{name: "the totals prove the gifts", event: liveEnd(0, 60)},
		{name: "the totals have more than was recorded", event: liveEnd(0, 90), want: 5 * time.Second},
		{name: "none of the last gifts is in the totals", event: liveEnd(0, 40)},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
				created := time.Now().Truncate(time.Second)
				ended := s.duetWithLastGifts()
				if test.lives {
					s.duet(created, 4, 2)
				}
				wait(test.late)
				ctx, started := t.Context(), time.Now()
				if test.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.limit)
					defer cancel()
				}
				s.must(s.processor().Process(ctx, endedAt(test.event, ended)))
				if took := time.Since(started); took != test.want {
					t.Errorf("it took %v, want %v", took, test.want)
				}
				s.wantOnce()
			})
		})
	}
}
