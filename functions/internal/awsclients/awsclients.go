// Package awsclients makes an App with the clients that all binaries for AWS carry.
package awsclients

import (
	"log/slog"
	"os"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsstore"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/sqs"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/telemetry/emf"
)

// App reads the settings and makes an App of them. The function's platform says which receivers open can make a client of.
func App(platform settings.Platform, open func(settings.Location) (delivery.Deliverer, error)) (*app.App, settings.Settings, error) {
	s, err := settings.Parse(os.Environ(), platform)
	if err != nil {
		return nil, s, err
	}
	store, err := awsstore.Open(*s.Secret)
	if err != nil {
		return nil, s, err
	}
	a, err := app.New(app.Config{
		Settings: s, Store: store, Open: open, Log: os.Stdout, Level: s.LogLevel, Function: os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
		Metrics: func(handler slog.Handler) slog.Handler { return emf.Handler{Handler: handler} },
	})
	return a, s, err
}

// Queue makes the client of a queue. The clients of other services are with the functions that carry them: the start of a
// process initialises what is linked, used or not.
func Queue(location settings.Location) (delivery.Deliverer, error) {
	return sqs.New(location.Name, awsenv.New(os.Getenv))
}
