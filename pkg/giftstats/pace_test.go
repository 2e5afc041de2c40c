package giftstats_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// perSecond returns how many turns a limiter gives in the next second.
func perSecond(t *testing.T, limiter *giftstats.Limiter) int {
	t.Helper()
	turns := 0
	for started := time.Now(); time.Since(started) < time.Second; turns++ {
		if err := limiter.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return turns
}

// wantPace checks the turns of a second. The first of them may have been planned before, and the last is just over the second.
func wantPace(t *testing.T, limiter *giftstats.Limiter, want int) {
	t.Helper()
	if got := perSecond(t, limiter); got < want-2 || got > want+2 {
		t.Errorf("%d turns in a second, want %d", got, want)
	}
}

func TestRefusalHalvesThePaceForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(200)
		wantPace(t, limiter, 200)
		limiter.Refused(time.Now())
		for _, want := range []int{100, 100, 125, 125, 150, 150, 175, 175, 200, 200} {
			wantPace(t, limiter, want)
		}
	})
}

func TestRefusalsOfOneBurstCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(200)
		sent := time.Now()
		time.Sleep(50 * time.Millisecond)
		for range 64 {
			limiter.Refused(sent)
			time.Sleep(10 * time.Millisecond)
		}
		limiter.Refused(time.Now()) // sent after the halving, but counted by Tencent with the calls before it
		wantPace(t, limiter, 100)
	})
}

func TestFurtherRefusalsHalveThePaceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(200)
		for _, want := range []int{100, 50, 25, 25} { // an eighth is the least
			limiter.Refused(time.Now())
			wantPace(t, limiter, want)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		wantPace(t, limiter, 200)
	})
}

// Two processes that do not know of each other share a limit of 200.
func TestTwoUsersOfOneLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counted := upstream{limit: 200}
		done := make(chan struct{})
		for range 2 {
			go func() {
				defer func() { done <- struct{}{} }()
				limiter := giftstats.NewLimiter(200)
				for started := time.Now(); time.Since(started) < time.Minute; {
					limiter.Wait(t.Context())
					if sent := time.Now(); !counted.accept(sent) {
						limiter.Refused(sent)
					}
				}
			}()
		}
		<-done
		<-done
		if rate := len(counted.accepted) / 60; rate < 140 {
			t.Errorf("%d calls per second were accepted, want at least 140 of 200", rate)
		}
		if counted.refused > len(counted.accepted)/50 {
			t.Errorf("%d calls were refused of %d, want at most 2 %%", counted.refused, len(counted.accepted))
		}
	})
}
