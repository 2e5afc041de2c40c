// Package awsenv makes AWS clients from the AWS SDK's own environment variables: region, credentials, endpoint, retries.
//
// The SDK's config package reads them, too, together with files, profiles and SSO, which no function has; it nearly doubles
// the time to start. A client takes the result as it is:
//
//	config, err := environment.Config("SQS", "")
//	if err != nil {
//		return nil, err
//	}
//	client := sqs.NewFromConfig(config)
//
// Errors name the variables to change, and never show the value of one.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	connectTimeout = 2 * time.Second  // for one address; a network without a way out drops packets silently
	attemptTimeout = 10 * time.Second // for callers whose context has no deadline
)

// Environment looks variables up. The zero Environment has none.
type Environment struct{ lookup func(name string) string }

// New reads with lookup, which is called whenever a value is needed: os.Getenv, or a map's values in tests.
func New(lookup func(name string) string) Environment { return Environment{lookup} }

func (e Environment) get(name string) string {
	if e.lookup == nil {
		return ""
	}
	return e.lookup(name)
}

// Region is AWS_REGION, else AWS_DEFAULT_REGION, else empty.
func (e Environment) Region() string {
	if region := e.get("AWS_REGION"); region != "" {
		return region
	}
	return e.get("AWS_DEFAULT_REGION")
}

// Config is what a service's NewFromConfig takes. The service is spelled as in the variable of its endpoint, like
// SECRETS_MANAGER, SQS or EVENTBRIDGE. An endpoint that is not empty comes before those of the variables.
//
// The region may be empty, because an ARN may name one; the credentials are read whenever a request is signed. Proxies come
// from HTTPS_PROXY and its like. All mistakes are reported in one error.
func (e Environment) Config(service, endpoint string) (aws.Config, error) {
	baseEndpoint, endpointErr := e.endpoint(service, endpoint)
	attempts, attemptsErr := e.attempts()
	mode, modeErr := e.retryMode()
	choice, choiceErr := e.endpointChoice()
	if err := errors.Join(endpointErr, attemptsErr, modeErr, choiceErr); err != nil {
		return aws.Config{}, err
	}
	client := awshttp.NewBuildableClient().
		WithTimeout(attemptTimeout).
		WithDialerOptions(func(dialer *net.Dialer) { dialer.Timeout = connectTimeout })
	return aws.Config{
		Region:           e.Region(),
		Credentials:      e.Credentials(),
		BaseEndpoint:     baseEndpoint,
		RetryMaxAttempts: attempts,
		RetryMode:        mode,
		HTTPClient:       client,
		ConfigSources:    []any{choice},
	}, nil
}

// attempts is AWS_MAX_ATTEMPTS, the first included; 0 leaves it to the SDK.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
func (e Environment) attempts() (int, error) {
	text := e.get("AWS_MAX_ATTEMPTS")
	if text == "" {
		return 0, nil
	}
	attempts, err := strconv.Atoi(text)
	if err != nil || attempts < 1 {
		return 0, errors.New("AWS_MAX_ATTEMPTS must be a whole number above zero")
	}
	return attempts, nil
}

func (e Environment) retryMode() (aws.RetryMode, error) {
	text := e.get("AWS_RETRY_MODE")
	if text == "" {
		return "", nil
	}
	mode, err := aws.ParseRetryMode(text)
	if err != nil {
		return "", errors.New("AWS_RETRY_MODE must be standard or adaptive")
	}
	return mode, nil
}

// flag reads a variable that is true or false, in any case of letters, or not set.
func (e Environment) flag(name string) (on, set bool, err error) {
	text := e.get(name)
	switch {
	case text == "":
		return false, false, nil
	case strings.EqualFold(text, "true"):
		return true, true, nil
	case strings.EqualFold(text, "false"):
		return false, true, nil
	}
	return false, false, fmt.Errorf("%s must be true or false", name)
}

// choice says which of a service's own endpoints to use. The SDK's clients find its methods by name among the sources of
// their configuration.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
type choice struct {
	fips      aws.FIPSEndpointState
	dualStack aws.DualStackEndpointState
}

func (e Environment) endpointChoice() (choice, error) {
	var c choice
	fips, fipsSet, fipsErr := e.flag("AWS_USE_FIPS_ENDPOINT")
	if fipsSet {
		c.fips = aws.FIPSEndpointStateDisabled
		if fips {
			c.fips = aws.FIPSEndpointStateEnabled
		}
	}
	dual, dualSet, dualErr := e.flag("AWS_USE_DUALSTACK_ENDPOINT")
	if dualSet {
		c.dualStack = aws.DualStackEndpointStateDisabled
		if dual {
			c.dualStack = aws.DualStackEndpointStateEnabled
		}
	}
	return c, errors.Join(fipsErr, dualErr)
}

func (c choice) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	return c.fips, c.fips != aws.FIPSEndpointStateUnset, nil
}

func (c choice) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	return c.dualStack, c.dualStack != aws.DualStackEndpointStateUnset, nil
}
