package endpoint_test

import (
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"https://adminapisgp.my-imcloud.com": "https://adminapisgp.my-imcloud.com",
		"https://proxy.example:8443/im/":     "https://proxy.example:8443/im",
		"http://127.0.0.1:1":                 "http://127.0.0.1:1",
		"http://[::1]:1":                     "http://[::1]:1",
		"http://localhost:1":                 "http://localhost:1",
	} {
		if got, err := endpoint.Parse(text); err != nil || got.String() != want {
			t.Errorf("%s gives %v, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                             "must be a URL like https://host",
		"host.example":                 "must be a URL like https://host",
		"https://":                     "must be a URL like https://host",
		"https://%zz":                  "must be a URL like https://host",
		"http://example.com":           "must start with https://",
		"http://127.0.0.1.example.com": "must start with https://",
		"ftp://h":                      "must start with https://",
		"https://user:hidden@h":        "without user, query and fragment",
		"https://h?hidden":             "without user, query and fragment",
		"https://h?":                   "without user, query and fragment",
		"https://h#hidden":             "without user, query and fragment",
	} {
		got, err := endpoint.Parse(text)
		switch {
		case err == nil:
			t.Errorf("%q gives %v", text, got)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%q gives the error %q, want one with %q", text, err, want)
		case strings.Contains(err.Error(), "hidden"):
			t.Errorf("%q is repeated in the error %q", text, err)
		}
	}
}

func TestPrivate(t *testing.T) {
	for _, host := range []string{
		"localhost", "127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1",
	} {
		if !endpoint.Private(host) {
			t.Errorf("%s is not private", host)
		}
	}
	for _, host := range []string{
		"", "redis.example", "10.example", "8.8.8.8", "172.32.0.1", "169.254.1.1", "fe80::1", "2001:db8::1", "10.0.0",
	} {
		if endpoint.Private(host) {
			t.Errorf("%q is private", host)
		}
	}
}
