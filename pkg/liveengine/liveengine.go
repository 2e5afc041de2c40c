// Package liveengine is the client of Tencent's live engine REST API, v4/live_engine_http_srv.
//
// A [Client] signs each call with the app's secret, sends it, repeats it while that can help, and gives typed numbers or a
// [giftstats.Error]. It knows the commands that this project needs; a sibling needs a request type, an answer type and one
// line. A command that changes something must not be added without a thought: calls are repeated.
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
	Endpoint   *url.URL           // https, or http to a loopback host; a path is put in front of the API's
	Secrets    *secret.Cache      // sdk_app_id, admin and secret_key sign the calls
	Limiter    *giftstats.Limiter // every attempt takes one turn
	Timeout    time.Duration      // of one attempt
	Attempts   int                // for one call, the first included; a repeat with a new signature does not count
	UserAgent  string
	HTTPClient *http.Client     // default: NewHTTPClient()
	Now        func() time.Time // default: time.Now
	Logger     *slog.Logger     // default: slog.Default()
	// Jitter picks the length of a back-off, from 0 up to the given one. Default: evenly at random.
	Jitter func(time.Duration) time.Duration
}

// Client calls the live engine. It may be used from several goroutines.
type Client struct {
	config       Config
	signer       *usersig.Signer
	backoff      retry.Backoff
	signed       atomic.Pointer[signature] // the last one made
	stoppedUntil atomic.Int64              // Unix nanoseconds; set by 70050
}

// New checks the configuration.
func New(config Config) (*Client, error) {
	switch {
	case config.Endpoint == nil || config.Endpoint.Host == "":
		return nil, errors.New("liveengine: an endpoint is needed")
	case config.Secrets == nil || config.Limiter == nil:
		return nil, errors.New("liveengine: secrets and a limiter are needed")
	case config.Timeout <= 0 || config.Attempts < 1:
		return nil, errors.New("liveengine: timeout and attempts must be above zero")
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
		signer:  usersig.NewSigner(config.Now),
		backoff: retry.Backoff{First: firstBackoff, Jitter: config.Jitter},
	}, nil
}
