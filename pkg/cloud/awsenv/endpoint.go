package awsenv

import (
	"fmt"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

// endpoint is the custom endpoint of a service, or nil for the region's own: the explicit one, else AWS_ENDPOINT_URL_ and the
// service's name, else AWS_ENDPOINT_URL. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS switches the variables off.
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
