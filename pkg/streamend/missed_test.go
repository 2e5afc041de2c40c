package streamend_test

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

// missPending lets the sweep notice that the room of alice and bob is missing, and fail to make the summary of that.
func (s *stage) missPending() (created time.Time) {
	s.t.Helper()
	created = s.startDuet()
	s.sweep()
	s.tencent.dissolve("r")
	wait(time.Minute)
	s.sweep()
	wait(time.Minute)
	asked := 0
	s.tencent.fail = func(question string) error {
		if question == "info r" {
			asked++
		}
		if asked > 1 { // by then the end is recorded
			return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
		}
		return nil
	}
	if s.processor().Sweep(s.t.Context()) == nil {
		s.t.Error("a sweep that cannot make a summary is no failure")
	}
	s.tencent.fail = nil
	room, err := s.ledger().Room(s.t.Context(), "r")
	s.must(err)
	if len(s.one.messages) != 0 || len(room.Streams) != 1 || room.Streams[0].End == nil {
		s.t.Fatalf("the end is not pending: %+v", room.Streams)
	}
	return created
}

// Tencent shows the room again before the missed end has a summary: it was none, and the show has one summary in the end.
func TestMissedEndOfARoomThatIsThereAgainHasNoSummary(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		created := s.missPending()
		for i := range int64(3) {
			wait(time.Minute)
			s.duet(created, 5+i, 2)
			s.sweep()
		}
		if len(s.one.messages) > 0 {
			t.Fatalf("a live show has a summary: %s", s.one.messages[0].Body)
		}
		s.endDuet(90)
		if got, want := paid(s.wantOnce()), "alice: 70 from snapshot; bob: 20 from snapshot; "; got != want {
			t.Errorf("paid is %s, want %s", got, want)
		}
	})
}

// A room that was created again, or for which Tencent cannot be asked, does not take back the end of the stream before.
func TestMissedEndIsNotTakenBackWithoutProof(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		s.missPending()
		s.tencent.fail = func(string) error { return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down") }
		wait(time.Minute)
		if s.processor().Sweep(t.Context()) == nil {
			t.Error("a sweep that cannot ask whether the room is there again is no failure")
		}
		s.tencent.fail = nil
		s.duet(time.Now(), 1, 1)
		wait(time.Minute)
		s.sweep()
		if got, want := paid(s.wantOnce()), "alice: 30 from snapshot; bob: 10 from snapshot; "; got != want {
			t.Errorf("paid is %s, want %s", got, want)
		}
	})
}

// The show ends while its missed end waits for a summary. The totals hold what bob got, and what will be in that summary.
func TestTotalsBesideAMissedEndAreNobodys(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		s.missPending()
		wait(time.Minute)
		s.endDuet(120)
		s.sweep()
		if got := s.payments(); got["alice"] != 30 || got["bob"] != 10 {
			t.Errorf("paid is %v, want 30 to alice and 10 to bob", got)
		}
		if data := s.summaries(s.one)[0].Data; data.Unattributed == nil || data.Unattributed.TotalCoins != 120 {
			t.Errorf("unattributed is %+v, want 120 coins", data.Unattributed)
		}
	})
}

// A show that goes on after a missed end has the accounts of the first summary: the totals are not the owner's alone.
func TestResumedShowKeepsItsHosts(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		created := s.startDuet()
		s.sweep()
		s.tencent.dissolve("r")
		for range 2 {
			wait(time.Minute)
			s.sweep()
		}
		s.duet(created, 4, 2)
		s.tencent.listed = []string{"r"}
		wait(3 * time.Minute)
		s.sweep()
		s.endDuet(90)
		if got, want := paid(s.summaries(s.one)[1].Data), "alice: 40 from snapshot; bob: 20 from snapshot; "; got != want {
			t.Errorf("paid is %s, want %s", got, want)
		}
	})
}
