package awsenv

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
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

// checked wants https, because requests and answers carry secrets; http is for loopback hosts only.
func checked(what, text string) (*string, error) {
	if err := check(text); err != nil {
		return nil, fmt.Errorf("%s %w", what, err)
	}
	return &text, nil
}

func check(text string) error {
	endpoint, err := url.Parse(text)
	switch {
	case err != nil || endpoint.Hostname() == "":
		return errors.New("is no URL like https://host")
	case endpoint.User != nil || endpoint.RawQuery != "" || endpoint.Fragment != "":
		return errors.New("must be a URL without user, query and fragment")
	case endpoint.Scheme == "https", endpoint.Scheme == "http" && loopback(endpoint.Hostname()):
		return nil
	}
	return errors.New("must begin with https:// (http:// is for loopback hosts only)")
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
