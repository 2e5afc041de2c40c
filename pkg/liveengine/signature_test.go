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
	synctest.Test(t, func(t *testing.T) {
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
