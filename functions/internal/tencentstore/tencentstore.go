// Package tencentstore opens the secret stores that the binaries for Tencent Cloud carry.
package tencentstore

import (
	"os"

	"github.com/giftstats/giftstats/functions/internal/awsstore"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
	"github.com/giftstats/giftstats/pkg/settings"
)

// Open opens the store at a location that the settings have checked.
func Open(location settings.Location) (secret.Store, error) {
	if location.Scheme != "tencentssm" {
		return awsstore.Open(location)
	}
	return tencentssm.New(tencentssm.Options{
		SecretName: location.Name, Version: location.Params["version"], Region: location.Params["region"], Endpoint: location.Params["endpoint"], Lookup: os.Getenv,
	})
}
