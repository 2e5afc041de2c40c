package app_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
	"github.com/giftstats/giftstats/pkg/gateway/tencent"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/telemetry/emf"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const anotherKey = "another-not-real-key"

// store is the secret store of the simulated app.
type store struct {
	mu  sync.Mutex
	key string
	err error
}

func (s *store) set(key string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.err = key, err
}

// Fetch returns the secret document with the current key.
func (s *store) Fetch(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(fixture.Document(s.key)), s.err
}

// brokenLedger is a store of streams that cannot be reached.
type brokenLedger struct{ ledger.Store }

func (brokenLedger) ListEnded(context.Context, ledger.Query) ([]ledger.Ended, error) {
	return nil, errors.New("table not reachable")
}

func (brokenLedger) ReserveSlots(context.Context, int, time.Duration, time.Duration) (time.Time, bool, error) {
	return time.Time{}, false, errors.New("table not reachable")
}

// world is an app, the simulator that it calls, its secret store, and its log.
type world struct {
	app    *app.App
	engine *simulator.Engine
	store  *store
	log    *syncbuf.Buffer
}

// worldConfig changes a world from its defaults: level info, a rate limit that no test reaches, and both kinds of authentication.
type worldConfig struct {
	log       io.Writer // nil means the log of the world
	level     slog.Level
	simulator func(*simulator.Config)
	queue     delivery.Deliverer // of GIFTSTATS_QUEUE
	ledger    ledger.Store       // of GIFTSTATS_LEDGER; nil means one that cannot be reached
	variables []string
}

// newWorld starts a world with the room of the API page's sample.
func newWorld(t testing.TB, config worldConfig) *world {
	t.Helper()
	engine, upstream := fixture.Engine(t, config.simulator)
	s, err := settings.Parse(append([]string{
		"GIFTSTATS_ENDPOINT=" + upstream, "GIFTSTATS_SECRET=env://NOT_USED", "GIFTSTATS_AUTH=api-key,usersig",
		"GIFTSTATS_RATE_LIMIT=100000",
	}, config.variables...), settings.AWS)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{engine: engine, store: &store{key: fixture.SecretKey}, log: new(syncbuf.Buffer)}
	log := config.log
	if log == nil {
		log = w.log
	}
	remembers := config.ledger
	if remembers == nil {
		remembers = brokenLedger{}
	}
	w.app, err = app.New(app.Config{
		Settings: s, Store: w.store, Log: log, Level: config.level, Function: "test",
		Open:       func(settings.Location) (delivery.Deliverer, error) { return config.queue, nil },
		OpenLedger: func(settings.Location, *secret.Cache) (ledger.Store, error) { return remembers, nil },
		Metrics:    func(handler slog.Handler) slog.Handler { return emf.Handler{Handler: handler} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// ask returns the response to a request that reaches the handler without a gateway.
func (w *world) ask(r eventtest.Request) *httptest.ResponseRecorder {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	request := httptest.NewRequest(r.Method, r.Path+"?"+r.Query.Encode(), strings.NewReader(r.Body))
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	w.app.Handler.ServeHTTP(recorder, request)
	return recorder
}

// function is a cloud's function.
type function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// forms calls each for the event forms of both clouds, with the function that serves them.
func (w *world) forms(t testing.TB, handler http.Handler, each func(name string, form eventtest.Form, f function)) {
	t.Helper()
	onAWS := must(aws.New(aws.Config{Handler: handler, Logger: w.app.Logger}))
	for _, form := range eventtest.AWS {
		each("AWS "+form.Name, form, onAWS)
	}
	onTencent := must(tencent.New(tencent.Config{Handler: handler, Logger: w.app.Logger}))
	for _, form := range eventtest.Tencent {
		each("Tencent "+form.Name, form, onTencent)
	}
}

// userSig returns the UserSig of an account.
func userSig(t testing.TB, account string) string {
	t.Helper()
	identity := usersig.Identity{SDKAppID: fixture.AppID, Account: account, Key: fixture.SecretKey}
	sig, err := usersig.NewSigner(time.Now).Sign(identity)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// basic returns the Authorization header of an app user.
func basic(account, sig string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+sig))}
}

// bearer returns the headers of a caller with an API key.
func bearer(key string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + key, "Host": "example.com"}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
