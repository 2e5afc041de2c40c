// Package awsenv reads the variables of the AWS SDK that a function needs: region, credentials, endpoints.
//
// The SDK's own config package reads them, too, together with files, profiles and SSO, which no function has; it nearly
// doubles the time to start.
//
// Sources: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html,
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
package awsenv

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Environment looks variables up.
type Environment struct{ lookup func(name string) string }

// New reads with lookup: os.Getenv, or a map's values in tests.
func New(lookup func(name string) string) Environment { return Environment{lookup} }

// Region is AWS_REGION, else AWS_DEFAULT_REGION, else empty.
func (e Environment) Region() string {
	if region := e.lookup("AWS_REGION"); region != "" {
		return region
	}
	return e.lookup("AWS_DEFAULT_REGION")
}

// Endpoint is the custom endpoint of a service, or nil: AWS_ENDPOINT_URL_ and the service's name in the SDK's spelling, like
// SECRETS_MANAGER, else AWS_ENDPOINT_URL, unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
func (e Environment) Endpoint(service string) *string {
	if e.lookup("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true" {
		return nil
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
		if endpoint := e.lookup(name); endpoint != "" {
			return &endpoint
		}
	}
	return nil
}

// Credentials reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN whenever it is asked.
func (e Environment) Credentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		credentials := aws.Credentials{
			AccessKeyID:     e.lookup("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: e.lookup("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    e.lookup("AWS_SESSION_TOKEN"),
			Source:          "environment",
		}
		if !credentials.HasKeys() {
			return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
		}
		return credentials, nil
	})
}
