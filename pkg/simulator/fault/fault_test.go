package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator/fault"
)

// take makes calls and lists what they get, "-" for nothing.
func take(q *fault.Queue[string], targets string) string {
	var got []string
	for target := range strings.FieldsSeq(targets) {
		value, selected := q.Take(target)
		if !selected {
			value = "-"
		}
		got = append(got, value)
	}
	return strings.Join(got, " ")
}

func TestFirstMatchingRuleApplies(t *testing.T) {
	var q fault.Queue[string]
	q.Add(fault.Rule{Target: "a", Skip: 1, Times: 2}, "first")
	q.Add(fault.Rule{}, "once")
	q.Add(fault.Rule{Times: -1}, "always")
	if got, want := take(&q, "a b a a a b"), "- once first first always always"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	q.Clear()
	if got := take(&q, "a"); got != "-" {
		t.Errorf("%s after Clear", got)
	}
}

func TestProbability(t *testing.T) {
	for _, test := range []struct {
		rule fault.Rule
		want string // for draws of 0, 0.25, 0.5, 0.75 in turn
	}{
		{rule: fault.Rule{Probability: 0.5}, want: "x x - - x x - -"},
		{rule: fault.Rule{Probability: 0.5, Times: 3}, want: "x x - - x - - -"},
		{rule: fault.Rule{Probability: 0.5, Skip: 2}, want: "- - x x - - x x"},
		{rule: fault.Rule{Probability: 1}, want: "x x x x x x x x"},
		{rule: fault.Rule{Probability: 1, Times: 3}, want: "x x x - - - - -"},
		{rule: fault.Rule{Probability: -1, Times: 2}, want: "x x - - - - - -"},
	} {
		t.Run(fmt.Sprintf("%+v", test.rule), func(t *testing.T) {
			draws := 0
			q := fault.Queue[string]{Random: func() float64 { draws++; return float64((draws-1)%4) / 4 }}
			q.Add(test.rule, "x")
			if got := take(&q, strings.Repeat("a ", 8)); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
	var q fault.Queue[string]
	q.Add(fault.Rule{Probability: 0.5}, "x")
	if got := take(&q, strings.Repeat("a ", 100)); !strings.Contains(got, "x") || !strings.Contains(got, "-") {
		t.Errorf("without a source: %s", got)
	}
}

func TestWaitEndsWithTheRequestOrTheServer(t *testing.T) {
	// aborted waits for a minute and reports whether the request was aborted, and when.
	aborted := func(ctx context.Context, closed <-chan struct{}) (ended bool, after time.Duration) {
		started := time.Now()
		defer func() { ended, after = recover() == http.ErrAbortHandler, time.Since(started) }()
		fault.Wait(ctx, time.Minute, closed)
		return
	}
	synctest.Test(t, func(t *testing.T) {
		if ended, after := aborted(t.Context(), nil); ended || after != time.Minute {
			t.Errorf("aborted %v after %v", ended, after)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if ended, after := aborted(ctx, nil); !ended || after != time.Second {
			t.Errorf("caller gone: aborted %v after %v", ended, after)
		}
		closed := make(chan struct{})
		time.AfterFunc(2*time.Second, func() { close(closed) })
		if ended, after := aborted(t.Context(), closed); !ended || after != 2*time.Second {
			t.Errorf("server closed: aborted %v after %v", ended, after)
		}
		fault.Wait(t.Context(), 0, closed)
	})
}
