// Package awsenv configures AWS clients from the AWS SDK's environment variables: region, credentials, endpoint, retries.
//
// The SDK's own config package also reads files, profiles and SSO, which a function does not have, and nearly doubles the time that a
// function needs to start. The result is the configuration of a client:
//
//	config, err := environment.Config("SQS", "")
//	if err != nil {
//		return nil, err
//	}
//	client := sqs.NewFromConfig(config)
//
// Errors name the variables to change. They never contain a value.
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
	connectTimeout = 2 * time.Second  // for one address; a VPC without a route to AWS drops packets silently
	attemptTimeout = 10 * time.Second // for a context without a deadline
)

// Environment looks up variables. The zero Environment has none.
type Environment struct{ lookup func(name string) string }

// New returns an Environment that calls lookup whenever it needs a value. In a function, lookup is os.Getenv.
func New(lookup func(name string) string) Environment { return Environment{lookup} }

func (e Environment) get(name string) string {
	if e.lookup == nil {
		return ""
	}
	return e.lookup(name)
}

// Region returns AWS_REGION, or AWS_DEFAULT_REGION, or an empty string.
func (e Environment) Region() string {
	if region := e.get("AWS_REGION"); region != "" {
		return region
	}
	return e.get("AWS_DEFAULT_REGION")
}

// Config returns the configuration for a service's NewFromConfig. The name of the service is spelled as in the variable with its
// endpoint, like SECRETS_MANAGER, SQS or EVENTBRIDGE. An endpoint that is not empty overrides those of the variables.
//
// The region may be empty, because an ARN may name it. The credentials are read whenever a request is signed. Proxies come from
// HTTPS_PROXY and related variables. Everything that is wrong is reported in one error.
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

// attempts returns AWS_MAX_ATTEMPTS, which includes the first attempt. Zero means the SDK's default.
//
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

// flag reads a variable that is true or false, in upper or lower case, or not set.
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

// choice says which of a service's own endpoints to use. The SDK's clients look for its methods in the sources of their configuration.
//
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
