// Package awssecretsmanager reads the secret from AWS Secrets Manager.
//
// One read is one GetSecretValue. The function needs the permission secretsmanager:GetSecretValue, and kms:Decrypt if the secret is
// encrypted with a customer managed key. The client is configured by environment variables only (package awsenv).
//
// Errors name the secret, AWS's error code and what to change. They contain nothing of the secret's value and nothing of the
// credentials, which AWS repeats in some of its messages.
package awssecretsmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
)

// Config configures a [Store]. SecretID is required.
type Config struct {
	SecretID     string // name or ARN
	VersionStage string // if empty, AWSCURRENT
	Endpoint     string // if empty, AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL, or the region's own endpoint
	Environment  awsenv.Environment
}

// Store reads one secret. It may be used from several goroutines.
type Store struct {
	secretID, versionStage string
	environment            awsenv.Environment
	client                 func() *secretsmanager.Client // built by the first read, to keep the start of the process short
}

// New checks the configuration and returns a Store. It sends nothing. The region of an ARN overrides that of the environment.
func New(config Config) (*Store, error) {
	store, err := newStore(config)
	if err != nil {
		return nil, fmt.Errorf("secret in AWS Secrets Manager: %w", err)
	}
	return store, nil
}

func newStore(config Config) (*Store, error) {
	region, err := regionOf(config.SecretID)
	if err != nil {
		return nil, err
	}
	client, err := config.Environment.Config("SECRETS_MANAGER", config.Endpoint)
	if err != nil {
		return nil, err
	}
	client.Region = cmp.Or(region, client.Region)
	if client.Region == "" {
		return nil, errors.New("the region is unknown: set AWS_REGION, or use the secret's ARN")
	}
	return &Store{
		secretID:     config.SecretID,
		versionStage: cmp.Or(config.VersionStage, "AWSCURRENT"),
		environment:  config.Environment,
		client:       sync.OnceValue(func() *secretsmanager.Client { return secretsmanager.NewFromConfig(client) }),
	}, nil
}

// regionOf returns the region of an ARN. It returns an empty string for a name.
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func regionOf(secretID string) (string, error) {
	if secretID == "" {
		return "", errors.New("the secret's name or ARN is required")
	}
	if !strings.HasPrefix(secretID, "arn:") {
		return "", nil
	}
	parsed, err := arn.Parse(secretID)
	if err != nil || parsed.Service != "secretsmanager" || parsed.Region == "" || !strings.HasPrefix(parsed.Resource, "secret:") {
		return "", errors.New("the ARN must be like arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-??????")
	}
	return parsed.Region, nil
}

// Fetch reads the secret. If ctx ends first, it returns the error of ctx.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *Store) Fetch(ctx context.Context) ([]byte, error) {
	output, err := s.client().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId:     &s.secretID,
		VersionStage: &s.versionStage,
	})
	if err != nil {
		return nil, fmt.Errorf("read the secret %s (%s) from AWS Secrets Manager: %w",
			s.secretID, s.versionStage, s.environment.Explain(ctx, err, advice))
	}
	if text := aws.ToString(output.SecretString); text != "" {
		return []byte(text), nil
	}
	if len(output.SecretBinary) > 0 {
		return output.SecretBinary, nil
	}
	return nil, fmt.Errorf("the secret %s (%s) in AWS Secrets Manager is empty", s.secretID, s.versionStage)
}
