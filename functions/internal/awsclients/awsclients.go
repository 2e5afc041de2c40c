// Package awsclients builds an App with the clients that all binaries for AWS link.
package awsclients

import (
	"log/slog"
	"os"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsstore"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/sqs"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/telemetry/emf"
)

// App builds an App from the environment. The function passes its own open, so that it links only the clients that it needs: a
// process initializes everything that is linked when it starts, whether it is used or not.
func App(role app.Role, open func(settings.Location) (delivery.Deliverer, error)) (*app.App, settings.Settings, error) {
	s, err := settings.Parse(os.Environ(), settings.AWS)
	if err != nil {
		return nil, s, err
	}
	store, err := awsstore.Open(*s.Secret)
	if err != nil {
		return nil, s, err
	}
	a, err := app.New(app.Config{
		Role: role, Settings: s, Store: store, Open: open, OpenLedger: OpenLedger,
		Log: os.Stdout, Level: s.LogLevel, Function: os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
		Metrics: func(handler slog.Handler) slog.Handler { return emf.Handler{Handler: handler} },
	})
	return a, s, err
}

// Open returns the client of a queue. Other services have their clients in the functions that need them.
func Open(location settings.Location) (delivery.Deliverer, error) {
	if location.Scheme != "sqs" {
		return nil, app.Unsupported(location)
	}
	return sqs.New(location.Name, awsenv.New(os.Getenv))
}

// OpenLedger opens the table at a location, which must come from [settings.Parse]. It needs nothing of the secret: the credentials are
// those of the function's role.
func OpenLedger(location settings.Location, _ *secret.Cache) (ledger.Store, error) {
	return dynamodb.New(dynamodb.Config{
		Table: location.Name, Endpoint: location.Params["endpoint"], Environment: awsenv.New(os.Getenv), Now: time.Now,
	})
}
