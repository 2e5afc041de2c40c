package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/simulator/control"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// The app of the sandbox and its keys. They are in docs/sandbox.md, so they protect nothing.
const (
	sandboxApp         = 1400000000
	sandboxAdmin       = "administrator"
	sandboxKey         = "sandbox-secret-key"
	sandboxAPIKey      = "sandbox-api-key"
	sandboxLiveToken   = "sandbox-live-token"
	sandboxTRTCKey     = "sandboxtrtckey"
	sandboxCSSKey      = "sandboxcsskey"
	sandboxDeliveryKey = "whsec_c2FuZGJveC1kZWxpdmVyeS1rZXktbm90LXNlY3JldA==" // base64 of sandbox-delivery-key-not-secret
)

const sandboxSweepEvery = 10 * time.Second

// sandbox serves giftstats and a simulated Tencent to develop against, with fixed keys. The paths under /sandbox/ change the simulated
// Tencent, and /v4/ is its REST API.
type sandbox struct {
	settings settings.Settings
	log      io.Writer
	level    *slog.LevelVar
	control  *control.Handler
	tencent  *site // the REST API, as giftstats calls it
	site     *site
	delivers bool // summaries go to a receiver of the developer's
	world    atomic.Pointer[world]
}

// world is all that a reset replaces.
type world struct {
	engine *simulator.Engine
	app    *app.App
	// product is the handler of app, with a deadline for each request.
	product http.Handler
}

// startSandbox starts to serve on the address.
func startSandbox(environ []string, address string, log io.Writer) (*sandbox, error) {
	if isSet(environ, "GIFTSTATS_ENDPOINT") || isSet(environ, "GIFTSTATS_SECRET") {
		return nil, errors.New("the sandbox has an app of its own: unset GIFTSTATS_ENDPOINT and GIFTSTATS_SECRET, or use make run")
	}
	parsed, err := settings.Parse(environ, settings.Local)
	if err != nil {
		return nil, err
	}
	s := &sandbox{settings: parsed, log: log, level: new(slog.LevelVar), delivers: isSet(environ, "GIFTSTATS_DELIVER")}
	s.level.Set(slog.LevelWarn)
	if isSet(environ, "GIFTSTATS_LOG_LEVEL") {
		s.level.Set(parsed.LogLevel)
	}
	if err := s.start(address); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *sandbox) start(address string) error {
	var err error
	s.control, err = control.New(control.Config{
		Engine:  func() *simulator.Engine { return s.world.Load().engine },
		Sweep:   func(ctx context.Context) error { return s.world.Load().app.Processor.Sweep(ctx) },
		UserSig: sandboxUserSig,
		Reset:   s.reset,
	})
	if err != nil {
		return err
	}
	if s.tencent, err = serve("127.0.0.1:0", http.HandlerFunc(s.serveTencent)); err != nil {
		return err
	}
	if s.settings.Endpoint, err = url.Parse(s.tencent.url); err != nil {
		return err
	}
	first, err := s.newWorld()
	if err != nil {
		return err
	}
	s.world.Store(first)
	guarded, err := guard(s, s.settings.CORSOrigins)
	if err != nil {
		return err
	}
	if s.site, err = serve(address, guarded); err != nil {
		return fmt.Errorf("listen on %s (choose another address with make sandbox ADDR=127.0.0.1:PORT): %w", address, err)
	}
	return first.sendWebhooks(s.url())
}

// newWorld returns a world in which nothing has happened yet.
func (s *sandbox) newWorld() (*world, error) {
	engine, err := simulator.New(simulator.Config{
		SDKAppID: sandboxApp, Admin: sandboxAdmin, SecretKey: sandboxKey, WebhookTime: webhookTime,
	})
	if err != nil {
		return nil, err
	}
	a, err := app.New(app.Config{
		Settings: s.settings, Store: sandboxSecret{}, Log: s.log, Level: s.level, Function: "sandbox",
	})
	if err != nil {
		return nil, err
	}
	return &world{engine, a, withDeadline(a.Handler)}, nil
}

// sendWebhooks makes the engine send its webhooks to giftstats.
func (w *world) sendWebhooks(url string) error {
	return w.engine.SetWebhook(url+"/v1/webhooks/live", sandboxLiveToken, webhooks...)
}

// reset replaces the world by a new one.
func (s *sandbox) reset() error {
	next, err := s.newWorld()
	if err != nil {
		return err
	}
	if err := next.sendWebhooks(s.url()); err != nil {
		return err
	}
	s.world.Store(next)
	return nil
}

// ServeHTTP passes a request to the part of the sandbox that it is for.
func (s *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, control.Prefix):
		s.control.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/v4/"):
		s.serveTencent(w, r)
	default:
		s.world.Load().product.ServeHTTP(w, r)
	}
}

func (s *sandbox) serveTencent(w http.ResponseWriter, r *http.Request) {
	s.world.Load().engine.ServeHTTP(w, r)
}

// url returns the URL before the path of a call of giftstats.
func (s *sandbox) url() string { return s.site.url + s.settings.BasePath }

// run sweeps until ctx is done or serving fails.
func (s *sandbox) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var sweeps sync.WaitGroup
	defer sweeps.Wait()
	defer stop()
	sweeps.Go(func() { every(ctx, s.world.Load().app.Logger, sandboxSweepEvery, "sweep", s.control.Sweep) })
	select {
	case <-ctx.Done():
		return nil
	case <-s.site.served:
		return s.site.err
	}
}

func (s *sandbox) close() error { return errors.Join(s.site.close(), s.tencent.close()) }

func sandboxUserSig(account string) (string, error) {
	return usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: sandboxApp, Account: account, Key: sandboxKey})
}

// sandboxSecret is the secret store of the sandbox.
type sandboxSecret struct{}

// Fetch returns the secret document.
func (sandboxSecret) Fetch(context.Context) ([]byte, error) {
	hash := sha256.Sum256([]byte(sandboxAPIKey))
	return json.Marshal(map[string]any{
		"sdk_app_id": sandboxApp, "admin": sandboxAdmin, "secret_key": sandboxKey,
		"api_keys":     map[string]string{"sandbox": hex.EncodeToString(hash[:])},
		"webhook":      map[string]string{"live_token": sandboxLiveToken, "trtc_key": sandboxTRTCKey, "css_key": sandboxCSSKey},
		"delivery_key": sandboxDeliveryKey,
	})
}
