package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	fakeKey = "not-a-real-key"
	apiKey  = "not-a-real-api-key"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// engine answers every query with 100 coins, or with err. Two accounts fail on their own.
type engine struct{ err error }

func (e engine) GiftCount(_ context.Context, query giftstats.Query) (giftstats.Stats, error) {
	switch {
	case query.Account == "panic":
		panic("bug with " + fakeKey[:3])
	case query.Account == "unlucky":
		return giftstats.Stats{}, &giftstats.Error{Code: giftstats.CodeInternal, Detail: "hidden", Err: errors.New("cause")}
	case e.err != nil:
		return giftstats.Stats{}, e.err
	}
	return giftstats.Stats{
		RoomID: query.RoomID, Account: query.Account, TotalCount: 2, TotalCoins: 100, GiftSenderCount: 1,
		UpstreamRequestID: "Id-1", FetchedAt: now,
	}, nil
}

func (e engine) RoomStats(_ context.Context, roomID string) (giftstats.RoomStats, error) {
	messages := int64(3)
	totals := giftstats.RoomTotals{TotalGiftCoins: 100, TotalMessages: &messages}
	return giftstats.RoomStats{RoomID: roomID, RoomTotals: totals, FetchedAt: now}, e.err
}

func (e engine) RoomList(context.Context, string) (giftstats.RoomList, error) {
	return giftstats.RoomList{}, e.err
}

func (e engine) RoomInfo(context.Context, string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{}, e.err
}

// store is a secret store.
type store func() ([]byte, error)

func (s store) Fetch(context.Context) ([]byte, error) { return s() }

func document() ([]byte, error) {
	return json.Marshal(map[string]any{
		"sdk_app_id": 1400000000, "admin": "administrator", "secret_key": fakeKey,
		"api_keys": map[string]string{"backoffice": hashOf(apiKey)},
		"webhook":  map[string]string{"live_token": "xxxxyyyy", "trtc_key": "123654", "css_key": "somekey"},
	})
}

func hashOf(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

func newConfig(e giftstats.Engine, s store, log io.Writer) httpapi.Config {
	logger := slog.New(telemetry.Handler{Handler: slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})})
	return httpapi.Config{
		Service:     giftstats.NewService(e),
		Secrets:     secrettest.NewCache(secret.Config{Store: s, Logger: logger}),
		Auth:        httpapi.Auth{APIKey: true, UserSig: true},
		Version:     "v1.2.3",
		Meter:       new(telemetry.Meter),
		Now:         time.Now,
		Logger:      logger,
		StreamEnded: func(context.Context, streamend.Event) ([]byte, error) { return nil, nil },
	}
}

// newHandler serves e. If change is not nil, it may change the configuration.
func newHandler(t testing.TB, e giftstats.Engine, s store, log io.Writer, change func(*httpapi.Config)) http.Handler {
	t.Helper()
	config := newConfig(e, s, log)
	if change != nil {
		change(&config)
	}
	h, err := httpapi.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func basic(account, sig string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+sig))
}

// sigOf returns a UserSig of account.
func sigOf(t testing.TB, account, key string) string {
	t.Helper()
	sig, err := usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: 1400000000, Account: account, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// call describes a request. It carries the API key, unless header has another Authorization; an empty one removes it.
type call struct {
	method, target, body string
	header               map[string]string
}

// oneAccount is the target of a valid call for one account.
const oneAccount = "/v1/gift-stats?room_id=r&account=a"

func get(target string) call { return call{target: target} }

// getAs calls target with the header Authorization.
func getAs(authorization, target string) call {
	return call{target: target, header: map[string]string{"Authorization": authorization}}
}

// postBatch is a batch with body.
func postBatch(body string) call {
	return call{method: http.MethodPost, target: "/v1/gift-stats", body: body}
}

func (c call) withHeader(name, value string) call {
	c.header = map[string]string{name: value}
	return c
}

func (c call) request() *http.Request {
	if c.method == "" {
		c.method = http.MethodGet
	}
	r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
	r.Header.Set("Authorization", "Bearer "+apiKey)
	for name, value := range c.header {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	return r
}

func send(h http.Handler, c call) *httptest.ResponseRecorder { return sendRequest(h, c.request()) }

func sendRequest(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	h.ServeHTTP(response, r)
	return response
}

// problemIn returns the problem in response. The test fails if there is none, or if it disagrees with status or headers.
func problemIn(t *testing.T, response *httptest.ResponseRecorder) problem.Details {
	t.Helper()
	if got := response.Header().Get("Content-Type"); got != problem.ContentType {
		t.Fatalf("Content-Type %q of %s, want a problem", got, response.Body)
	}
	var got problem.Details
	if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, response.Body)
	}
	if got.Status != response.Code || got.Title != http.StatusText(response.Code) {
		t.Errorf("the problem disagrees with the status %d: %+v", response.Code, got)
	}
	if got.RequestID == "" || got.RequestID != response.Header().Get("X-Request-Id") {
		t.Errorf("request_id %q, X-Request-Id %q", got.RequestID, response.Header().Get("X-Request-Id"))
	}
	return got
}
