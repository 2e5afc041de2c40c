package retry_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/retry"
)

// upper is a back-off that always waits as long as it may.
var upper = retry.Backoff{First: 100 * time.Millisecond, Jitter: func(bound time.Duration) time.Duration { return bound }}

func TestWait(t *testing.T) {
	for _, test := range []struct {
		name       string
		attempt    int
		retryAfter time.Duration
		lastTook   time.Duration
		deadline   time.Duration // 0 means none
		want       bool
		waited     time.Duration
	}{
		{name: "after the first attempt", attempt: 1, want: true, waited: 100 * time.Millisecond},
		{name: "after the third attempt", attempt: 3, want: true, waited: 400 * time.Millisecond},
		{name: "after very many attempts", attempt: 1000, want: true, waited: 10 * time.Second},
		{name: "Retry-After is longer", attempt: 1, retryAfter: 2 * time.Second, want: true, waited: 2 * time.Second},
		{name: "Retry-After is shorter", attempt: 1, retryAfter: time.Millisecond, want: true, waited: 100 * time.Millisecond},
		{name: "Retry-After is too long", attempt: 1, retryAfter: 11 * time.Second, want: false},
		{name: "the deadline leaves time", attempt: 1, deadline: 160 * time.Millisecond, want: true, waited: 100 * time.Millisecond},
		{name: "the deadline comes before any attempt could end", attempt: 1, deadline: 140 * time.Millisecond, want: false},
		{name: "the deadline comes before an attempt like the last", attempt: 1, lastTook: time.Second, deadline: time.Second, want: false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				started := time.Now()
				if got := upper.Wait(ctx, test.attempt, test.retryAfter, test.lastTook); got != test.want {
					t.Errorf("Wait = %v, want %v", got, test.want)
				}
				if waited := time.Since(started); waited != test.waited {
					t.Errorf("waited %v, want %v", waited, test.waited)
				}
			})
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		started := time.Now()
		if upper.Wait(ctx, 1, 5*time.Second, 0) {
			t.Error("Wait = true, want false: the context was cancelled")
		}
		if waited := time.Since(started); waited != time.Second {
			t.Errorf("waited %v, want 1 s", waited)
		}
	})
}

func TestFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Duration]bool{}
		for range 20 {
			started := time.Now()
			retry.Backoff{First: 100 * time.Millisecond}.Wait(t.Context(), 1, 0, 0)
			waited := time.Since(started)
			if waited > 100*time.Millisecond {
				t.Errorf("waited %v, want at most 100 ms", waited)
			}
			waits[waited] = true
		}
		if len(waits) < 10 {
			t.Errorf("20 waits had %d different lengths", len(waits))
		}
	})
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		value string
		want  time.Duration
	}{
		{name: "missing", value: "", want: 0},
		{name: "seconds", value: "3", want: 3 * time.Second},
		{name: "zero", value: "0", want: 0},
		{name: "date", value: "Mon, 23 Nov 2026 12:00:07 GMT", want: 7 * time.Second},
		{name: "date in the past", value: "Mon, 23 Nov 2026 11:59:00 GMT", want: 0},
		{name: "seconds for years", value: "2147483647", want: time.Minute},
		{name: "more seconds than 64 bits hold", value: "99999999999999999999", want: time.Minute},
		{name: "date in years", value: "Mon, 23 Nov 2099 12:00:00 GMT", want: time.Minute},
		{name: "negative", value: "-1", want: 0},
		{name: "fraction", value: "1.5", want: 0},
		{name: "text", value: "soon", want: 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			if test.value != "" {
				header.Set("Retry-After", test.value)
			}
			if got := retry.After(header, now); got != test.want {
				t.Errorf("After = %v, want %v", got, test.want)
			}
		})
	}
}

func ExampleBackoff_Wait() {
	backoff := retry.Backoff{First: time.Millisecond}
	for attempt := 1; ; attempt++ {
		fmt.Println("attempt", attempt)
		if attempt == 3 || !backoff.Wait(context.Background(), attempt, 0, 0) {
			break
		}
	}
	// Output:
	// attempt 1
	// attempt 2
	// attempt 3
}

func FuzzAfter(f *testing.F) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	f.Add("3")
	f.Add("99999999999999999999")
	f.Add("Tue, 24 Nov 2026 00:00:10 GMT")
	f.Add("Mon, 01 Jan 0001 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		header := http.Header{"Retry-After": {value}}
		if after := retry.After(header, now); after < 0 || after > time.Minute {
			t.Errorf("%q means %v", value, after)
		}
	})
}
