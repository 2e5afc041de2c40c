// Package app puts the parts of giftstats together, the same way for every cloud and for the local server.
package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/local"
	"github.com/giftstats/giftstats/pkg/settings"
)

// Version of the program; set when it is linked.
var Version = "devel"

// App is everything that a main function serves with.
type App struct {
	Handler http.Handler
	Secrets *secret.Cache
	Client  *liveengine.Client
	Logger  *slog.Logger
}

// New makes an App that calls the upstream at s.Endpoint with the secret of the store.
func New(s settings.Settings, store secret.Store, logger *slog.Logger) (*App, error) {
	secrets := secret.NewCache(secret.Options{
		Store: store, Bare: secret.Bare{SDKAppID: s.SDKAppID, Admin: s.Admin}, TTL: s.SecretTTL, Now: time.Now, Logger: logger,
	})
	client, err := liveengine.New(liveengine.Config{
		Endpoint: s.Endpoint, Secrets: secrets, Limiter: giftstats.NewLimiter(s.RateLimit),
		Timeout: s.Timeout, Attempts: s.Attempts, UserAgent: "giftstats/" + Version, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	handler := httpapi.New(httpapi.Config{
		Service: giftstats.NewService(client), Secrets: secrets, Auth: httpapi.Auth(s.Auth), BasePath: s.BasePath,
		Version: Version, Now: time.Now, Logger: logger,
	})
	return &App{handler, secrets, client, logger}, nil
}

// Logger writes JSON lines to out.
func Logger(out io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
}

// LocalStore opens the stores that every binary carries; nil for another scheme.
func LocalStore(location settings.Location) secret.Store {
	switch location.Scheme {
	case "env":
		return local.Env(location.Name)
	case "file":
		return local.File(location.Name)
	}
	return nil
}

// Prefetch reads the secret and connects to the upstream, side by side, so that the first request finds both done or under
// way. What fails is left for that request to meet, and logged.
func (a *App) Prefetch(ctx context.Context) {
	go a.Client.Warm(ctx)
	go func() {
		if _, err := a.Secrets.Get(ctx); err != nil {
			a.Logger.Warn("the secret could not be read ahead; the first request will try again", "error", err)
		}
	}()
}

// Fatal is the text that a process ends with when its settings are wrong.
func Fatal(err error) string { return fmt.Sprintf("giftstats: %v\n", err) }
