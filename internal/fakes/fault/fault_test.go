package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/fault"
)

func TestTake(t *testing.T) {
	q := fault.NewQueue()
	q.Add(fault.Fault{Action: "a", Skip: 1, Times: 2, Code: "first"})
	q.Add(fault.Fault{Code: "once"})
	q.Add(fault.Fault{Times: -1, Code: "always"})
	var got []string
	for _, action := range strings.Fields("a b a a a b") {
		got = append(got, q.Take(action).Code)
	}
	if want := "[ once first first always always]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	q.Heal()
	if f := q.Take("a"); f.Replaces() || f.Latency != 0 {
		t.Errorf("after healing: %+v", f)
	}
}

func TestReplaces(t *testing.T) {
	for want, f := range map[bool]fault.Fault{true: {Body: []byte{}}, false: {Latency: time.Second}} {
		if f.Replaces() != want {
			t.Errorf("%+v", f)
		}
	}
	if !(fault.Fault{Code: "x"}).Replaces() || !(fault.Fault{Status: 500}).Replaces() {
		t.Error("a code or a status is no answer")
	}
}

func TestWait(t *testing.T) {
	// aborted waits for a minute and reports whether the request was ended, and when.
	aborted := func(q *fault.Queue, ctx context.Context) (ended bool, after time.Duration) {
		begun := time.Now()
		defer func() {
			ended, after = recover() == http.ErrAbortHandler, time.Since(begun)
		}()
		q.Wait(ctx, time.Minute)
		return
	}
	synctest.Test(t, func(t *testing.T) {
		q := fault.NewQueue()
		if ended, after := aborted(q, t.Context()); ended || after != time.Minute {
			t.Errorf("%v after %v", ended, after)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if ended, after := aborted(q, ctx); !ended || after != time.Second {
			t.Errorf("caller gone: %v after %v", ended, after)
		}
		time.AfterFunc(2*time.Second, q.Close)
		if ended, after := aborted(q, t.Context()); !ended || after != 2*time.Second {
			t.Errorf("server gone: %v after %v", ended, after)
		}
		q.Wait(t.Context(), 0)
	})
}
