// Package tencentssm keeps the secret in Tencent Cloud's Secrets Manager (SSM).
//
// One read is one GetSecretValue, so the only permission needed is ssm:GetSecretValue. On SCF the credentials of the
// function's role come with each invocation, in variables that the SDK's own chain does not read, so they are read from the
// environment whenever the secret is.
//
// Errors name the secret, Tencent's error code and what to change. They hold nothing of the secret's value and nothing of
// the credentials.
//
// Sources: https://cloud.tencent.com/document/api/1140/40522, https://github.com/tencentyun/scf-go-lib/issues/18
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

// Options of a [Store]. SecretName is required.
type Options struct {
	SecretName string
	// Version is the secret's VersionId, like v1. The default SSM_Current is documented for the secrets of cloud products
	// only; one that was made by hand should be given its version.
	Version  string
	Region   string                   // default: TENCENTCLOUD_REGION, which SCF sets
	Endpoint string                   // default: https://ssm.tencentcloudapi.com; accounts of the international site: https://ssm.intl.tencentcloudapi.com
	Lookup   func(name string) string // os.Getenv; nil for an environment without variables
}

// Store reads one secret. It may be used from several goroutines.
type Store struct {
	secretName, version string
	client              *tencentenv.Client
}

// New checks the options; it sends nothing.
func New(options Options) (*Store, error) {
	if options.SecretName == "" {
		return nil, errors.New("secret in Tencent's Secrets Manager: the secret's name is missing")
	}
	client, err := tencentenv.New(tencentenv.Options{
		Product: "ssm", Version: "2019-09-23", Region: options.Region, Endpoint: options.Endpoint, Lookup: options.Lookup, Setting: "GIFTSTATS_SECRET", Advise: advice,
	})
	if err != nil {
		return nil, fmt.Errorf("secret in Tencent's Secrets Manager: %w", err)
	}
	return &Store{options.SecretName, cmp.Or(options.Version, "SSM_Current"), client}, nil
}

// response is the answer of GetSecretValue: exactly one of the two values is not empty.
type response struct {
	*sdkhttp.BaseResponse
	Response struct {
		SecretString string
		SecretBinary string // base64
	}
}

// Fetch reads the secret. When ctx ends before, the error is that of ctx.
func (s *Store) Fetch(ctx context.Context) ([]byte, error) {
	value, err := s.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the secret %s (version %s) from Tencent's Secrets Manager: %w", s.secretName, s.version, err)
	}
	return value, nil
}

func (s *Store) fetch(ctx context.Context) ([]byte, error) {
	answer := &response{BaseResponse: &sdkhttp.BaseResponse{}}
	if err := s.client.Call(ctx, "GetSecretValue", map[string]any{"SecretName": s.secretName, "VersionId": s.version}, answer); err != nil {
		return nil, err
	}
	return answer.value()
}

func (r *response) value() ([]byte, error) {
	if r.Response.SecretString != "" {
		return []byte(r.Response.SecretString), nil
	}
	value, err := base64.StdEncoding.DecodeString(r.Response.SecretBinary)
	switch {
	case err != nil:
		return nil, errors.New("its binary value is no base64") // err would tell where, not what
	case len(value) == 0:
		return nil, errors.New("it is empty")
	}
	return value, nil
}
