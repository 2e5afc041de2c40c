// Package settings reads the GIFTSTATS_* variables of the environment.
//
// Parse reports everything that is wrong in one error, which names each variable. It does not repeat values, because one of them may be
// a secret in the wrong place.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

const prefix = "GIFTSTATS_"

// Settings hold everything that a deployer can choose.
type Settings struct {
	Secret        *Location     // GIFTSTATS_SECRET; nil only for the local server, which then uses the simulator's
	Endpoint      *url.URL      // GIFTSTATS_ENDPOINT; nil only for the local server, which then uses the simulator
	Auth          Auth          // GIFTSTATS_AUTH
	BasePath      string        // GIFTSTATS_BASE_PATH: empty, or with a leading and without a trailing slash
	CORSOrigins   []string      // GIFTSTATS_CORS_ORIGINS: the origins whose pages may call the API from a browser
	RateLimit     float64       // GIFTSTATS_RATE_LIMIT: upstream calls per second of this instance
	RateShared    float64       // GIFTSTATS_RATE_SHARED: further upstream calls per second of all instances together; 0, or no Ledger: none
	Timeout       time.Duration // GIFTSTATS_TIMEOUT: the time for one upstream attempt
	Attempts      int           // GIFTSTATS_ATTEMPTS: attempts for one upstream call, including the first
	SecretTTL     time.Duration // GIFTSTATS_SECRET_TTL: how long a fetched secret is used before it is read again
	Queue         *Location     // GIFTSTATS_QUEUE; nil: ends of streams are processed at once
	Deliver       []Location    // GIFTSTATS_DELIVER
	Ledger        *Location     // GIFTSTATS_LEDGER; nil: nothing is remembered
	DeadLetters   *Location     // GIFTSTATS_DEAD_LETTERS; nil: the queue of the events moves what can never succeed
	Console       bool          // GIFTSTATS_CONSOLE: whether GET / serves the page
	CSSEndsStream bool          // GIFTSTATS_CSS_ENDS_STREAM
	SDKAppID      int64         // GIFTSTATS_SDK_APP_ID; 0: not set
	Admin         string        // GIFTSTATS_ADMIN
	LogLevel      slog.Level    // GIFTSTATS_LOG_LEVEL

	LedgerRetention time.Duration // GIFTSTATS_LEDGER_RETENTION: how long an ended stream is remembered
}

// Auth says who may call the API: callers with one of the accepted credentials, or everyone.
type Auth struct {
	APIKey  bool // accept API keys
	UserSig bool // accept UserSigs
	Open    bool // accept everyone, because a gateway in front authenticates
}

// Location is the address of a service: scheme://name?parameters. The name is taken literally.
type Location struct {
	Scheme string
	Name   string
	Params map[string]string
}

// Platform lists the schemes that the binaries of a platform support.
type Platform struct {
	Name    string
	Local   bool // without a secret and an endpoint, the server uses the simulator
	Secrets []string
	Queues  []string
	Deliver []string
	Ledgers []string

	DeadLetters []string
}

// The supported platforms.
var (
	AWS = Platform{
		Name:    "AWS Lambda",
		Secrets: []string{"awssecretsmanager", "env", "file"},
		Queues:  []string{"sqs"},
		Deliver: []string{"log", "https", "http", "sqs", "eventbridge"},
		Ledgers: []string{"dynamodb"},

		DeadLetters: []string{"sqs"},
	}
	Tencent = Platform{
		Name:    "Tencent SCF",
		Secrets: []string{"tencentssm", "awssecretsmanager", "env", "file"},
		Queues:  []string{"scf"},
		Deliver: []string{"log", "https", "http"},
		Ledgers: []string{"redis", "rediss"},
	}
	Local = Platform{
		Name:    "the local server",
		Local:   true,
		Secrets: []string{"env", "file"},
		Deliver: []string{"log", "https", "http"},
		Ledgers: []string{"memory"},
	}
)

// Parse reads the settings from environ, in the form of os.Environ, for a binary of the given platform.
func Parse(environ []string, platform Platform) (Settings, error) {
	p := &parser{values: map[string]string{}, platform: platform}
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, prefix) {
			p.values[name] = strings.TrimSpace(value)
		}
	}
	settings := Settings{
		Secret:        p.secret("GIFTSTATS_SECRET"),
		Endpoint:      p.endpoint("GIFTSTATS_ENDPOINT"),
		Auth:          p.auth("GIFTSTATS_AUTH"),
		BasePath:      p.basePath("GIFTSTATS_BASE_PATH"),
		CORSOrigins:   p.origins("GIFTSTATS_CORS_ORIGINS"),
		RateLimit:     p.rate("GIFTSTATS_RATE_LIMIT", 200),
		RateShared:    p.rateShared("GIFTSTATS_RATE_SHARED"),
		Timeout:       p.duration("GIFTSTATS_TIMEOUT", 3*time.Second, time.Millisecond, time.Minute),
		Attempts:      p.count("GIFTSTATS_ATTEMPTS", 3, 10),
		SecretTTL:     p.duration("GIFTSTATS_SECRET_TTL", 5*time.Minute, time.Millisecond, 24*time.Hour),
		Queue:         p.queue("GIFTSTATS_QUEUE"),
		Deliver:       p.deliver("GIFTSTATS_DELIVER"),
		Ledger:        p.ledger("GIFTSTATS_LEDGER"),
		DeadLetters:   p.deadLetters("GIFTSTATS_DEAD_LETTERS"),
		Console:       p.flag("GIFTSTATS_CONSOLE", platform.Local),
		CSSEndsStream: p.flag("GIFTSTATS_CSS_ENDS_STREAM", false),
		SDKAppID:      p.appID("GIFTSTATS_SDK_APP_ID"),
		Admin:         p.account("GIFTSTATS_ADMIN"),
		LogLevel:      p.level("GIFTSTATS_LOG_LEVEL"),

		LedgerRetention: p.duration("GIFTSTATS_LEDGER_RETENTION", 9600*time.Hour, time.Hour, 87600*time.Hour),
	}
	p.unknown()
	if platform.Local && (settings.Secret == nil) != (settings.Endpoint == nil) && len(p.errs) == 0 {
		p.errorf("GIFTSTATS_SECRET and GIFTSTATS_ENDPOINT", "must be set together: both for a real app, neither for the simulator")
	}
	return settings, p.err()
}

// parser removes each variable from values when it is read, so that the unknown ones remain, and collects all errors.
type parser struct {
	values   map[string]string
	platform Platform
	errs     []error
}

func (p *parser) take(name string) string {
	value := p.values[name]
	delete(p.values, name)
	return value
}

func (p *parser) errorf(name, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

func (p *parser) unknown() {
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		p.errorf(name+":", "unknown setting (misspelled?)")
	}
}

func (p *parser) err() error {
	if len(p.errs) == 0 {
		return nil
	}
	return fmt.Errorf("invalid settings:\n%w", errors.Join(p.errs...))
}
