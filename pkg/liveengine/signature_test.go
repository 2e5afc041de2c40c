package liveengine_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/problem"
)

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
				if len(up.calls) != 3 {
					t.Fatalf("%d calls, want 3", len(up.calls))
				}
				if up.calls[1].query.Get("usersig") != up.calls[0].query.Get("usersig") {
					t.Error("the signature was renewed before it was refused")
				}
				if up.calls[2].query.Get("usersig") == up.calls[1].query.Get("usersig") {
					t.Error("the signature was not renewed after it was refused")
				}
			})
		})
	}
}

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

func TestSlowRefusalsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := code(70009, "x")
		refused.delay = 6 * time.Second // longer than the minimum time between two reads of the store
		up := &upstream{answers: []answer{refused}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Timeout = 10 * time.Second })
		if _, err := giftCount(t, client); !errors.Is(err, giftstats.CodeUpstreamCredentials) || len(up.calls) != 2 {
			t.Errorf("%v after %d calls, want 2", err, len(up.calls))
		}
	})
}

func TestAttemptWithANewSignatureDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expired := code(70001, "x")
		expired.delay = time.Second // a signature made in the same second would be the same
		up := &upstream{answers: []answer{expired, {status: 503}, ok}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts, c.Timeout = 2, 10*time.Second })
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
	askAtOnce := func() {
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
	askAtOnce()
	mu.Lock()
	valid = "another-not-real-key"
	mu.Unlock()
	store.set("another-not-real-key", nil)
	askAtOnce()
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

func TestSecretUnavailable(t *testing.T) {
	client := newClient(t, &upstream{answers: []answer{ok}}, &keyStore{err: errors.New("store is down")}, nil)
	if _, err := giftCount(t, client); !errors.Is(err, giftstats.CodeSecretUnavailable) {
		t.Errorf("error %v", err)
	}
}

// The signature is sent in the URL, and net/http puts the URL into its errors.
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
			text := "bad usersig " + r.URL.Query().Get("usersig") + " or " + r.URL.RawQuery
			return (&upstream{answers: []answer{code(100002, text)}}).RoundTrip(r)
		},
		"answer that quotes the signature without its end": func(r *http.Request) (*http.Response, error) {
			sig := r.URL.Query().Get("usersig")
			return (&upstream{answers: []answer{code(100002, "bad usersig "+sig[:len(sig)-5])}}).RoundTrip(r)
		},
		"answer that quotes the middle of the signature": func(r *http.Request) (*http.Response, error) {
			sig := r.URL.Query().Get("usersig")
			return (&upstream{answers: []answer{code(100002, "near …"+sig[20:60]+"…")}}).RoundTrip(r)
		},
		"answer that breaks the signature into lines": func(r *http.Request) (*http.Response, error) {
			text := url.QueryEscape(r.URL.Query().Get("usersig"))
			return (&upstream{answers: []answer{code(100002, text[:70]+"\n"+text[70:140]+"\n"+text[140:])}}).RoundTrip(r)
		},
		"request id that quotes the signature": func(r *http.Request) (*http.Response, error) {
			body := `{"ErrorCode":100002,"RequestId":"` + r.URL.Query().Get("usersig") + `"}`
			return (&upstream{answers: []answer{{body: body}}}).RoundTrip(r)
		},
		"answer that is not JSON and quotes the URL": func(r *http.Request) (*http.Response, error) {
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
			if err == nil || sig == "" {
				t.Fatalf("error %v, signature %q: want both", err, sig)
			}
			for i := range len(sig) - 8 {
				if strings.Contains(text, sig[i:i+8]) {
					t.Fatalf("%q of the signature is in %s", sig[i:i+8], text)
				}
			}
			if strings.Contains(text, fakeKey) {
				t.Errorf("the key is in %s", text)
			}
		})
	}
}
