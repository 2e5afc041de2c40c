package liveengine

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/retry"
)

// outgoing is one attempt of a call.
type outgoing struct {
	command string
	body    []byte
	signed  *signature
	trial   *trial // if other calls wait for this one's outcome
}

// turn waits until the rate limit allows a call, and returns the signature for it. It fails at once in the minute without calls after
// 70050, and while the signature is known to be bad.
func (c *Client) turn(ctx context.Context) (*signature, *trial, error) {
	for {
		signed, trial, err := c.signing.get(ctx)
		if err != nil {
			return nil, nil, err
		}
		if err := c.waitTurn(ctx); err != nil {
			c.signing.settle(signed, trial, nil)
			return nil, nil, err
		}
		if trial != nil || !c.signing.inDoubt(signed) {
			return signed, trial, nil
		}
		// The signature was refused while this call waited.
	}
}

func (c *Client) waitTurn(ctx context.Context) error {
	if left := c.stopped(); left > 0 {
		return tooManySignatures(left)
	}
	if err := c.config.Limiter.Wait(ctx); err != nil {
		return giftstats.AsError(err)
	}
	return nil
}

// stopped returns how long calls are still held back because of 70050: a minute in total, by the clock that says more. The monotonic clock
// may stand still while the process is frozen, and the wall clock may be set back.
func (c *Client) stopped() time.Duration {
	at := c.stoppedAt.Load()
	if at == nil {
		return 0
	}
	now := c.config.Now()
	left := stopFor - max(now.Sub(*at), now.Round(0).Sub(at.Round(0)))
	if left > stopFor { // both were set back
		c.stoppedAt.CompareAndSwap(at, &now)
		return stopFor
	}
	return left
}

// send makes one attempt, and takes note of what it says about the signature and the rate.
func (c *Client) send(ctx context.Context, out outgoing, into answer) (took time.Duration, failed *fault) {
	defer func() { c.signing.settle(out.signed, out.trial, failed) }()
	started, sent := c.config.Now(), time.Now()
	failed = c.attempt(ctx, out.command, out.signed, out.body, into)
	if failed != nil && failed.Code == giftstats.CodeRateLimited {
		c.config.Limiter.Refused(sent)
	}
	return c.config.Now().Sub(started), failed
}

// attempt sends a call once and decodes the answer into the given value.
func (c *Client) attempt(ctx context.Context, command string, signed *signature, body []byte, into answer) *fault {
	limited, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := c.request(limited, command, signed, body)
	if err != nil {
		return &fault{Error: giftstats.AsError(err)}
	}
	response, err := c.config.HTTPClient.Do(request)
	if err != nil {
		return c.unreachable(limited, err, signed)
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unreachable(limited, err, signed)
	case len(answered) > maxAnswer:
		return invalid(fmt.Sprintf("it is longer than %d bytes", maxAnswer), nil)
	}
	fault := decode(into, response.StatusCode, retry.After(response.Header, c.config.Now()), answered)
	head := into.head()
	head.RequestID = signed.requestID(head.RequestID)
	if fault != nil && fault.Upstream != nil {
		fault.Upstream.ErrorInfo, fault.Upstream.RequestID = signed.errorInfo(head.ErrorInfo), head.RequestID
	}
	if fault != nil && fault.repeat == stop {
		now := c.config.Now()
		c.stoppedAt.Store(&now)
		fault.RetryAfter = stopFor
	}
	return fault
}

// request returns the documented HTTP request.
func (c *Client) request(ctx context.Context, command string, signed *signature, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("create the request of %s: %w", command, err)
	}
	*request.URL = *c.config.Endpoint
	request.URL.Path += commandPrefix + command
	request.URL.RawQuery = signed.query + "&random=" + strconv.FormatUint(uint64(rand.Uint32()), 10)
	request.Host = request.URL.Host
	request.Header = http.Header{"Content-Type": contentTypes, "Accept": contentTypes}
	if c.config.UserAgent != "" {
		request.Header["User-Agent"] = []string{c.config.UserAgent}
	}
	return request, nil
}

var contentTypes = []string{"application/json"} // shared by all requests; must not be modified

// unreachable returns the fault of a call that got no complete answer. It drops the *url.Error around the cause, which quotes the
// URL and with it the signature.
func (c *Client) unreachable(limited context.Context, err error, signed *signature) *fault {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	if text := err.Error(); signed.redact(text) != text {
		err = errors.New(signed.redact(text))
	}
	if errors.Is(limited.Err(), context.DeadlineExceeded) {
		// The other idle connections may be dead for the same reason. HTTP/1.1 has no way to ask.
		c.config.HTTPClient.CloseIdleConnections()
	}
	if limited.Err() != nil {
		return &fault{repeat: later, Error: &giftstats.Error{
			Code:   giftstats.CodeUpstreamTimeout,
			Detail: fmt.Sprintf("Tencent did not answer within %s (GIFTSTATS_TIMEOUT)", c.config.Timeout),
			Err:    err,
		}}
	}
	if badCertificate := new(tls.CertificateVerificationError); errors.As(err, &badCertificate) {
		return &fault{repeat: never, Error: &giftstats.Error{
			Code: giftstats.CodeUpstreamConfig,
			Detail: "the certificate of Tencent's host is not trusted: check GIFTSTATS_ENDPOINT, the CA certificates and the clock of this " +
				"machine, and whether a proxy replaces certificates",
			Err: err,
		}}
	}
	return &fault{repeat: later, Error: &giftstats.Error{
		Code:   giftstats.CodeUpstreamUnavailable,
		Detail: "Tencent's host cannot be reached, or the connection broke",
		Err:    err,
	}}
}

// tooManySignatures returns the error of the calls that are not made because of 70050.
func tooManySignatures(left time.Duration) *giftstats.Error {
	return &giftstats.Error{
		Code: giftstats.CodeUpstreamCredentials,
		Detail: "Tencent refused too many signatures (70050), so calls are paused for a minute: " +
			"check secret_key and sdk_app_id in the secret",
		RetryAfter: left,
		Upstream:   &giftstats.Upstream{ErrorCode: 70050},
	}
}
