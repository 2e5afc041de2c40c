package delivery

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/retry"
)

const (
	httpsTimeout  = 5 * time.Second // limits one attempt
	httpsAttempts = 3
	firstBackoff  = 200 * time.Millisecond
)

// HTTPSConfig configures a receiver. URL and Key are required.
type HTTPSConfig struct {
	URL string // https, or http to a loopback host
	// Key returns the delivery_key of the secret document: whsec_ and base64. It is read for every delivery, so that a rotation
	// needs no restart.
	Key       func(ctx context.Context) (string, error)
	UserAgent string
	Now       func() time.Time  // default: time.Now
	Transport http.RoundTripper // default: the settings of http.DefaultTransport, with TLS 1.2 or newer
}

// NewHTTPS returns a Deliverer that posts messages to a URL, signed as Standard Webhooks specifies. The header webhook-id has the id
// of the message. It sends nothing.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func NewHTTPS(config HTTPSConfig) (Deliverer, error) {
	receiver, err := url.Parse(config.URL)
	if err != nil || receiver.Hostname() == "" {
		return nil, errors.New("delivery: URL must be like https://host/path") // err quotes the URL, which may hold a secret
	}
	if err := endpoint.CheckScheme(receiver); err != nil {
		return nil, fmt.Errorf("delivery: URL %w", err)
	}
	if config.Key == nil {
		return nil, errors.New("delivery: Key is required")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		config.Transport = transport
	}
	return &https{config: config, client: &http.Client{
		Transport:     config.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

type https struct {
	config HTTPSConfig
	client *http.Client
}

// Deliver sends the message. It retries while that can help and the deadline of ctx leaves time.
func (h *https) Deliver(ctx context.Context, message Message) error {
	secret, err := h.config.Key(ctx)
	if err != nil {
		return err
	}
	if secret == "" {
		return errors.New("the secret document has no delivery_key to sign with: add whsec_ and the base64 of 32 random bytes")
	}
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return errors.New("the delivery_key of the secret document must be whsec_ and base64")
	}
	backoff := retry.Backoff{First: firstBackoff}
	for attempt := 1; ; attempt++ {
		started := h.config.Now()
		retryAfter, err := h.send(ctx, signer, message)
		if err == nil || permanent.Is(err) || attempt == httpsAttempts {
			return err
		}
		if !backoff.Wait(ctx, attempt, retryAfter, h.config.Now().Sub(started)) {
			return err
		}
	}
}

func (h *https) send(ctx context.Context, signer *standardwebhooks.Webhook, message Message) (retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, httpsTimeout)
	defer cancel()
	now := h.config.Now()
	signature, err := signer.Sign(message.ID, now, message.Body)
	if err != nil {
		return 0, fmt.Errorf("sign the delivery: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.config.URL, bytes.NewReader(message.Body))
	if err != nil {
		return 0, errors.New("cannot create the delivery request") // err may quote the URL
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", h.config.UserAgent)
	request.Header.Set(standardwebhooks.HeaderWebhookID, message.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	response, err := h.client.Do(request)
	if err != nil {
		return 0, unreachable(request.URL.Host, err)
	}
	defer response.Body.Close()
	io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be reused
	return retry.After(response.Header, now), judge(response, request.URL.Host)
}

// unreachable drops the *url.Error around the cause: the path and query of the URL may be a secret of the receiver.
func unreachable(host string, err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	if badCertificate := new(tls.CertificateVerificationError); errors.As(err, &badCertificate) {
		return fmt.Errorf("the certificate of %s is not trusted: %w", host, bounded(err))
	}
	return fmt.Errorf("%s cannot be reached: %w", host, bounded(err))
}

// bounded returns err, or only the beginning of its text if that is long: it may quote what the receiver sent.
func bounded(err error) error {
	const most = 200
	if text := err.Error(); len(text) > most {
		return errors.New(strings.ToValidUTF8(text[:most], "") + "…")
	}
	return err
}

// judge accepts 2xx. The error for a 4xx is permanent, except for 408, 425 and 429, after which a retry may succeed.
func judge(response *http.Response, host string) error {
	status := response.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	err := fmt.Errorf("%s answered with %s", host, describe(status))
	if status >= 400 && status < 500 && !slices.Contains([]int{408, 425, 429}, status) {
		return permanent.Error(err)
	}
	return err
}

// describe returns a status with its standard text. The receiver's own text may be of any length and content.
func describe(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
