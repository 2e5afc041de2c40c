package tencentenv

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

const (
	connectTimeout = 2 * time.Second // for one address
	maxAnswer      = 256 << 10       // bytes; a secret has at most 4,096
)

// parseEndpoint reads a URL that is only a scheme and a host: the API has no paths.
func parseEndpoint(text string) (*url.URL, error) {
	address, err := endpoint.Parse(text)
	if err == nil && address.Path != "" {
		err = errors.New("must be a URL without path")
	}
	return address, err
}

// transport keeps from the SDK what it would repeat in an error, body and all, and what it would follow, credentials and all:
// every answer with another status than 200, which is the only one that this API has.
//
// Source: https://www.tencentcloud.com/document/product/1078/38639
type transport struct{ next http.RoundTripper }

// newTransport makes a new connection for each read. Reads are minutes apart, and a connection that was idle while the
// process was frozen would fail the next one: a POST is not sent again.
func newTransport() http.RoundTripper {
	return transport{&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout: 2 * connectTimeout,
		DisableKeepAlives:   true,
	}}
}

// statusError is the HTTP status of an answer that does not come from the API.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("HTTP status %d, which the API never has; something between answers in its place", int(e))
}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, statusError(answer.StatusCode)
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	return answer, nil
}
