package awsenv

import (
	"fmt"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

// endpoint returns the custom endpoint of a service, or nil for the region's own. It is the explicit one, or that of AWS_ENDPOINT_URL_
// with the service's name, or that of AWS_ENDPOINT_URL. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS turns the variables off.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (e Environment) endpoint(service, explicit string) (*string, error) {
	if explicit != "" {
		return checked("the endpoint", explicit)
	}
	ignore, _, err := e.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
	if ignore || err != nil {
		return nil, err
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
		if value := e.get(name); value != "" {
			return checked(name, value)
		}
	}
	return nil, nil
}

// checked returns text if it is the URL of a service.
func checked(name, text string) (*string, error) {
	if _, err := endpoint.Parse(text); err != nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	return &text, nil
}
