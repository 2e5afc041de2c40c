// Package endpoint holds the one rule for the URLs of services: https anywhere, http to loopback hosts only. Requests and
// answers carry signatures and secrets.
//
// The errors do not repeat the URL, which may hold a secret. Their texts start with a verb, so that a caller can put the name of the
// setting in front.
package endpoint

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// Parse reads the URL of a service. It may have a port and a path, and no user, query or fragment. A trailing slash is removed.
func Parse(text string) (*url.URL, error) {
	endpoint, err := url.Parse(text)
	switch {
	case err != nil || endpoint.Hostname() == "":
		return nil, errors.New("must be a URL like https://host")
	case endpoint.User != nil || endpoint.RawQuery != "" || endpoint.ForceQuery || endpoint.Fragment != "":
		return nil, errors.New("must be a URL without user, query and fragment")
	}
	if err := CheckScheme(endpoint); err != nil {
		return nil, err
	}
	endpoint.Path, endpoint.RawPath = strings.TrimRight(endpoint.Path, "/"), ""
	return endpoint, nil
}

// CheckScheme returns an error unless the URL is https, or http to a loopback host.
func CheckScheme(address *url.URL) error {
	if address.Scheme == "https" || address.Scheme == "http" && Loopback(address.Hostname()) {
		return nil
	}
	return errors.New("must start with https:// (http:// is allowed for loopback hosts only)")
}

// Private reports whether host, without its port, is this machine or a literal address of a private network (RFC 1918, RFC 4193).
// Apart from localhost, a host name is not private, because a resolver decides where it leads.
func Private(host string) bool {
	address, err := netip.ParseAddr(host)
	return Loopback(host) || err == nil && address.Unmap().IsPrivate()
}

// Loopback reports whether host, without its port, is this machine.
func Loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
