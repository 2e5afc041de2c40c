// Package awsstore opens AWS Secrets Manager, and the secret stores that all binaries support.
//
// It is separate from package awsclients because the binaries for Tencent Cloud need it, too, without the clients of SQS and of metrics.
package awsstore

import (
	"os"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
	"github.com/giftstats/giftstats/pkg/settings"
)

// Open opens the store at the location, which must come from [settings.Parse].
func Open(location settings.Location) (secret.Store, error) {
	if store := app.LocalStore(location); store != nil {
		return store, nil
	}
	return awssecretsmanager.New(awssecretsmanager.Config{
		SecretID: location.Name, VersionStage: location.Params["version_stage"], Endpoint: location.Params["endpoint"],
		Environment: awsenv.New(os.Getenv),
	})
}
