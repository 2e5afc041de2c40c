// Package app builds giftstats from its parts, in the same way for every cloud and for the local server.
package app

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
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/local"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Version is the version of the program. The linker sets it.
var Version = "devel"

// Role says which function an App is built for.
type Role int

const (
	// API answers HTTP requests. It leaves the ends of streams to the function behind GIFTSTATS_QUEUE, or, without a queue, processes
	// them itself.
	API Role = iota
	// StreamEnd processes the ends of streams. It ignores GIFTSTATS_QUEUE, so that both functions may have the same variables.
	StreamEnd
)

// Config configures an [App]. Settings, Store, Log and Level are required.
type Config struct {
	Role     Role
	Settings settings.Settings
	Store    secret.Store
	// Open returns the client of a queue or bus. If it is nil, the function supports none.
	Open func(settings.Location) (delivery.Deliverer, error)
	// OpenLedger returns the store of GIFTSTATS_LEDGER, which may need credentials from the secret. If it is nil, the function supports
	// memory only.
	OpenLedger func(settings.Location, *secret.Cache) (ledger.Store, error)
	Log        io.Writer
	Level      slog.Leveler
	// Function is the function's name in each log line.
	Function string
	// Metrics marks the numbers in log lines as metrics. If it is nil, the platform has no form for that.
	Metrics func(slog.Handler) slog.Handler
}

// App is what a main function serves with: one side for HTTP requests and one for the ends of streams.
//
// New builds both sides, because an API function without a queue needs both: a webhook arrives at the handler, which passes the end of the
// stream to the processor. Building a side costs little, since it sends nothing.
type App struct {
	Handler   http.Handler
	Processor *streamend.Processor // nil for an API function with a queue, which delivers nothing
	Secrets   *secret.Cache
	Client    *liveengine.Client
	Logger    *slog.Logger
}

// New builds an App. It sends nothing yet.
func New(config Config) (*App, error) {
	if config.Store == nil || config.Log == nil || config.Level == nil {
		return nil, errors.New("app: Store, Log and Level are required")
	}
	if config.Role != StreamEnd && config.Settings.DeadLetters != nil {
		return nil, errors.New("GIFTSTATS_DEAD_LETTERS must be empty for this function: only the stream-end function sends dead letters")
	}
	s, meter, logger := config.Settings, new(telemetry.Meter), config.logger(config.Level)
	secrets, err := secret.NewCache(secret.Config{
		Store: config.Store, KeyDefaults: secret.KeyDefaults{SDKAppID: s.SDKAppID, Admin: s.Admin},
		TTL: s.SecretTTL, Now: time.Now, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	remembered, err := config.ledger(secrets)
	if err != nil {
		return nil, fmt.Errorf("GIFTSTATS_LEDGER: %w", err)
	}
	client, err := liveengine.New(liveengine.Config{
		Endpoint: s.Endpoint, Secrets: secrets, Limiter: newLimiter(s, remembered, logger),
		Timeout: s.Timeout, Attempts: s.Attempts, UserAgent: userAgent(), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	service := giftstats.NewService(client)
	processor, err := config.processor(streamend.Config{
		Service: service, Rate: s.RateLimit, Ledger: remembered, Settle: config.settle(), WaitIdle: secrets.WaitIdle, Meter: meter, Now: time.Now,
		Logger: logger,
	}, secrets)
	if err != nil {
		return nil, err
	}
	streamEnded, err := config.streamEnded(processor)
	if err != nil {
		return nil, err
	}
	handler, err := httpapi.New(httpapi.Config{
		Service: service, Secrets: secrets, Auth: httpapi.Auth(s.Auth), BasePath: s.BasePath, CORSOrigins: s.CORSOrigins, Version: Version,
		Meter: meter, Now: time.Now, Logger: logger,
		StreamEnded: streamEnded, CSSEndsStream: s.CSSEndsStream, Ledger: remembered, Console: s.Console,
	})
	if err != nil {
		return nil, err
	}
	return &App{handler, processor, secrets, client, logger}, nil
}

// settleTime is how long the summary of a stream may wait for the report that has the room's totals, and for the last gifts. Both are
// usually there within a second.
const settleTime = 5 * time.Second

// settle returns how long a summary may wait. Only events from a queue wait: the sender of any other event waits for the response, for 2
// seconds (Tencent Chat) or 5 (TRTC).
func (c Config) settle() time.Duration {
	if c.Role != StreamEnd {
		return 0
	}
	return settleTime
}

// newLimiter returns the limiter of all calls to Tencent.
func newLimiter(s settings.Settings, remembered *ledger.Ledger, logger *slog.Logger) *giftstats.Limiter {
	if s.RateShared == 0 || remembered == nil {
		return giftstats.NewLimiter(s.RateLimit)
	}
	return giftstats.NewSharingLimiter(s.RateLimit, giftstats.Sharing{
		PerSecond: s.RateShared, Source: remembered,
		Failed: func(ctx context.Context, err error) {
			logger.LogAttrs(ctx, slog.LevelWarn, "shared rate not available; using this instance's own",
				slog.Int("rate_shared_errors", 1), slog.Any("error", err))
		},
	})
}

// queued reports whether another function processes the ends of streams.
func (c Config) queued() bool { return c.Role == API && c.Settings.Queue != nil }

// processor returns the processor for the ends of streams, or nil if another function processes them.
func (c Config) processor(config streamend.Config, secrets *secret.Cache) (*streamend.Processor, error) {
	if c.queued() {
		return nil, nil
	}
	receivers, err := c.receivers(secrets)
	if err != nil {
		return nil, fmt.Errorf("GIFTSTATS_DELIVER: %w", err)
	}
	config.Receivers = receivers
	return streamend.NewProcessor(config)
}

// streamEnded returns what the handler calls when a stream has ended.
func (c Config) streamEnded(processor *streamend.Processor) (func(context.Context, streamend.Event) ([]byte, error), error) {
	if !c.queued() {
		return processor.Deliver, nil
	}
	queue, err := c.open(*c.Settings.Queue)
	if err != nil {
		return nil, fmt.Errorf("GIFTSTATS_QUEUE: %w", err)
	}
	return enqueue(queue), nil
}

// enqueue returns a function that sends an event to the queue, for the function that reads it. There is no summary yet.
func enqueue(queue delivery.Deliverer) func(context.Context, streamend.Event) ([]byte, error) {
	return func(ctx context.Context, event streamend.Event) ([]byte, error) {
		body, err := json.Marshal(event)
		if err != nil {
			return nil, fmt.Errorf("encode the event: %w", err)
		}
		return nil, queue.Deliver(ctx, delivery.Message{ID: event.EventID, Body: body})
	}
}

// ledger returns what remembers streams, or nil if nothing does.
func (c Config) ledger(secrets *secret.Cache) (*ledger.Ledger, error) {
	location := c.Settings.Ledger
	if location == nil {
		return nil, nil
	}
	var store ledger.Store
	var err error
	switch {
	case location.Scheme == "memory":
		store = memory.New(time.Now)
	case c.OpenLedger == nil:
		err = fmt.Errorf("%s:// is not supported by this function", location.Scheme)
	default:
		store, err = c.OpenLedger(*location, secrets)
	}
	if err != nil {
		return nil, err
	}
	return ledger.New(ledger.Config{Store: store, Retention: c.Settings.LedgerRetention, Now: time.Now})
}

// receivers returns the places where summaries go.
func (c Config) receivers(secrets *secret.Cache) ([]delivery.Receiver, error) {
	var receivers []delivery.Receiver
	for _, location := range c.Settings.Deliver {
		deliverer, err := c.receiver(location, secrets)
		if err != nil {
			return nil, err
		}
		receivers = append(receivers, delivery.Receiver{Name: receiverName(location), Deliverer: deliverer})
	}
	return receivers, nil
}

// receiverName identifies a receiver without telling its address, which may hold a secret.
func receiverName(location settings.Location) string {
	digest := sha256.Sum256([]byte(location.Scheme + "://" + location.Name))
	return location.Scheme + "-" + hex.EncodeToString(digest[:8])
}

func (c Config) receiver(location settings.Location, secrets *secret.Cache) (delivery.Deliverer, error) {
	switch location.Scheme {
	case "log":
		return delivery.Log(c.logger(slog.LevelInfo)), nil // GIFTSTATS_LOG_LEVEL must not suppress summaries
	case "https", "http":
		return delivery.NewHTTPS(delivery.HTTPSConfig{
			URL: location.Scheme + "://" + location.Name, Key: deliveryKey(secrets), UserAgent: userAgent(),
		})
	default:
		return c.open(location)
	}
}

func (c Config) open(location settings.Location) (delivery.Deliverer, error) {
	if c.Open == nil {
		return nil, Unsupported(location)
	}
	return c.Open(location)
}

// Unsupported returns the error for a location whose client this function does not link.
func Unsupported(location settings.Location) error {
	return fmt.Errorf("%s:// is not supported by this function, only by the stream-end function: "+
		"set GIFTSTATS_QUEUE, or use another receiver", location.Scheme)
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

// logger writes JSON lines, one level deep. It does not use the handler of aws-lambda-go, which has other field names (timestamp,
// message, requestId), and writes text unless the function is configured for JSON.
func (c Config) logger(level slog.Leveler) *slog.Logger {
	handler := slog.Handler(slog.NewJSONHandler(c.Log, &slog.HandlerOptions{Level: level}))
	if c.Metrics != nil {
		handler = c.Metrics(handler)
	}
	return slog.New(telemetry.Handler{Handler: handler}).With("function", c.Function, "version", Version)
}

// LocalStore opens the secret stores that every binary supports. It returns nil for any other scheme.
func LocalStore(location settings.Location) secret.Store {
	switch location.Scheme {
	case "env":
		return local.Env(location.Name)
	case "file":
		return local.File(location.Name)
	}
	return nil
}

// Prefetch starts to read the secret and to connect to the upstream, so that the first request need not wait for either. A failure is
// logged; the first request then tries again.
func (a *App) Prefetch(ctx context.Context) {
	go a.Client.Warm(ctx)
	go func() {
		if _, err := a.Secrets.Get(ctx); err != nil {
			a.Logger.Warn("secret prefetch failed; the first request will retry", "error", err)
		}
	}()
}

// Fatal returns the text that a process writes before it exits because of invalid settings.
func Fatal(err error) string { return fmt.Sprintf("giftstats: %v\n", err) }
