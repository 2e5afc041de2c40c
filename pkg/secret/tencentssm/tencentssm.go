// Package tencentssm reads the secret from Tencent Cloud's Secrets Manager (SSM).
//
// One read is one GetSecretValue. The function needs the permission ssm:GetSecretValue. The client is configured by environment
// variables (package tencentenv).
//
// Errors name the secret, Tencent's error code and what to change. They contain nothing of the secret's value and nothing of the
// credentials.
//
// Source: https://cloud.tencent.com/document/api/1140/40522
package tencentssm

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/giftstats/giftstats/pkg/cloud/tencentenv"
)

// Config configures a [Store]. SecretName is required.
type Config struct {
	SecretName string
	// Version is the secret's VersionId, like v1. If it is empty, it is SSM_Current, which is documented only for the secrets of
	// cloud products. Set it for a custom secret.
	Version string
	Region  string // if empty, TENCENTCLOUD_REGION, which SCF sets
	// Endpoint is the URL of the service. If it is empty, it is https://ssm.tencentcloudapi.com. Accounts of the international site
	// may need https://ssm.intl.tencentcloudapi.com.
	Endpoint string
	Lookup   func(name string) string // os.Getenv in a function; nil: an environment without variables
}

// Store reads one secret. It may be used from several goroutines.
type Store struct {
	secretName, version string
	client              *tencentenv.Client
}

// New checks the configuration and returns a Store. It sends nothing.
func New(config Config) (*Store, error) {
	if config.SecretName == "" {
		return nil, errors.New("secret in Tencent's Secrets Manager: the secret's name is required")
	}
	client, err := tencentenv.New(tencentenv.Config{
		Product: "ssm", Version: "2019-09-23", Region: config.Region, Endpoint: config.Endpoint, Lookup: config.Lookup,
		Setting: "GIFTSTATS_SECRET", Advise: advice,
	})
	if err != nil {
		return nil, fmt.Errorf("secret in Tencent's Secrets Manager: %w", err)
	}
	return &Store{config.SecretName, cmp.Or(config.Version, "SSM_Current"), client}, nil
}

// response is the response of GetSecretValue. Exactly one of the two values is not empty.
type response struct {
	*sdkhttp.BaseResponse
	Response struct {
		SecretString string
		SecretBinary string // base64
	}
}

// Fetch reads the secret. If ctx ends first, it returns the error of ctx.
func (s *Store) Fetch(ctx context.Context) ([]byte, error) {
	value, err := s.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the secret %s (version %s) from Tencent's Secrets Manager: %w", s.secretName, s.version, err)
	}
	return value, nil
}

func (s *Store) fetch(ctx context.Context) ([]byte, error) {
	parameters := map[string]any{"SecretName": s.secretName, "VersionId": s.version}
	result := &response{BaseResponse: &sdkhttp.BaseResponse{}}
	if err := s.client.Call(ctx, "GetSecretValue", parameters, result); err != nil {
		return nil, err
	}
	return result.value()
}

func (r *response) value() ([]byte, error) {
	if r.Response.SecretString != "" {
		return []byte(r.Response.SecretString), nil
	}
	value, err := base64.StdEncoding.DecodeString(r.Response.SecretBinary)
	switch {
	case err != nil:
		return nil, errors.New("the binary value is not valid base64")
	case len(value) == 0:
		return nil, errors.New("the secret is empty")
	}
	return value, nil
}
