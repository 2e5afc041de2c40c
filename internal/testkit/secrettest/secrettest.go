// Package secrettest makes caches of secret documents for the tests of other packages.
package secrettest

import (
	"log/slog"
	"time"

	"github.com/giftstats/giftstats/pkg/secret"
)

// NewCache returns a cache with the given configuration. Only Store is required. It panics if the configuration is invalid.
func NewCache(config secret.Config) *secret.Cache {
	if config.TTL == 0 {
		config.TTL = time.Hour
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	cache, err := secret.NewCache(config)
	if err != nil {
		panic(err)
	}
	return cache
}
