// Package settings reads the GIFTSTATS_* variables of the environment.
//
// They are read once, at start. All mistakes are reported together, each with the variable's name, and no value is repeated
// that could hold something secret.
package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
)

const prefix = "GIFTSTATS_"

// Settings are everything that a deployer may choose.
type Settings struct {
	Secret        *Location     // GIFTSTATS_SECRET; nil only locally: the simulator's
	Endpoint      *url.URL      // GIFTSTATS_ENDPOINT; nil only locally: the simulator
	Auth          Auth          // GIFTSTATS_AUTH
	BasePath      string        // GIFTSTATS_BASE_PATH: empty, or with a leading and without a trailing slash
	RateLimit     float64       // GIFTSTATS_RATE_LIMIT: upstream calls per second of this instance
	Timeout       time.Duration // GIFTSTATS_TIMEOUT: of one upstream attempt
	Attempts      int           // GIFTSTATS_ATTEMPTS: for one upstream call, the first included
	SecretTTL     time.Duration // GIFTSTATS_SECRET_TTL
	Queue         *Location     // GIFTSTATS_QUEUE; nil: process at once
	Deliver       []Location    // GIFTSTATS_DELIVER
	Ledger        *Location     // GIFTSTATS_LEDGER; nil: nothing is remembered
	CSSEndsStream bool          // GIFTSTATS_CSS_ENDS_STREAM
	SDKAppID      int64         // GIFTSTATS_SDK_APP_ID; 0: not set
	Admin         string        // GIFTSTATS_ADMIN
	LogLevel      slog.Level    // GIFTSTATS_LOG_LEVEL

	LedgerRetention time.Duration // GIFTSTATS_LEDGER_RETENTION: how long an ended stream is remembered
}

// Auth is how callers may prove who they are. All false means that the gateway in front does it.
type Auth struct{ APIKey, UserSig bool }

// Location is where something is kept or goes: scheme://name?parameters. The name is taken literally.
type Location struct {
	Scheme string
	Name   string
	Params map[string]string
}

// Platform is what a binary can do: the schemes that it carries a client for.
type Platform struct {
	Name    string
	Local   bool // the simulator stands in for secret and endpoint
	Secrets []string
	Queues  []string
	Deliver []string
	Ledgers []string
	// Beyond are receivers that only the function behind GIFTSTATS_QUEUE carries clients for. Without a queue they are a
	// mistake; with one they are left out, since this function then delivers nothing.
	Beyond []string
}

var awsSecrets = []string{"awssecretsmanager", "env", "file"}

// The platforms there are. On AWS the function that answers requests carries fewer clients than the one that processes the
// ends of streams: each costs time at every cold start, and it delivers only where it has no queue.
var (
	AWS = Platform{
		Name: "AWS Lambda", Secrets: awsSecrets, Queues: []string{"sqs"}, Ledgers: []string{"dynamodb"},
		Deliver: []string{"log", "https", "http", "sqs", "eventbridge"},
	}
	AWSAPI = Platform{
		Name: "AWS Lambda", Secrets: awsSecrets, Queues: []string{"sqs"}, Ledgers: []string{"dynamodb"},
		Deliver: []string{"log", "https", "http", "sqs"}, Beyond: []string{"eventbridge"},
	}
	Tencent = Platform{
		Name: "Tencent SCF", Secrets: []string{"tencentssm", "awssecretsmanager", "env", "file"}, Queues: []string{"scf"},
		Deliver: []string{"log", "https", "http"}, Ledgers: []string{"redis", "rediss"},
	}
	Local = Platform{
		Name: "the local server", Local: true, Secrets: []string{"env", "file"},
		Deliver: []string{"log", "https", "http"}, Ledgers: []string{"memory", "redis", "rediss"},
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
		RateLimit:     p.rate("GIFTSTATS_RATE_LIMIT", 200),
		Timeout:       p.duration("GIFTSTATS_TIMEOUT", 3*time.Second, time.Millisecond, time.Minute),
		Attempts:      p.count("GIFTSTATS_ATTEMPTS", 3, 10),
		SecretTTL:     p.duration("GIFTSTATS_SECRET_TTL", 5*time.Minute, time.Millisecond, 24*time.Hour),
		Queue:         p.queue("GIFTSTATS_QUEUE"),
		Deliver:       p.deliver("GIFTSTATS_DELIVER"),
		Ledger:        p.ledger("GIFTSTATS_LEDGER"),
		CSSEndsStream: p.flag("GIFTSTATS_CSS_ENDS_STREAM"),
		SDKAppID:      p.appID("GIFTSTATS_SDK_APP_ID"),
		Admin:         p.account("GIFTSTATS_ADMIN"),
		LogLevel:      p.level("GIFTSTATS_LOG_LEVEL"),

		LedgerRetention: p.duration("GIFTSTATS_LEDGER_RETENTION", 9600*time.Hour, time.Hour, 87600*time.Hour),
	}
	settings.Deliver = p.withoutBeyond(settings.Deliver, settings.Queue != nil)
	p.unknown()
	if platform.Local && (settings.Secret == nil) != (settings.Endpoint == nil) && len(p.mistakes) == 0 {
		p.mistake("GIFTSTATS_SECRET and GIFTSTATS_ENDPOINT", "go together: set both for a real app, or neither for the simulator")
	}
	return settings, p.err()
}

// parser collects the mistakes; every variable that it is asked for is taken out of values.
type parser struct {
	values   map[string]string
	platform Platform
	mistakes []error
}

func (p *parser) take(name string) string {
	value := p.values[name]
	delete(p.values, name)
	return value
}

func (p *parser) mistake(name, format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

func (p *parser) unknown() {
	var names []string
	for name := range p.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.mistake(name, "is no setting of giftstats; is it misspelt?")
	}
}

func (p *parser) err() error {
	if len(p.mistakes) == 0 {
		return nil
	}
	return fmt.Errorf("the settings are wrong:\n%w", errors.Join(p.mistakes...))
}
