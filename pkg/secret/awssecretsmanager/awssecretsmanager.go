// Package awssecretsmanager keeps the secret in AWS Secrets Manager.
//
// One read is one GetSecretValue, so the only permission needed is secretsmanager:GetSecretValue (and kms:Decrypt for a
// secret under a key of the customer's own).
package awssecretsmanager

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/giftstats/giftstats/pkg/settings/awsenv"
)

// Options of a [Store].
type Options struct {
	SecretID     string // name or ARN
	VersionStage string // default: AWSCURRENT
	Endpoint     string // default: AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL, the region's own
	Environment  awsenv.Environment
}

// Store reads one secret.
type Store struct {
	options Options
	client  *secretsmanager.Client
}

// New makes the client from explicit options. A region stated in the ARN comes before that of the environment.
func New(options Options) (*Store, error) {
	if options.VersionStage == "" {
		options.VersionStage = "AWSCURRENT"
	}
	region := options.Environment.Region()
	if parts := strings.Split(options.SecretID, ":"); len(parts) == 7 && parts[0] == "arn" && parts[3] != "" {
		region = parts[3] // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
	}
	if region == "" {
		return nil, errors.New("GIFTSTATS_SECRET names a secret of AWS Secrets Manager, but no region is known: set AWS_REGION, or give the secret's ARN")
	}
	endpoint := options.Environment.Endpoint("SECRETS_MANAGER")
	if options.Endpoint != "" {
		endpoint = &options.Endpoint
	}
	return &Store{options, secretsmanager.New(secretsmanager.Options{
		Region:       region,
		Credentials:  options.Environment.Credentials(),
		BaseEndpoint: endpoint,
	})}, nil
}

// Fetch reads the secret.
func (s *Store) Fetch(ctx context.Context) ([]byte, error) {
	output, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId:     &s.options.SecretID,
		VersionStage: &s.options.VersionStage,
	})
	if err != nil {
		return nil, fmt.Errorf("read %s (%s) from AWS Secrets Manager%s: %w", s.options.SecretID, s.options.VersionStage, advice(err), err)
	}
	if output.SecretString != nil {
		return []byte(aws.ToString(output.SecretString)), nil
	}
	return output.SecretBinary, nil
}

// advice says what to do about the errors that a wrong set-up gives.
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func advice(err error) string {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return ""
	}
	switch refused.ErrorCode() {
	case "ResourceNotFoundException":
		return " (is the name right, and the region?)"
	case "AccessDeniedException":
		return " (the function's role needs secretsmanager:GetSecretValue on this secret, and kms:Decrypt if it is under a key of your own)"
	case "DecryptionFailure":
		return " (the function's role needs kms:Decrypt on the secret's key)"
	case "InvalidRequestException":
		return " (is the secret marked for deletion?)"
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "InvalidClientTokenId":
		return " (the credentials of the environment are not valid)"
	}
	return ""
}
