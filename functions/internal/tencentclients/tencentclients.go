// Package tencentclients builds an App with the clients that the binaries for Tencent Cloud link.
package tencentclients

import (
	"cmp"
	"os"
	"path/filepath"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsstore"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/scf"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/redis"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
	"github.com/giftstats/giftstats/pkg/settings"
)

// App builds an App from the environment.
func App(role app.Role) (*app.App, error) {
	s, err := settings.Parse(os.Environ(), settings.Tencent)
	if err != nil {
		return nil, err
	}
	store, err := store(*s.Secret)
	if err != nil {
		return nil, err
	}
	return app.New(app.Config{
		Role: role, Settings: s, Store: store, Open: open, OpenLedger: OpenLedger, Log: os.Stdout, Level: s.LogLevel,
		// Whether SCF sets SCF_FUNCTIONNAME for the Go1 runtime is not documented.
		Function: cmp.Or(os.Getenv("SCF_FUNCTIONNAME"), filepath.Base(os.Args[0])),
	})
}

func store(location settings.Location) (secret.Store, error) {
	if location.Scheme != "tencentssm" {
		return awsstore.Open(location)
	}
	return tencentssm.New(tencentssm.Config{
		SecretName: location.Name, Version: location.Params["version"], Region: location.Params["region"],
		Endpoint: location.Params["endpoint"], Lookup: os.Getenv,
	})
}

// open returns the client that invokes the stream-end function.
func open(location settings.Location) (delivery.Deliverer, error) {
	return scf.New(scf.Config{
		FunctionName: location.Name, Region: location.Params["region"], Namespace: location.Params["namespace"],
		Qualifier: location.Params["qualifier"], Endpoint: location.Params["endpoint"], Lookup: os.Getenv,
	})
}

// OpenLedger opens the database at a location, which must come from [settings.Parse]. It sends nothing: the login is read from the
// secret when the database is first used.
func OpenLedger(location settings.Location, secrets *secret.Cache) (ledger.Store, error) {
	return redis.New(redis.Config{Name: location.Name, TLS: location.Scheme == "rediss", Secrets: secrets, Now: time.Now})
}
