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
	maxResponse    = 256 << 10       // bytes; a secret has at most 4,096
)

// parseEndpoint reads a URL without a path, because the API has no paths.
func parseEndpoint(text string) (*url.URL, error) {
	address, err := endpoint.Parse(text)
	if err == nil && address.Path != "" {
		err = errors.New("must be a URL without path")
	}
	return address, err
}

// transport turns every response with a status other than 200 into an error. The API uses no other status, and the SDK would repeat the
// body of such a response in an error, or follow a redirect with the credentials in its headers.
//
// Source: https://www.tencentcloud.com/document/product/1078/38639
type transport struct{ next http.RoundTripper }

// newTransport opens a new connection for each call. Calls are minutes apart, and a connection that was idle while the process was
// frozen would make the next call fail, because a POST is not retried.
func newTransport() http.RoundTripper {
	return transport{&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout: 2 * connectTimeout,
		DisableKeepAlives:   true,
	}}
}

// statusError is an HTTP status that the API does not use.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("HTTP status %d, which the API does not use; a proxy may have answered instead", int(e))
}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, statusError(response.StatusCode)
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxResponse), response.Body}
	return response, nil
}
