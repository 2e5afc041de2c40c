// Package app puts the parts of giftstats together, the same way for every cloud and for the local server.
package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/local"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Version of the program; set when it is linked.
var Version = "devel"

// Config of an [App].
type Config struct {
	Settings settings.Settings
	Store    secret.Store
	// Open makes the client of a queue or bus that the platform carries; nil where it carries none.
	Open  func(settings.Location) (delivery.Deliverer, error)
	Log   io.Writer
	Level slog.Leveler
	// Function is the name in each log line.
	Function string
	// Metrics marks the numbers of log lines as metrics, where the platform has a form for that; else nil.
	Metrics func(slog.Handler) slog.Handler
}

// App is everything that a main function serves with.
type App struct {
	Handler   http.Handler         // the HTTP side
	Processor *streamend.Processor // the events side
	Secrets   *secret.Cache
	Client    *liveengine.Client
	Logger    *slog.Logger
}

// New makes an App. It sends nothing yet.
func New(config Config) (*App, error) {
	s, meter, logger := config.Settings, new(telemetry.Meter), config.logger(config.Level)
	secrets := secret.NewCache(secret.Options{
		Store: config.Store, Bare: secret.Bare{SDKAppID: s.SDKAppID, Admin: s.Admin}, TTL: s.SecretTTL, Now: time.Now, Logger: logger,
	})
	client, err := liveengine.New(liveengine.Config{
		Endpoint: s.Endpoint, Secrets: secrets, Limiter: giftstats.NewLimiter(s.RateLimit),
		Timeout: s.Timeout, Attempts: s.Attempts, UserAgent: userAgent(), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	service := giftstats.NewService(client)
	receivers, err := config.receivers(secrets)
	if err != nil {
		return nil, err
	}
	processor := streamend.NewProcessor(streamend.Config{Service: service, Deliver: receivers, Settle: secrets.Settle, Meter: meter, Now: time.Now, Logger: logger})
	streamEnded := processor.Process
	if s.Queue != nil {
		queue, err := config.Open(*s.Queue)
		if err != nil {
			return nil, err
		}
		streamEnded = enqueue(queue)
	}
	handler := httpapi.New(httpapi.Config{
		Service: service, Secrets: secrets, Auth: httpapi.Auth(s.Auth), BasePath: s.BasePath, Version: Version, Meter: meter, Now: time.Now, Logger: logger,
		StreamEnded: streamEnded, CSSEndsStream: s.CSSEndsStream,
	})
	return &App{handler, processor, secrets, client, logger}, nil
}

// enqueue leaves the processing of an event to whoever reads the queue.
func enqueue(queue delivery.Deliverer) func(context.Context, streamend.Event) error {
	return func(ctx context.Context, event streamend.Event) error {
		body, err := json.Marshal(event)
		if err != nil {
			return fmt.Errorf("encode the event: %w", err)
		}
		return queue.Deliver(ctx, delivery.Message{ID: event.EventID, Body: body})
	}
}

// receivers are where summaries go.
func (c Config) receivers(secrets *secret.Cache) (delivery.Deliverer, error) {
	var receivers []delivery.Deliverer
	for _, location := range c.Settings.Deliver {
		receiver, err := c.receiver(location, secrets)
		if err != nil {
			return nil, err
		}
		receivers = append(receivers, receiver)
	}
	return delivery.All(receivers...), nil
}

func (c Config) receiver(location settings.Location, secrets *secret.Cache) (delivery.Deliverer, error) {
	switch location.Scheme {
	case "log":
		return delivery.Log(c.logger(slog.LevelInfo)), nil // whatever the level of the other lines is
	case "https", "http":
		return delivery.HTTPS(delivery.HTTPSConfig{URL: location.Scheme + "://" + location.Name, Key: deliveryKey(secrets), UserAgent: userAgent()}), nil
	default:
		return c.Open(location)
	}
}

func deliveryKey(secrets *secret.Cache) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		document, err := secrets.Get(ctx)
		if err != nil {
			return "", err
		}
		return document.DeliveryKey.Reveal(), nil
	}
}

func userAgent() string { return "giftstats/" + Version }

// logger writes JSON lines, one level deep. The handler of aws-lambda-go does not serve: it has other names for the fields
// (timestamp, message, requestId), on AWS only, and writes text where the function is not set to JSON.
func (c Config) logger(level slog.Leveler) *slog.Logger {
	handler := slog.Handler(slog.NewJSONHandler(c.Log, &slog.HandlerOptions{Level: level}))
	if c.Metrics != nil {
		handler = c.Metrics(handler)
	}
	return slog.New(telemetry.Handler{Handler: handler}).With("function", c.Function, "version", Version)
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
