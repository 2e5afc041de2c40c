package streamend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

// swept returns the rooms whose numbers were asked for, in order.
func (s *stage) swept() []string {
	var rooms []string
	for _, question := range s.tencent.questions() {
		var room, account string
		if n, _ := fmt.Sscanf(question, "count %s %s", &room, &account); n == 2 {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// slow lets every question take a while.
func (s *stage) slow(took time.Duration) {
	s.tencent.before = func() { wait(took) }
}

// With more rooms than time, a sweep ends in time, and the next one goes on with the rooms whose numbers are oldest.
func TestSweepIsFair(t *testing.T) {
	const rooms = 100
	inBubble(t, func(t *testing.T, s *stage, log *syncbuf.Buffer) {
		for i := range rooms {
			s.show(fmt.Sprintf("room%02d", i), 1)
		}
		s.slow(2500 * time.Millisecond)
		turns := map[string]int{}
		for sweep := range 4 {
			before := map[int]bool{}
			for i := range rooms {
				before[turns[fmt.Sprintf("room%02d", i)]] = true
			}
			started := time.Now()
			s.sweep()
			if took := time.Since(started); took > 56*time.Second {
				t.Errorf("sweep %d took %v, want at most 55 s and one question", sweep, took)
			}
			for _, room := range s.swept() {
				turns[room]++
			}
			if len(before) > 2 {
				t.Errorf("before sweep %d, some rooms have had %d more turns than others", sweep, len(before)-1)
			}
			wait(time.Until(started.Add(time.Minute)))
		}
		if len(turns) != rooms {
			t.Errorf("%d of %d rooms have had a turn", len(turns), rooms)
		}
		if strings.Contains(log.String(), "failures") {
			t.Errorf("that the time is used up counts as a failure: %s", log)
		}
	})
}

// The second of two sweeps returns at once. A sweep that crashed holds up the next ones for a minute at most.
func TestSweepsExcludeEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, log *syncbuf.Buffer) {
		s.show("r", 1)
		s.slow(5 * time.Second)
		first := make(chan error)
		go func() { first <- s.processor().Sweep(t.Context()) }()
		wait(time.Second)
		started := time.Now()
		s.sweep()
		if took := time.Since(started); took != 0 {
			t.Errorf("the second sweep took %v", took)
		}
		if !strings.Contains(log.String(), "another sweep is running") {
			t.Errorf("the log does not say why: %s", log)
		}
		s.must(<-first)
		s.tencent.questions()
		s.sweep()
		if len(s.swept()) != 1 {
			t.Error("after a sweep has ended, the next one does nothing")
		}
		taken, err := s.ledger().Lease(t.Context(), "sweep", "crashed", time.Now().Add(time.Minute))
		s.must(err)
		if !taken {
			t.Fatal("an ended sweep still holds its lease")
		}
		s.sweep()
		if len(s.swept()) != 0 {
			t.Error("a sweep runs beside another one")
		}
		wait(61 * time.Second)
		s.sweep()
		if len(s.swept()) != 1 {
			t.Error("a crashed sweep still holds up the others after a minute")
		}
	})
}

// The totals of a room get no older than five minutes.
func TestSweepKeepsTotals(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage, _ *syncbuf.Buffer) {
		s.show("r", 1)
		var asked []int
		for minute := range 11 {
			s.sweep()
			if slices.Contains(s.tencent.questions(), "totals r") {
				asked = append(asked, minute)
			}
			wait(time.Minute)
		}
		if want := []int{0, 5, 10}; !slices.Equal(asked, want) {
			t.Errorf("the totals were asked for in the minutes %v, want %v", asked, want)
		}
	})
}

type sweepLine struct {
	Level     string  `json:"level"`
	Msg       string  `json:"msg"`
	Rooms     int     `json:"rooms"`
	Snapshots int     `json:"snapshots"`
	Missed    int     `json:"missed_ends"`
	Lag       float64 `json:"sweep_lag_s"`
	Failures  int     `json:"failures"`
}

// The alarms of a deployment look at these fields.
func TestSweepLog(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(s *stage)
		fails  error // of questions about the numbers in r1
		want   sweepLine
	}{
		{name: "no rooms", want: sweepLine{Level: "INFO"}},
		{
			name: "two rooms", before: func(s *stage) { s.show("r1", 1); s.show("r2", 1); wait(time.Minute) },
			want: sweepLine{Level: "INFO", Rooms: 2, Snapshots: 2},
		},
		{
			name: "one room cannot be asked about", before: func(s *stage) { s.show("r1", 1); s.show("r2", 1); wait(time.Minute) },
			fails: giftstats.CodeUpstreamUnavailable, want: sweepLine{Level: "WARN", Rooms: 2, Snapshots: 1, Lag: 60, Failures: 1},
		},
		{
			name: "our own rate is used up", before: func(s *stage) { s.show("r1", 1); s.show("r2", 1); wait(time.Minute) },
			fails: giftstats.ErrNoTurn, want: sweepLine{Level: "INFO", Rooms: 2, Snapshots: 1, Lag: 60},
		},
		{
			name: "Tencent's rate is used up", before: func(s *stage) { s.show("r1", 1); s.show("r2", 1); wait(time.Minute) },
			fails: giftstats.CodeRateLimited, want: sweepLine{Level: "WARN", Rooms: 2, Snapshots: 1, Lag: 60, Failures: 1},
		},
		{
			name: "a room that was swept before", fails: giftstats.ErrNoTurn,
			before: func(s *stage) {
				s.tencent.fail = nil
				s.show("r1", 1)
				s.show("r2", 1)
				wait(time.Minute)
				s.sweep()
				wait(90 * time.Second)
			},
			want: sweepLine{Level: "INFO", Rooms: 2, Snapshots: 1, Lag: 90},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stage, log *syncbuf.Buffer) {
				if test.before != nil {
					test.before(s)
				}
				s.tencent.fail = func(question string) error {
					if test.fails == nil || !strings.Contains(question, " r1") {
						return nil
					}
					return fmt.Errorf("as told: %w", test.fails)
				}
				s.sweep()
				lines := strings.Split(strings.TrimSpace(log.String()), "\n")
				var got sweepLine
				s.must(json.Unmarshal([]byte(lines[len(lines)-1]), &got))
				test.want.Msg = "sweep finished"
				if got != test.want {
					t.Errorf("the log says %+v, want %+v", got, test.want)
				}
			})
		})
	}
}
