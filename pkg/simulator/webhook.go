package simulator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The webhooks that an [Engine] sends, by their CallbackCommand.
//
// Source: https://trtc.io/document/64413
const (
	AfterCreateRoom      = "Live.CallbackAfterCreateRoom"
	AfterDestroyRoom     = "Live.CallbackAfterDestroyRoom"
	AfterChangeOwner     = "Live.CallbackAfterChangeOwner"
	AfterSeatInfoChanged = "Mic.CallbackAfterSeatInfoChanged"
	BeforeSendGift       = "Live.CallbackBeforeSendGift"

	// BeforeCallBackNotBlock is not a webhook but a setting in the list of commands: with it, a gift passes when BeforeSendGift is not
	// answered in time. Without it, such a gift is refused.
	BeforeCallBackNotBlock = "Live.CallbackBeforeCallBackNotBlock"
)

const (
	afterTimeout  = 5 * time.Second // documented nowhere
	beforeTimeout = 2 * time.Second // https://www.tencentcloud.com/document/product/647/72210
	maxReply      = 64 << 10
	localIP       = "127.0.0.1" // the ClientIP of what is done by a method
)

// ErrWebhookLost is the outcome of a webhook that [Engine.LoseWebhooks] dropped.
var ErrWebhookLost = errors.New("simulator: the webhook was lost on its way")

// WebhookOutcome is the result of one webhook.
type WebhookOutcome struct {
	Command string // CallbackCommand
	Status  int    // HTTP status; 0 if there was no answer
	Body    string // of the answer, at most its first 64 KiB
	Err     error  // why there was no complete answer
}

// webhook is where webhooks go, which ones, and how they are signed.
type webhook struct {
	mu       sync.Mutex
	url      *url.URL // nil: webhooks are off
	token    string
	commands []string // empty: all
	last     *WebhookOutcome
}

// SetWebhook replaces the webhook configuration. If rawURL is empty, nothing is sent; if token is empty, webhooks are not
// signed. If commands are given, only those webhooks are sent, as with set_callback; otherwise all are, and a gift is not
// blocked by a failed webhook.
//
// Source: https://www.tencentcloud.com/zh/document/product/1071/78178
func (e *Engine) SetWebhook(rawURL, token string, commands ...string) error {
	var to *url.URL
	if rawURL != "" {
		var err error
		to, err = url.Parse(rawURL)
		if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			return errors.New("simulator: the webhook's URL must be http:// or https:// with a host")
		}
	}
	for _, command := range commands {
		if !isWebhook(command) && command != BeforeCallBackNotBlock {
			return fmt.Errorf("simulator: unknown webhook %q", command)
		}
	}
	e.webhook.mu.Lock()
	defer e.webhook.mu.Unlock()
	e.webhook.url, e.webhook.token, e.webhook.commands = to, token, slices.Clone(commands)
	return nil
}

// Webhooks returns the webhooks that an [Engine] sends.
func Webhooks() []string {
	return []string{AfterCreateRoom, AfterDestroyRoom, AfterChangeOwner, AfterSeatInfoChanged, BeforeSendGift}
}

func isWebhook(command string) bool { return slices.Contains(Webhooks(), command) }

// LastWebhook returns the outcome of the webhook that ended last, or nil if there was none.
func (e *Engine) LastWebhook() *WebhookOutcome {
	e.webhook.mu.Lock()
	defer e.webhook.mu.Unlock()
	return e.webhook.last
}

// target returns where a webhook goes, and the token that signs it. It returns nil if this webhook is off.
func (w *webhook) target(command string) (to *url.URL, token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.listed(command) {
		return nil, ""
	}
	return w.url, w.token
}

// blocking reports whether a gift is refused if its webhook fails.
func (w *webhook) blocking() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.listed(BeforeCallBackNotBlock)
}

// listed reports whether a command is switched on; the caller holds the lock.
func (w *webhook) listed(command string) bool {
	return len(w.commands) == 0 || slices.Contains(w.commands, command)
}

// notify sends a webhook and waits for the answer. It returns nil if this webhook is off.
func (e *Engine) notify(ctx context.Context, command, clientIP string, body any) *WebhookOutcome {
	to, token := e.webhook.target(command)
	if to == nil {
		return nil
	}
	outcome := &WebhookOutcome{Err: ErrWebhookLost}
	if _, lost := e.losses.Take(command); !lost {
		timeout := afterTimeout
		if command == BeforeSendGift {
			timeout = beforeTimeout
		}
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(e.config.WebhookTime, timeout))
		defer cancel()
		outcome = e.post(ctx, e.webhookURL(to, token, command, clientIP), encode(body))
	}
	outcome.Command = command
	e.webhook.mu.Lock()
	defer e.webhook.mu.Unlock()
	e.webhook.last = outcome
	return outcome
}

// webhookURL adds the documented parameters. The signature does not cover the body.
//
// Source: https://trtc.io/document/64412
func (e *Engine) webhookURL(to *url.URL, token, command, clientIP string) string {
	query := to.Query()
	query.Set("SdkAppid", e.appID)
	query.Set("CallbackCommand", command)
	query.Set("contenttype", "json")
	query.Set("ClientIP", clientIP)
	query.Set("OptPlatform", "RESTAPI")
	if token != "" {
		requestTime := strconv.FormatInt(e.config.Now().Unix(), 10)
		sign := sha256.Sum256([]byte(token + requestTime))
		query.Set("RequestTime", requestTime)
		query.Set("Sign", hex.EncodeToString(sign[:]))
	}
	signed := *to
	signed.RawQuery = query.Encode()
	return signed.String()
}

func (e *Engine) post(ctx context.Context, to string, body []byte) *WebhookOutcome {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return &WebhookOutcome{Err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	transport := e.config.Transport
	if transport == nil {
		transport = &http.Transport{DisableKeepAlives: true}
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		var detailed *url.Error
		if errors.As(err, &detailed) {
			err = detailed.Err // the rest repeats the URL with its signature
		}
		return &WebhookOutcome{Err: fmt.Errorf("simulator: webhook: %w", err)}
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	return &WebhookOutcome{Status: response.StatusCode, Body: string(reply), Err: err}
}

// encode encodes plain data, which cannot fail.
func encode(data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return text
}
