package liveengine_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
)

var ok = answer{body: sample}

func TestRetries(t *testing.T) {
	down := answer{status: 503}
	for _, test := range []struct {
		name     string
		answers  []answer
		deadline time.Duration // 0 means none
		want     giftstats.Code
		calls    int
		took     time.Duration
	}{
		{name: "first answer is good", answers: []answer{ok}, calls: 1},
		{name: "down once", answers: []answer{down, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "down twice, exponential", answers: []answer{down, down, ok}, calls: 3, took: 300 * time.Millisecond},
		{name: "down permanently", answers: []answer{down}, want: giftstats.CodeUpstreamUnavailable, calls: 3, took: 300 * time.Millisecond},
		{name: "server error", answers: []answer{code(100001, "x"), ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "cut off", answers: []answer{{body: sample[:50]}, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "network", answers: []answer{{err: errors.New("reset")}, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "too often", answers: []answer{code(60007, "x"), ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "a proxy's 400", answers: []answer{{status: 400}, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "a firewall's 403", answers: []answer{{status: 403}, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "a proxy's 413", answers: []answer{{status: 413}, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "a proxy's 421", answers: []answer{{status: 421}, ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "not parsed", answers: []answer{code(60002, "x"), ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "an unknown code", answers: []answer{code(123456, "x"), ok}, calls: 2, took: 100 * time.Millisecond},
		{name: "an unknown limit", answers: []answer{code(123456, "限频"), ok}, calls: 2, took: 100 * time.Millisecond},
		{
			name:    "limited permanently",
			answers: []answer{code(60007, "x")},
			want:    giftstats.CodeRateLimited,
			calls:   3,
			took:    300 * time.Millisecond,
		},
		{
			name:    "Retry-After",
			answers: []answer{{status: 429, header: http.Header{"Retry-After": {"2"}}}, ok},
			calls:   2,
			took:    2 * time.Second,
		},
		{
			name:    "Retry-After that is too long",
			answers: []answer{{status: 429, header: http.Header{"Retry-After": {"3600"}}}, ok},
			want:    giftstats.CodeRateLimited,
			calls:   1,
		},
		{
			name:     "Retry-After past the deadline",
			answers:  []answer{{status: 503, header: http.Header{"Retry-After": {"2"}}}, ok},
			deadline: time.Second,
			want:     giftstats.CodeUpstreamUnavailable,
			calls:    1,
		},
		{name: "the caller's fault", answers: []answer{code(100002, "x"), ok}, want: giftstats.CodeUpstreamRejected, calls: 1},
		{name: "the configuration's fault", answers: []answer{code(60026, "x"), ok}, want: giftstats.CodeUpstreamConfig, calls: 1},
		{name: "no such room", answers: []answer{code(100004, "x"), ok}, want: giftstats.CodeRoomNotFound, calls: 1},
		{name: "one attempt too slow", answers: []answer{{delay: time.Hour}, ok}, calls: 2, took: 1100 * time.Millisecond},
		{
			name:    "all attempts too slow",
			answers: []answer{{delay: time.Hour}},
			want:    giftstats.CodeUpstreamTimeout,
			calls:   3,
			took:    3300 * time.Millisecond,
		},
		{
			name:     "deadline in the first attempt",
			answers:  []answer{{delay: time.Hour}},
			deadline: 500 * time.Millisecond,
			want:     giftstats.CodeUpstreamTimeout,
			calls:    1,
			took:     500 * time.Millisecond,
		},
		{
			name:     "no time for an attempt as slow as the last",
			answers:  []answer{{delay: 800 * time.Millisecond, status: 503}, ok},
			deadline: 1500 * time.Millisecond,
			want:     giftstats.CodeUpstreamUnavailable,
			calls:    1,
			took:     800 * time.Millisecond,
		},
		{
			name:     "time for one more attempt",
			answers:  []answer{{delay: 300 * time.Millisecond, status: 503}, ok},
			deadline: 1500 * time.Millisecond,
			calls:    2,
			took:     400 * time.Millisecond,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &upstream{answers: test.answers}
				client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Timeout = time.Second })
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				started := time.Now()
				_, err := client.GiftCount(ctx, giftstats.Query{RoomID: "r", Account: "a"})
				took := time.Since(started)
				switch {
				case test.want == "" && err != nil:
					t.Errorf("error %v, want none", err)
				case test.want != "" && !errors.Is(err, test.want):
					t.Errorf("error %v, want %s", err, test.want)
				}
				if len(up.calls) != test.calls {
					t.Errorf("%d calls, want %d", len(up.calls), test.calls)
				}
				if took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
			})
		})
	}
}

func TestRetryAfterReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat)
		up := &upstream{answers: []answer{{status: 503, header: http.Header{"Retry-After": {date}}}}}
		_, err := giftCount(t, newClient(t, up, &keyStore{key: fakeKey}, nil))
		if got := giftstats.AsError(err).RetryAfter; got != 30*time.Second {
			t.Errorf("RetryAfter is %v, want 30 s", got)
		}
	})
}

func TestRetryAfterOfYearsIsAMinuteForTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{{status: 503, header: http.Header{"Retry-After": {"2147483647"}}}}}
		_, err := giftCount(t, newClient(t, up, &keyStore{key: fakeKey}, nil))
		if got := giftstats.AsError(err).RetryAfter; got != time.Minute {
			t.Errorf("RetryAfter is %v, want a minute", got)
		}
	})
}

func TestFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Duration]bool{}
		for range 20 {
			up := &upstream{answers: []answer{{status: 503}, ok}}
			client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Jitter = nil })
			if _, err := giftCount(t, client); err != nil {
				t.Fatal(err)
			}
			wait := up.calls[1].at.Sub(up.calls[0].at)
			if wait > 100*time.Millisecond {
				t.Errorf("waited %v, want at most 100 ms", wait)
			}
			waits[wait] = true
		}
		if len(waits) < 10 {
			t.Errorf("20 waits had %d lengths", len(waits))
		}
	})
}

func TestEveryAttemptTakesATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{{status: 503}}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Limiter = giftstats.NewLimiter(1) })
		giftCount(t, client)
		for i := 1; i < len(up.calls); i++ {
			if gap := up.calls[i].at.Sub(up.calls[i-1].at); gap < time.Second || gap > 1020*time.Millisecond {
				t.Errorf("attempt %d came %v after the one before, want 1 s", i+1, gap)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := client.GiftCount(ctx, giftstats.Query{RoomID: "r", Account: "a"}); !errors.Is(err, giftstats.CodeRateLimited) {
			t.Errorf("when the limiter would outlast the deadline: %v", err)
		}
	})
}

// After an answer that says that there are too many calls, the next turns come at half the pace.
func TestRefusalsForFrequencySlowTheClient(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answer
		slower bool
	}{
		{name: "60007", answer: code(60007, "x"), slower: true},
		{name: "60011", answer: code(60011, "x"), slower: true},
		{name: "60018", answer: code(60018, "x"), slower: true},
		{name: "60019", answer: code(60019, "x"), slower: true},
		{name: "100012", answer: code(100012, "x"), slower: true},
		{name: "status 429", answer: answer{status: 429}, slower: true},
		{name: "an unknown limit", answer: code(123456, "too many requests"), slower: true},
		{name: "success", answer: answer{body: sample}},
		{name: "no such room", answer: code(100004, "x")},
		{name: "a server error", answer: code(100001, "x")},
		{name: "status 503", answer: answer{status: 503}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &upstream{answers: []answer{test.answer, {body: sample}}}
				client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
					c.Limiter, c.Attempts = giftstats.NewLimiter(1), 1
				})
				giftCount(t, client)
				for range 2 { // the first of them has a turn that was planned before
					giftCount(t, client)
				}
				want := time.Second
				if test.slower {
					want = 2 * time.Second
				}
				if gap := up.calls[2].at.Sub(up.calls[1].at); gap < want || gap > want*102/100 {
					t.Errorf("the next calls are %v apart, want %v", gap, want)
				}
			})
		})
	}
}
