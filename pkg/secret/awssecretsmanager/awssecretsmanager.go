// Package awssecretsmanager keeps the secret in AWS Secrets Manager.
//
// One read is one GetSecretValue, so the only permission needed is secretsmanager:GetSecretValue, and kms:Decrypt for a
// secret under a key of the customer's own. The client is made from the environment's variables alone (package awsenv).
//
// Errors name the secret, AWS's error code and what to change. They hold nothing of the secret's value and nothing of the
// credentials, which AWS itself repeats in some of its messages.
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

// Options of a [Store]. SecretID is required.
type Options struct {
	SecretID     string // name or ARN
	VersionStage string // default: AWSCURRENT
	Endpoint     string // default: AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL, the region's own
	Environment  awsenv.Environment
}

// Store reads one secret. It may be used from several goroutines.
type Store struct {
	secretID, versionStage string
	environment            awsenv.Environment
	client                 func() *secretsmanager.Client // made by the first read: the start of a process need not wait for it
}

// New checks the options and makes the client; it sends nothing. The region of an ARN comes before that of the environment.
func New(options Options) (*Store, error) {
	store, err := newStore(options)
	if err != nil {
		return nil, fmt.Errorf("secret in AWS Secrets Manager: %w", err)
	}
	return store, nil
}

func newStore(options Options) (*Store, error) {
	region, err := regionOf(options.SecretID)
	if err != nil {
		return nil, err
	}
	config, err := options.Environment.Config("SECRETS_MANAGER", options.Endpoint)
	if err != nil {
		return nil, err
	}
	config.Region = cmp.Or(region, config.Region)
	if config.Region == "" {
		return nil, errors.New("no region is known: set AWS_REGION, or give the secret's ARN")
	}
	return &Store{
		secretID:     options.SecretID,
		versionStage: cmp.Or(options.VersionStage, "AWSCURRENT"),
		environment:  options.Environment,
		client:       sync.OnceValue(func() *secretsmanager.Client { return secretsmanager.NewFromConfig(config) }),
	}, nil
}

// regionOf gives the region of an ARN, and nothing for a name.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func regionOf(secretID string) (string, error) {
	if secretID == "" {
		return "", errors.New("the secret's name or ARN is missing")
	}
	if !strings.HasPrefix(secretID, "arn:") {
		return "", nil
	}
	parsed, err := arn.Parse(secretID)
	if err != nil || parsed.Service != "secretsmanager" || parsed.Region == "" || !strings.HasPrefix(parsed.Resource, "secret:") {
		return "", errors.New("the ARN is not like arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-??????")
	}
	return parsed.Region, nil
}

// Fetch reads the secret. When ctx ends before, the error is that of ctx.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *Store) Fetch(ctx context.Context) ([]byte, error) {
	output, err := s.client().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId:     &s.secretID,
		VersionStage: &s.versionStage,
	})
	if err != nil {
		return nil, fmt.Errorf("read the secret %s (%s) from AWS Secrets Manager: %w", s.secretID, s.versionStage, s.environment.Explain(ctx, err, advice))
	}
	if text := aws.ToString(output.SecretString); text != "" {
		return []byte(text), nil
	}
	if len(output.SecretBinary) > 0 {
		return output.SecretBinary, nil
	}
	return nil, fmt.Errorf("the secret %s (%s) in AWS Secrets Manager is empty", s.secretID, s.versionStage)
}
