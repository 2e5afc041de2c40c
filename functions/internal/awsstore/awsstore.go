// Package awsstore opens the secret stores that all binaries carry, and AWS Secrets Manager.
package awsstore

import (
	"os"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
	"github.com/giftstats/giftstats/pkg/settings"
)

// Open opens the store at a location that the settings have checked.
func Open(location settings.Location) (secret.Store, error) {
	if store := app.LocalStore(location); store != nil {
		return store, nil
	}
	return awssecretsmanager.New(awssecretsmanager.Options{
		SecretID: location.Name, VersionStage: location.Params["version_stage"], Endpoint: location.Params["endpoint"], Environment: awsenv.New(os.Getenv),
	})
}
