package liveengine_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
)

func TestKnownBadSignatureIsNotSentWithEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{code(70009, "x")}}
		client := newClient(t, up, &keyStore{key: fakeKey}, nil)
		for i, calls := range []int{1, 2, 3} { // one when the secret has been read, not more
			for range 10 {
				if _, err := giftCount(t, client); !errors.Is(err, giftstats.CodeUpstreamCredentials) {
					t.Errorf("error %v", err)
				}
				time.Sleep(490 * time.Millisecond)
			}
			if len(up.calls) != calls {
				t.Errorf("after %d times five seconds: %d calls, want %d", i+1, len(up.calls), calls)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestWrongKeyIsNotSentWithEveryQueryOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := code(70009, "x")
		refused.delay = 50 * time.Millisecond
		for perSecond, most := range map[float64]int{200: 11, 100_000: 64} { // what is sent before the first answer arrives
			up := &upstream{answers: []answer{refused}}
			client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Limiter = giftstats.NewLimiter(perSecond) })
			batch := make([]giftstats.Query, giftstats.MaxBatch)
			for i := range batch {
				batch[i] = giftstats.Query{RoomID: "r", Account: fmt.Sprint(i)}
			}
			for _, result := range giftstats.NewService(client).GiftStatsBatch(t.Context(), batch) {
				if !errors.Is(result.Err, giftstats.CodeUpstreamCredentials) {
					t.Fatalf("%v: error %v", result.Query, result.Err)
				}
			}
			if len(up.calls) > most {
				t.Errorf("%v per second: %d wrong signatures for a batch of 1,000, want at most %d", perSecond, len(up.calls), most)
			}
		}
	})
}

// tencent checks signatures. Like Tencent, it refuses all calls for a minute after too many wrong ones.
type tencent struct {
	mu        sync.Mutex
	key       string
	bad       []time.Time
	shutUntil time.Time
}

const mostBad = 10 // in a minute; Tencent's number is not documented

func (s *tencent) RoundTrip(r *http.Request) (*http.Response, error) {
	reply := ok
	s.mu.Lock()
	switch now := time.Now(); {
	case now.Before(s.shutUntil):
		reply = code(70050, "x")
	case !signedWith(r.URL.Query().Get("usersig"), s.key):
		reply = code(70009, "x")
		s.bad = append(s.bad, now)
		if len(s.bad) > mostBad && now.Sub(s.bad[len(s.bad)-1-mostBad]) < time.Minute {
			s.shutUntil = now.Add(time.Minute)
		}
	}
	s.mu.Unlock()
	reply.delay = 50 * time.Millisecond
	return (&upstream{answers: []answer{reply}}).RoundTrip(r)
}

// The key is changed at Tencent first, and in the store a second later.
func TestRotationAtTwentyRequestsPerSecondCostsSecondsAndNotAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, store := &tencent{key: fakeKey}, &keyStore{key: fakeKey}
		client := newClient(t, up, store, nil)
		started := time.Now()
		time.AfterFunc(10*time.Second, func() {
			up.mu.Lock()
			defer up.mu.Unlock()
			up.key = "another-not-real-key"
		})
		time.AfterFunc(11*time.Second, func() { store.set("another-not-real-key", nil) })
		var requests sync.WaitGroup
		for range 20 * 60 {
			requests.Go(func() {
				at := time.Since(started)
				if _, err := giftCount(t, client); err != nil && (at < 9900*time.Millisecond || at > 15500*time.Millisecond) {
					t.Errorf("%v after the start: %v", at, err)
				}
			})
			time.Sleep(time.Second / 20)
		}
		requests.Wait()
		t.Logf("%d wrong signatures", len(up.bad))
		if len(up.bad) > mostBad/2 {
			t.Errorf("%d wrong signatures, which is too near to 70050", len(up.bad))
		}
	})
}

// The key is good, but the signature has expired: the first call that is refused renews it for all others.
func TestExpiredSignatureCostsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sent := map[string]int{}
		up := roundTripper(func(r *http.Request) (*http.Response, error) {
			sig := r.URL.Query().Get("usersig")
			mu.Lock()
			sent[sig]++
			reply := ok
			if len(sent) == 1 {
				reply = code(70001, "x")
			}
			mu.Unlock()
			reply.delay = time.Second
			return (&upstream{answers: []answer{reply}}).RoundTrip(r)
		})
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Timeout = 10 * time.Second })
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if _, err := giftCount(t, client); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if len(sent) != 2 {
			t.Errorf("%d signatures were sent, want 2", len(sent))
		}
	})
}

func TestTooManyBadSignatures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answers: []answer{code(70050, "x"), ok}}
		client := newClient(t, up, &keyStore{key: fakeKey}, nil)
		for range 3 {
			_, err := giftCount(t, client)
			if !errors.Is(err, giftstats.CodeUpstreamCredentials) {
				t.Errorf("error %v, want %s", err, giftstats.CodeUpstreamCredentials)
			}
			if !giftstats.AsError(err).Retryable() {
				t.Errorf("%v is not retryable, although the pause ends after a minute", err)
			}
			if known := giftstats.AsError(err); known.RetryAfter == 0 || known.Upstream.ErrorCode != 70050 {
				t.Errorf("retry after %v, upstream %+v", known.RetryAfter, known.Upstream)
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

func TestClockSetBackDoesNotStopCallsForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Int64
		up := &upstream{answers: []answer{code(70050, "x"), ok}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
			c.Now = func() time.Time { return time.Now().Round(0).Add(-time.Duration(back.Load())) }
		})
		giftCount(t, client)
		back.Store(int64(time.Hour))
		_, err := giftCount(t, client)
		if wait := giftstats.AsError(err).RetryAfter; wait <= 0 || wait > time.Minute {
			t.Errorf("%v: RetryAfter is %v, want at most a minute", err, wait)
		}
		time.Sleep(61 * time.Second)
		if _, err := giftCount(t, client); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}
