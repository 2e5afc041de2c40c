package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/settings"
)

// server serves the handler on an address. Without a real app, it has a demo with a simulated live engine.
type server struct {
	settings settings.Settings
	url      string
	app      *app.App
	demo     *demo // nil for a real app
	http     *http.Server
	ended    chan error // receives why serving ended
}

// start starts to serve on the address.
func start(environ []string, address string, log io.Writer, level slog.Leveler) (*server, error) {
	s, err := settings.Parse(environ, settings.Local)
	if err != nil {
		return nil, err
	}
	server := &server{settings: s, ended: make(chan error, 1)}
	var store secret.Store
	if s.Endpoint == nil {
		if server.demo, err = newDemo(); err != nil {
			return nil, err
		}
		server.settings.Endpoint, store = server.demo.endpoint, server.demo
		if !slices.ContainsFunc(environ, func(pair string) bool { return strings.HasPrefix(pair, "GIFTSTATS_DELIVER=") }) {
			scheme, name, _ := strings.Cut(server.demo.customer.url, "://")
			server.settings.Deliver = []settings.Location{{Scheme: scheme, Name: name}}
		}
	} else {
		store = app.LocalStore(*s.Secret)
	}
	if server.app, err = app.New(app.Config{Settings: server.settings, Store: store, Log: log, Level: level, Function: "local"}); err != nil {
		return nil, errors.Join(err, server.close())
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		err = fmt.Errorf("listen on %s (choose another address with make run ADDR=127.0.0.1:PORT): %w", address, err)
		return nil, errors.Join(err, server.close())
	}
	server.url = "http://" + listener.Addr().String()
	server.http = &http.Server{Handler: server.app.Handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { server.ended <- server.http.Serve(listener) }()
	if server.demo != nil {
		err = server.demo.engine.SetWebhook(server.url+server.settings.BasePath+"/v1/webhooks/live", server.demo.liveToken)
	}
	return server, err
}

// wait waits until ctx is done or serving fails.
func (s *server) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.ended:
		return err
	}
}

// close finishes the requests that are running, and stops the demo.
func (s *server) close() error {
	var err error
	if s.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err = s.http.Shutdown(ctx)
	}
	if s.demo != nil {
		err = errors.Join(err, s.demo.close())
	}
	return err
}
