package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
)

// store answers after latency with the bare key or the failure that it is set to.
type store struct {
	mu      sync.Mutex
	key     string
	failure error
	latency time.Duration
	fetches int
}

func (s *store) set(key string, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.failure = key, failure
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

func (s *store) Fetch(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	s.fetches++
	key, failure, latency := s.key, s.failure, s.latency
	s.mu.Unlock()
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if key == "panic" {
		panic("bug in the client")
	}
	return []byte(key), failure
}

var errDown = errors.New("store is down")

// cached runs test in a bubble of fake time with a cache over a store of 60 ms latency.
func cached(t *testing.T, test func(t *testing.T, s *store, cache *secret.Cache, log *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{key: "key-1", latency: 60 * time.Millisecond}
		log := &bytes.Buffer{}
		cache, err := secret.NewCache(secret.Config{
			Store: s, KeyDefaults: keyDefaults, TTL: 5 * time.Minute, Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, s, cache, log)
		synctest.Wait()
	})
}

// get wants the key, or secret_unavailable when key is "".
func get(t *testing.T, cache *secret.Cache, key string) *secret.Document {
	t.Helper()
	document, err := cache.Get(t.Context())
	switch {
	case key == "" && !errors.Is(err, giftstats.CodeSecretUnavailable):
		t.Errorf("Get: %v, want secret_unavailable", err)
	case key != "" && err != nil:
		t.Errorf("Get: %v", err)
	case key != "" && document.SecretKey.Reveal() != key:
		t.Errorf("Get gives %s, want %s", document.SecretKey.Reveal(), key)
	}
	return document
}

func wantFetches(t *testing.T, s *store, want int) {
	t.Helper()
	synctest.Wait()
	if got := s.count(); got != want {
		t.Errorf("the store was read %d times, want %d", got, want)
	}
}

func TestCacheSharesTheFirstRead(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() { get(t, cache, "key-1") })
		}
		callers.Wait()
		wantFetches(t, s, 1)
	})
}

func TestCacheServesTheOldOneWhileItReads(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		first := get(t, cache, "key-1")
		time.Sleep(5*time.Minute - time.Second)
		get(t, cache, "key-1")
		wantFetches(t, s, 1)
		time.Sleep(2 * time.Second)
		started := time.Now()
		if get(t, cache, "key-1") != first || time.Since(started) != 0 {
			t.Error("a stale document is not served at once")
		}
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
		if took := time.Since(started); took != 60*time.Millisecond {
			t.Errorf("WaitIdle returned after %v, want with the read, after 60 ms", took)
		}
		wantFetches(t, s, 2)
		if get(t, cache, "key-1") != first {
			t.Error("the same bytes gave another document")
		}
		s.set("key-2", nil)
		time.Sleep(5 * time.Minute)
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
		get(t, cache, "key-2")
		wantFetches(t, s, 3)
	})
}

func TestCacheKeepsTheOldOneWhenReadingFails(t *testing.T) {
	const unreachable, replaced = "secret refresh failed; using the cached one", "stored secret is invalid; using the older one"
	for _, test := range []struct {
		name    string
		key     string
		failure error
		logged  string
	}{
		{name: "store down", failure: errDown, logged: unreachable},
		{name: "panic", key: "panic", logged: unreachable},
		{name: "invalid document", key: `{"secret_key":1}`, logged: replaced},
		{name: "empty", key: "", logged: replaced},
	} {
		t.Run(test.name, func(t *testing.T) {
			cached(t, func(t *testing.T, s *store, cache *secret.Cache, log *bytes.Buffer) {
				get(t, cache, "key-1")
				s.set(test.key, test.failure)
				time.Sleep(6 * time.Minute)
				for range 3 {
					get(t, cache, "key-1")
					cache.WaitIdle(t.Context())
				}
				wantFetches(t, s, 2) // not again within five seconds
				if !strings.Contains(log.String(), test.logged) {
					t.Errorf("the log does not say %q: %s", test.logged, log)
				}
				s.set("key-2", nil)
				time.Sleep(5 * time.Second)
				get(t, cache, "key-1")
				cache.WaitIdle(t.Context())
				get(t, cache, "key-2")
			})
		})
	}
}

// An operator removes a key from the document, and makes a typing mistake. The old document with the key must not be used for as long as
// nobody notices.
func TestRevokedKeyDoesNotStayValidBehindAnInvalidDocument(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, log *bytes.Buffer) {
		get(t, cache, "key-1")
		s.set(`{"secret_key":1}`, nil)
		time.Sleep(5 * time.Minute)
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
		for _, want := range []string{"level=ERROR", "code=secret_unavailable", "errors=1", "usable_s=900"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %q in the log, so no alarm rings: %s", want, log)
			}
		}
		time.Sleep(15*time.Minute - time.Second)
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
		s.set("", errDown) // what was replaced stays replaced, whether the store can be reached or not
		time.Sleep(time.Second)
		get(t, cache, "")
		s.set("key-2", nil)
		time.Sleep(firstRetryDelay)
		get(t, cache, "key-2")
		time.Sleep(time.Hour)
		get(t, cache, "key-2")
		cache.WaitIdle(t.Context())
	})
}

// The document did not change: only the store is down, for however long.
func TestStoreThatIsDownDoesNotStopTheUseOfTheDocument(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		get(t, cache, "key-1")
		s.set("", errDown)
		for range 24 * 60 {
			time.Sleep(time.Minute)
			get(t, cache, "key-1")
		}
		cache.WaitIdle(t.Context())
	})
}

// A TTL that is shorter than the wait after a failed read is not made longer by it.
func TestShortTTLIsKeptWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{key: "key-1"}
		cache, err := secret.NewCache(secret.Config{
			Store: s, KeyDefaults: keyDefaults, TTL: time.Second, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		get(t, cache, "key-1")
		s.set("", errDown)
		for range 3 {
			time.Sleep(time.Second)
			get(t, cache, "key-1")
			synctest.Wait()
		}
		if got := s.count(); got != 4 {
			t.Errorf("the store was read %d times in 3 s, want 4 times: at first and once a second", got)
		}
	})
}

func TestDocumentThatIsCorrectedIsUsedOn(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		get(t, cache, "key-1")
		s.set("{", nil)
		time.Sleep(6 * time.Minute)
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
		s.set("key-1", nil)
		time.Sleep(time.Minute)
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
		time.Sleep(time.Hour)
		get(t, cache, "key-1")
		cache.WaitIdle(t.Context())
	})
}

func TestCacheForgetsAFailedFirstReadAfterASecond(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		s.set("", errDown)
		get(t, cache, "")
		get(t, cache, "")
		wantFetches(t, s, 1)
		s.set("key-1", nil)
		time.Sleep(time.Second)
		get(t, cache, "key-1")
		wantFetches(t, s, 2)
	})
}

func TestCacheDoesNotTrustTheFailureOfAnOlderRead(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		s.latency = time.Hour // as if the process had been frozen while it read
		frozen, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go cache.Get(frozen)
		synctest.Wait()
		s.mu.Lock()
		s.latency = 60 * time.Millisecond
		s.mu.Unlock()
		get(t, cache, "key-1")
		wantFetches(t, s, 2)
	})
}

func TestCacheEndsWithTheDeadline(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		s.latency = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := cache.Get(ctx); !errors.Is(err, giftstats.CodeSecretUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get at the deadline: %v", err)
		}
		started := time.Now()
		time.Sleep(firstRetryDelay)
		get(t, cache, "")
		if took := time.Since(started); took > 4*time.Second+firstRetryDelay {
			t.Errorf("a store that hangs holds a request for %v", took)
		}
		time.Sleep(firstRetryDelay)
		go cache.Get(t.Context())
		synctest.Wait()
		started = time.Now()
		if cache.WaitIdle(t.Context()); time.Since(started) != time.Second {
			t.Errorf("a store that hangs holds the end of an invocation for %v", time.Since(started))
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		started = time.Now()
		if cache.WaitIdle(ctx); time.Since(started) != time.Millisecond {
			t.Error("WaitIdle waits past its context")
		}
		time.Sleep(4 * time.Second) // until the read has ended
	})
}

const firstRetryDelay = time.Second

func TestCacheReadsAgainForARefusedSignature(t *testing.T) {
	cached(t, func(t *testing.T, s *store, cache *secret.Cache, _ *bytes.Buffer) {
		refused := get(t, cache, "key-1")
		s.set("key-2", nil)
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if document, retry := cache.Reread(t.Context(), refused); !retry || document.SecretKey.Reveal() != "key-2" {
					t.Errorf("Reread = %s, %v", document.SecretKey.Reveal(), retry)
				}
			})
		}
		callers.Wait()
		wantFetches(t, s, 2)
		current := get(t, cache, "key-2")
		if document, retry := cache.Reread(t.Context(), current); retry || document != current {
			t.Error("read twice within five seconds for refused signatures")
		}
		wantFetches(t, s, 2)
		time.Sleep(5 * time.Second)
		if document, retry := cache.Reread(t.Context(), current); !retry || document != current {
			t.Error("not read after five seconds")
		}
		wantFetches(t, s, 3)
		time.Sleep(5 * time.Second)
		s.set("", errDown)
		if document, retry := cache.Reread(t.Context(), current); !retry || document != current {
			t.Error("a store that is down must not stop the use of the document")
		}
	})
}

func TestNewCacheChecksItsConfig(t *testing.T) {
	for name, change := range map[string]func(*secret.Config){
		"store":  func(c *secret.Config) { c.Store = nil },
		"TTL":    func(c *secret.Config) { c.TTL = 0 },
		"now":    func(c *secret.Config) { c.Now = nil },
		"logger": func(c *secret.Config) { c.Logger = nil },
	} {
		config := secret.Config{Store: &store{}, TTL: time.Minute, Now: time.Now, Logger: slog.Default()}
		if _, err := secret.NewCache(config); err != nil {
			t.Fatal(err)
		}
		change(&config)
		if _, err := secret.NewCache(config); err == nil {
			t.Errorf("a Config without %s is accepted", name)
		}
	}
}

func ExampleCache() {
	cache, err := secret.NewCache(secret.Config{
		Store: &store{key: "not-a-real-key"}, KeyDefaults: keyDefaults, TTL: time.Minute, Now: time.Now, Logger: slog.Default(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	document, err := cache.Get(context.Background())
	fmt.Println(document.Admin, document, err)
	// Output: administrator [redacted] <nil>
}
