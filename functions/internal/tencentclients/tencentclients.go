// Package tencentclients makes an App with the clients that the binaries for Tencent Cloud carry.
package tencentclients

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsstore"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/scf"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
	"github.com/giftstats/giftstats/pkg/settings"
)

// App reads the settings and makes an App of them.
func App() (*app.App, error) {
	s, err := settings.Parse(os.Environ(), settings.Tencent)
	if err != nil {
		return nil, err
	}
	store, err := store(*s.Secret)
	if err != nil {
		return nil, err
	}
	return app.New(app.Config{
		Settings: s, Store: store, Open: open, Log: os.Stdout, Level: s.LogLevel,
		Function: cmp.Or(os.Getenv("SCF_FUNCTIONNAME"), filepath.Base(os.Args[0])), // no page says that Go1 processes are told their function
	})
}

func store(location settings.Location) (secret.Store, error) {
	if location.Scheme != "tencentssm" {
		return awsstore.Open(location)
	}
	return tencentssm.New(tencentssm.Options{
		SecretName: location.Name, Version: location.Params["version"], Region: location.Params["region"], Endpoint: location.Params["endpoint"], Lookup: os.Getenv,
	})
}

// open makes the client of the function that processes the ends of streams.
func open(location settings.Location) (delivery.Deliverer, error) {
	return scf.New(scf.Options{
		FunctionName: location.Name, Region: location.Params["region"], Namespace: location.Params["namespace"], Qualifier: location.Params["qualifier"],
		Endpoint: location.Params["endpoint"], Lookup: os.Getenv,
	})
}
