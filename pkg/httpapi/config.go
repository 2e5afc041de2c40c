package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	urls "github.com/giftstats/giftstats/pkg/endpoint" // endpoint is a type of this package
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Config configures the handler. All fields but BasePath, CORSOrigins, CSSEndsStream, Ledger and Console are required.
type Config struct {
	Service  *giftstats.Service
	Secrets  *secret.Cache // holds the API keys, and the key that verifies UserSigs
	Auth     Auth
	BasePath string // prefix that is removed from paths, like /prod
	// CORSOrigins are the origins whose pages may call the API from a browser. If there are none, responses have no CORS headers.
	CORSOrigins []string
	Version     string // of the program, for /healthz
	Meter       *telemetry.Meter
	Now         func() time.Time
	Logger      *slog.Logger

	// StreamEnded accepts the ends of streams: it enqueues or processes them. A nil error means that the event is on the queue, or
	// that its summary is delivered. The summary is nil if the event was enqueued, or if there was an error before it was made.
	StreamEnded   func(context.Context, streamend.Event) (summary []byte, err error)
	CSSEndsStream bool // whether an interrupted CSS push ends a stream

	Ledger *ledger.Ledger // nil: nothing is remembered

	Console bool // whether GET / serves the page
}

// Auth says who may call the API: callers with one of the accepted credentials, or everyone.
type Auth struct {
	APIKey  bool // accept API keys
	UserSig bool // accept UserSigs
	Open    bool // accept everyone, because a gateway in front authenticates; excludes the others
}

func (c Config) validate() error {
	var mistakes []error
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{name: "Service", missing: c.Service == nil},
		{name: "Secrets", missing: c.Secrets == nil},
		{name: "Version", missing: c.Version == ""},
		{name: "Meter", missing: c.Meter == nil},
		{name: "Now", missing: c.Now == nil},
		{name: "Logger", missing: c.Logger == nil},
		{name: "StreamEnded", missing: c.StreamEnded == nil},
	} {
		if field.missing {
			mistakes = append(mistakes, fmt.Errorf("httpapi: Config.%s is required", field.name))
		}
	}
	if c.BasePath != "" && (!strings.HasPrefix(c.BasePath, "/") || strings.HasSuffix(c.BasePath, "/")) {
		mistakes = append(mistakes, fmt.Errorf("httpapi: Config.BasePath %q must start with / and must not end with /", c.BasePath))
	}
	for _, origin := range c.CORSOrigins {
		if err := urls.CheckOrigin(origin); err != nil {
			mistakes = append(mistakes, fmt.Errorf("httpapi: an entry of Config.CORSOrigins %w", err))
		}
	}
	return errors.Join(append(mistakes, c.Auth.validate())...)
}

func (a Auth) validate() error {
	credentials := a.APIKey || a.UserSig
	switch {
	case !credentials && !a.Open:
		return errors.New("httpapi: Config.Auth accepts no credentials; set APIKey, UserSig or Open")
	case credentials && a.Open:
		return errors.New("httpapi: Config.Auth is Open and also accepts credentials; set one of them")
	}
	return nil
}
