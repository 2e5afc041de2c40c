package liveengine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/problem"
)

var ok = answer{body: sample}

func TestRepeats(t *testing.T) {
	down := answer{status: 503}
	for _, test := range []struct {
		name     string
		answers  []answer
		deadline time.Duration // 0: none
		want     giftstats.Code
		calls    int
		took     time.Duration
	}{
		{"first answer is good", []answer{ok}, 0, "", 1, 0},
		{"down once", []answer{down, ok}, 0, "", 2, 100 * time.Millisecond},
		{"down twice, exponential", []answer{down, down, ok}, 0, "", 3, 300 * time.Millisecond},
		{"down for good", []answer{down}, 0, giftstats.CodeUpstreamUnavailable, 3, 300 * time.Millisecond},
		{"server error", []answer{code(100001, "x"), ok}, 0, "", 2, 100 * time.Millisecond},
		{"cut off", []answer{{body: sample[:50]}, ok}, 0, "", 2, 100 * time.Millisecond},
		{"network", []answer{{err: errors.New("reset")}, ok}, 0, "", 2, 100 * time.Millisecond},
		{"too often", []answer{code(60007, "x"), ok}, 0, "", 2, 100 * time.Millisecond},
		{"too often for good", []answer{code(60007, "x")}, 0, giftstats.CodeRateLimited, 3, 300 * time.Millisecond},
		{"Retry-After", []answer{{status: 429, header: http.Header{"Retry-After": {"2"}}}, ok}, 0, "", 2, 2 * time.Second},
		{"Retry-After that is too long", []answer{{status: 429, header: http.Header{"Retry-After": {"3600"}}}, ok}, 0, giftstats.CodeRateLimited, 1, 0},
		{"Retry-After past the deadline", []answer{{status: 503, header: http.Header{"Retry-After": {"2"}}}, ok}, time.Second, giftstats.CodeUpstreamUnavailable, 1, 0},
		{"caller's fault", []answer{code(100002, "x"), ok}, 0, giftstats.CodeUpstreamRejected, 1, 0},
		{"configuration's fault", []answer{code(60026, "x"), ok}, 0, giftstats.CodeUpstreamConfig, 1, 0},
		{"no such room", []answer{code(100004, "x"), ok}, 0, giftstats.CodeRoomNotFound, 1, 0},
		{"one attempt too slow", []answer{{delay: time.Hour}, ok}, 0, "", 2, 1100 * time.Millisecond},
		{"all attempts too slow", []answer{{delay: time.Hour}}, 0, giftstats.CodeUpstreamTimeout, 3, 3300 * time.Millisecond},
		{"deadline in the first attempt", []answer{{delay: time.Hour}}, 500 * time.Millisecond, giftstats.CodeUpstreamTimeout, 1, 500 * time.Millisecond},
		{"no room for an attempt as slow as the last", []answer{{delay: 800 * time.Millisecond, status: 503}, ok}, 1500 * time.Millisecond, giftstats.CodeUpstreamUnavailable, 1, 800 * time.Millisecond},
		{"a room for one more", []answer{{delay: 300 * time.Millisecond, status: 503}, ok}, 1500 * time.Millisecond, "", 2, 400 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &upstream{answers: test.answers}
				client := newClient(t, up, &keyStore{key: fakeKey}, nil)
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				begun := time.Now()
				_, err := client.GiftCount(ctx, giftstats.Query{RoomID: "r", Account: "a"})
				if test.want == "" && err != nil || test.want != "" && !errors.Is(err, test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				if len(up.calls) != test.calls || time.Since(begun) != test.took {
					t.Errorf("%d calls in %v, want %d in %v", len(up.calls), time.Since(begun), test.calls, test.took)
				}
			})
		})
	}
}

func TestRetryAfterReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat)
		client := newClient(t, &upstream{answers: []answer{{status: 503, header: http.Header{"Retry-After": {at}}}}}, &keyStore{key: fakeKey}, nil)
		_, err := giftCount(t, client)
		if got := giftstats.AsError(err).RetryAfter; got != 30*time.Second {
			t.Errorf("RetryAfter is %v, want 30 s", got)
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

func TestRefusedSignature(t *testing.T) {
	for _, number := range []int{60004, 60005, 70001, 70003, 70005, 70009, 70013, 70014, 70016, 70052} {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &keyStore{key: fakeKey}
				up := &upstream{answers: []answer{ok, code(number, "x"), ok}}
				client := newClient(t, up, store, func(c *liveengine.Config) { c.Attempts = 1 })
				giftCount(t, client)
				store.set("another-not-real-key", nil)
				time.Sleep(time.Second)
				if _, err := giftCount(t, client); err != nil {
					t.Errorf("after a rotation: %v", err)
				}
				if len(up.calls) != 3 || up.calls[1].query.Get("usersig") != up.calls[0].query.Get("usersig") || up.calls[2].query.Get("usersig") == up.calls[1].query.Get("usersig") {
					t.Errorf("%d calls, or the signature was not renewed once", len(up.calls))
				}
			})
		})
	}
}

func TestSignatureRefusedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{code(70009, "x")}}
		client := newClient(t, up, &keyStore{key: fakeKey}, nil)
		for i, calls := range []int{2, 3, 4} { // one repeat in five seconds, and no more
			if _, err := giftCount(t, client); !errors.Is(err, giftstats.CodeUpstreamCredentials) {
				t.Errorf("error %v", err)
			}
			if len(up.calls) != calls {
				t.Errorf("after question %d: %d calls, want %d", i+1, len(up.calls), calls)
			}
		}
		time.Sleep(5 * time.Second)
		if giftCount(t, client); len(up.calls) != 6 {
			t.Errorf("%d calls five seconds later, want 6", len(up.calls))
		}
	})
}

func TestASlowRefusalIsNotAnsweredForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := code(70009, "x")
		refused.delay = 6 * time.Second // longer than the store is left alone for
		up := &upstream{answers: []answer{refused}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Timeout = 10 * time.Second })
		if _, err := giftCount(t, client); !errors.Is(err, giftstats.CodeUpstreamCredentials) || len(up.calls) != 2 {
			t.Errorf("%v after %d calls, want 2", err, len(up.calls))
		}
	})
}

func TestARepeatWithANewSignatureDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{code(70001, "x"), {status: 503}, ok}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 2 })
		if _, err := giftCount(t, client); err != nil || len(up.calls) != 3 {
			t.Errorf("%v after %d calls, want 3", err, len(up.calls))
		}
	})
}

func TestRotationUnderLoad(t *testing.T) {
	store := &keyStore{key: fakeKey}
	var mu sync.Mutex
	valid := fakeKey
	up := roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		key := valid
		mu.Unlock()
		answers := []answer{ok}
		if !signedWith(r.URL.Query().Get("usersig"), key) {
			answers = []answer{code(70009, "x")}
		}
		return (&upstream{answers: answers}).RoundTrip(r)
	})
	client := newClient(t, up, store, nil)
	ask := func() {
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if _, err := giftCount(t, client); err != nil {
					t.Errorf("%v", err)
				}
			})
		}
		callers.Wait()
	}
	ask()
	mu.Lock()
	valid = "another-not-real-key"
	mu.Unlock()
	store.set("another-not-real-key", nil)
	ask()
}

func TestTooManyBadSignatures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{code(70050, "x"), ok}}
		client := newClient(t, up, &keyStore{key: fakeKey}, nil)
		for range 3 {
			_, err := giftCount(t, client)
			if !errors.Is(err, giftstats.CodeUpstreamCredentials) || giftstats.AsError(err).RetryAfter == 0 || giftstats.AsError(err).Upstream.ErrorCode != 70050 {
				t.Errorf("error %v", err)
			}
			time.Sleep(19 * time.Second)
		}
		if len(up.calls) != 1 {
			t.Errorf("%d calls within the minute, want 1", len(up.calls))
		}
		time.Sleep(3 * time.Second)
		if _, err := giftCount(t, client); err != nil || len(up.calls) != 2 {
			t.Errorf("after the minute: %v, %d calls", err, len(up.calls))
		}
	})
}

func TestSecretUnavailable(t *testing.T) {
	client := newClient(t, &upstream{answers: []answer{ok}}, &keyStore{err: errors.New("store is down")}, nil)
	if _, err := giftCount(t, client); !errors.Is(err, giftstats.CodeSecretUnavailable) {
		t.Errorf("error %v", err)
	}
}

// The signature travels in the URL, and net/http puts the URL into its errors.
func TestSignatureIsInNoError(t *testing.T) {
	var log bytes.Buffer
	for name, up := range map[string]roundTripper{
		"network error": func(r *http.Request) (*http.Response, error) { return nil, errors.New("refused") },
		"error that quotes the URL": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot fetch %s", r.URL)
		},
		"error that quotes the signature": func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("bad " + r.URL.Query().Get("usersig"))}
		},
		"answer that quotes the signature": func(r *http.Request) (*http.Response, error) {
			return (&upstream{answers: []answer{code(100002, "bad usersig "+r.URL.Query().Get("usersig")+" or "+r.URL.RawQuery)}}).RoundTrip(r)
		},
		"answer that is no JSON and quotes the URL": func(r *http.Request) (*http.Response, error) {
			return (&upstream{answers: []answer{{body: r.URL.String()}}}).RoundTrip(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sig string
			spy := roundTripper(func(r *http.Request) (*http.Response, error) {
				sig = r.URL.Query().Get("usersig")
				return up(r)
			})
			client := newClient(t, spy, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
				c.Attempts = 1
				c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			_, err := giftCount(t, client)
			text := fmt.Sprintf("%v %+v %s", err, problem.Of(err, "x").Upstream, log.String())
			if err == nil || sig == "" || strings.Contains(text, sig) || strings.Contains(text, url.QueryEscape(sig)) || strings.Contains(text, fakeKey) {
				t.Errorf("a secret is in %s", text)
			}
		})
	}
}
