package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/settings"
)

const (
	sweepEvery = time.Minute
	giftEvery  = 3 * time.Second
	// requestTime limits a request. In the cloud the api function ends after the same time.
	requestTime = 29 * time.Second
	// webhookTime limits the simulated webhooks. Tencent's own limits would lose a gift when this machine stands still for two seconds.
	webhookTime = 20 * time.Second
)

// server serves the handler on an address. Without a real app, it has a demo with a simulated live engine.
type server struct {
	settings settings.Settings
	app      *app.App
	demo     *demo // nil for a real app
	site     *site
	// delivers is whether summaries go to the demo's customer.
	delivers bool
	// sweeps is whether the server sweeps while it runs. It sweeps a real app only on request: that costs calls, which the app's
	// functions in the cloud may need.
	sweeps bool
}

// start starts to serve on the address.
func start(environ []string, address string, log io.Writer, level slog.Leveler) (*server, error) {
	s, err := settings.Parse(environ, settings.Local)
	if err != nil {
		return nil, err
	}
	server := &server{settings: s, sweeps: s.Endpoint == nil || isSet(environ, "GIFTSTATS_LEDGER")}
	if err := server.start(environ, address, log, level); err != nil {
		return nil, errors.Join(err, server.close())
	}
	return server, nil
}

func (s *server) start(environ []string, address string, log io.Writer, level slog.Leveler) error {
	var store secret.Store
	var err error
	if s.settings.Endpoint == nil {
		if s.demo, err = newDemo(); err != nil {
			return err
		}
		s.useDemo(environ)
		store = s.demo
	} else {
		store = app.LocalStore(*s.settings.Secret)
	}
	if s.app, err = app.New(app.Config{Settings: s.settings, Store: store, Log: log, Level: level, Function: "local"}); err != nil {
		return err
	}
	handler := withDeadline(s.app.Handler)
	if s.settings.Auth.Open {
		if handler, err = guard(handler, s.settings.CORSOrigins); err != nil {
			return err
		}
	}
	if s.site, err = serve(address, handler); err != nil {
		return fmt.Errorf("listen on %s (choose another address with make run ADDR=127.0.0.1:PORT): %w", address, err)
	}
	if s.demo != nil {
		return s.demo.sendWebhooks(s.url() + "/v1/webhooks/live")
	}
	return nil
}

// withDeadline gives every request a deadline. Without one, a request would wait for any number of others at the rate limit.
func withDeadline(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTime)
		defer cancel()
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// useDemo puts the demo in the place of Tencent and, unless the settings say otherwise, of the receiver of summaries. It also keeps the
// log quiet, because every gift of the demo writes a line.
func (s *server) useDemo(environ []string) {
	s.settings.Endpoint = s.demo.endpoint
	if !isSet(environ, "GIFTSTATS_DELIVER") {
		scheme, name, _ := strings.Cut(s.demo.customer.site.url, "://")
		s.settings.Deliver, s.delivers = []settings.Location{{Scheme: scheme, Name: name + "/summaries"}}, true
	}
	if !isSet(environ, "GIFTSTATS_LOG_LEVEL") {
		s.settings.LogLevel = slog.LevelWarn
	}
}

func isSet(environ []string, name string) bool {
	return slices.ContainsFunc(environ, func(pair string) bool { return strings.HasPrefix(pair, name+"=") && pair != name+"=" })
}

// url returns the URL before the path of a call.
func (s *server) url() string { return s.site.url + s.settings.BasePath }

// serve runs the sweeps and the demo until ctx is done or serving fails.
func (s *server) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	if s.sweeps {
		background.Go(func() { every(ctx, s.app.Logger, sweepEvery, "sweep", s.app.Processor.Sweep) })
	}
	if s.demo != nil {
		background.Go(func() { every(ctx, s.app.Logger, giftEvery, "simulated gift", s.demo.goOn()) })
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.site.served:
		return s.site.err
	}
}

// every does something at once and then at each interval, until ctx is done.
func every(ctx context.Context, logger *slog.Logger, interval time.Duration, name string, do func(context.Context) error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			logger.WarnContext(ctx, name+" failed", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// close finishes the requests that are running, and stops the demo.
func (s *server) close() error {
	err := s.site.close()
	if s.demo != nil {
		err = errors.Join(err, s.demo.close())
	}
	return err
}
