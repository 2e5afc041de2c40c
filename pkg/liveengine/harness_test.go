package liveengine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
)

// keyStore is a secret store that holds a bare key.
type keyStore struct {
	mu  sync.Mutex
	key string
	err error
}

func (s *keyStore) set(key string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.err = key, err
}

func (s *keyStore) Fetch(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.key), s.err
}

// upstream answers the client. Each call gets the next answer; after the last answer, every call gets that one.
type upstream struct {
	answers []answer

	mu    sync.Mutex
	calls []call
}

type answer struct {
	status int // 0 means 200
	header http.Header
	body   string
	err    error // instead of an answer
	delay  time.Duration
}

type call struct {
	path   string
	query  url.Values
	header http.Header
	body   string
	at     time.Time
}

// RoundTrip makes upstream an http.RoundTripper, so that tests can run in fake time.
func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	u.calls = append(u.calls, call{
		path:   r.Method + " " + r.URL.Path,
		query:  r.URL.Query(),
		header: r.Header,
		body:   string(body),
		at:     time.Now(),
	})
	next := u.answers[min(len(u.calls), len(u.answers))-1]
	u.mu.Unlock()
	select {
	case <-time.After(next.delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if next.err != nil {
		return nil, next.err
	}
	recorder := httptest.NewRecorder()
	for name, values := range next.header {
		recorder.Header()[name] = values
	}
	if next.status != 0 {
		recorder.WriteHeader(next.status)
	}
	io.WriteString(recorder, next.body)
	return recorder.Result(), nil
}

func code(code int, info string) answer {
	return answer{body: fmt.Sprintf(`{"ActionStatus":"FAIL","ErrorCode":%d,"ErrorInfo":%q,"RequestId":"Id-1"}`, code, info)}
}

// newClient returns a client of the given upstream with the key of the store. change, if not nil, changes the configuration.
func newClient(t testing.TB, up http.RoundTripper, store *keyStore, change func(*liveengine.Config)) *liveengine.Client {
	t.Helper()
	upstream, err := endpoint.Parse("https://upstream.example/prefix")
	if err != nil {
		t.Fatal(err)
	}
	config := liveengine.Config{
		Endpoint: upstream,
		Secrets: secrettest.NewCache(secret.Config{
			Store:       store,
			KeyDefaults: secret.KeyDefaults{SDKAppID: 1400000000, Admin: "administrator"},
		}),
		Limiter:    giftstats.NewLimiter(100_000),
		Timeout:    time.Minute, // only fake time tells a slow upstream from a busy machine
		Attempts:   3,
		UserAgent:  "giftstats/test",
		HTTPClient: &http.Client{Transport: up, CheckRedirect: liveengine.NewHTTPClient().CheckRedirect},
		Logger:     slog.New(slog.DiscardHandler),
		Jitter:     func(bound time.Duration) time.Duration { return bound },
	}
	if change != nil {
		change(&config)
	}
	client, err := liveengine.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func giftCount(t *testing.T, client *liveengine.Client) (giftstats.Stats, error) {
	t.Helper()
	return client.GiftCount(t.Context(), giftstats.Query{RoomID: "room_id", Account: "user1"})
}
