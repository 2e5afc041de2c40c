// Package liveengine is the client of Tencent's live engine REST API, v4/live_engine_http_srv.
//
// A [Client] signs each call with the app's secret, sends it, retries it while that can help, and returns typed numbers or a
// [giftstats.Error]. It has the commands that this project needs; another one needs a request type, an answer type and one
// method. Before you add a command that changes something, remember that calls are retried.
//
// Source: https://tencentcloud.com/zh/document/product/1047/34620
package liveengine

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/retry"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// Config of a [Client]. Endpoint, Secrets, Limiter, Timeout and Attempts are required.
type Config struct {
	// Endpoint is an https URL, or an http URL of a loopback host. If it has a path, the API's path is appended to it.
	Endpoint *url.URL
	Secrets  *secret.Cache      // provides sdk_app_id, admin and secret_key, which sign the calls
	Limiter  *giftstats.Limiter // every attempt waits for its turn here
	Timeout  time.Duration      // limits one attempt
	// Attempts is the number of attempts for one call, including the first. The attempt that follows a refused signature does
	// not count.
	Attempts   int
	UserAgent  string
	HTTPClient *http.Client     // default: NewHTTPClient()
	Now        func() time.Time // default: time.Now
	Logger     *slog.Logger     // default: slog.Default()
	// Jitter picks the length of a wait between attempts, from 0 up to the given bound. Default: evenly at random.
	Jitter func(bound time.Duration) time.Duration
}

// Client calls the live engine. It is safe for concurrent use.
type Client struct {
	config    Config
	signing   *signing
	backoff   retry.Backoff
	stoppedAt atomic.Pointer[time.Time] // when Tencent last answered 70050
}

// New checks the configuration and returns a client. It makes no call.
func New(config Config) (*Client, error) {
	switch {
	case config.Endpoint == nil || config.Endpoint.Host == "":
		return nil, errors.New("liveengine: Endpoint is required")
	case config.Secrets == nil || config.Limiter == nil:
		return nil, errors.New("liveengine: Secrets and Limiter are required")
	case config.Timeout <= 0 || config.Attempts < 1:
		return nil, errors.New("liveengine: Timeout and Attempts must be positive")
	}
	if err := endpoint.CheckScheme(config.Endpoint); err != nil {
		return nil, fmt.Errorf("liveengine: the endpoint %w", err)
	}
	if config.HTTPClient == nil {
		config.HTTPClient = NewHTTPClient()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Client{
		config:  config,
		signing: newSigning(config.Secrets, usersig.NewSigner(config.Now)),
		backoff: retry.Backoff{First: firstBackoff, Jitter: config.Jitter},
	}, nil
}
