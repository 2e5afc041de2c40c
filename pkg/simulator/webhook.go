package simulator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

const (
	afterDestroyRoom = "Live.CallbackAfterDestroyRoom"
	webhookTimeout   = 5 * time.Second
	maxReply         = 64 << 10
)

// WebhookOutcome is what became of one webhook.
type WebhookOutcome struct {
	Status int    // HTTP status; 0 when there was no answer
	Body   string // of the answer, at most its first 64 KiB
	Err    error  // why there was no whole answer
}

// webhook is where and how dissolved rooms are told of.
type webhook struct {
	mu    sync.Mutex
	url   *url.URL // nil: nowhere
	token string
	last  *WebhookOutcome
}

// SetWebhook changes where dissolved rooms are told of, and the token that signs it. Without a URL nothing is sent, without a
// token nothing is signed.
func (e *Engine) SetWebhook(rawURL, token string) error {
	var to *url.URL
	if rawURL != "" {
		var err error
		to, err = url.Parse(rawURL)
		if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			return errors.New("simulator: the webhook's URL must be http:// or https:// with a host")
		}
	}
	e.webhook.mu.Lock()
	defer e.webhook.mu.Unlock()
	e.webhook.url, e.webhook.token = to, token
	return nil
}

// LastWebhook returns the outcome of the webhook that ended last, or nil when there was none.
func (e *Engine) LastWebhook() *WebhookOutcome {
	e.webhook.mu.Lock()
	defer e.webhook.mu.Unlock()
	return e.webhook.last
}

// tell sends the webhook of a dissolved room, if one is set, and waits for the answer up to five seconds.
func (e *Engine) tell(ctx context.Context, dissolved *room, clientIP string) *WebhookOutcome {
	e.webhook.mu.Lock()
	to, token := e.webhook.url, e.webhook.token
	e.webhook.mu.Unlock()
	if to == nil {
		return nil
	}
	now := e.config.Now()
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	outcome := e.post(ctx, e.webhookURL(to, token, clientIP, now), e.webhookBody(dissolved, now))
	e.webhook.mu.Lock()
	defer e.webhook.mu.Unlock()
	e.webhook.last = outcome
	return outcome
}

// webhookURL adds the documented parameters. The signature does not cover the body.
//
// Source: https://trtc.io/document/64412
func (e *Engine) webhookURL(to *url.URL, token, clientIP string, now time.Time) string {
	query := to.Query()
	query.Set("SdkAppid", e.appID)
	query.Set("CallbackCommand", afterDestroyRoom)
	query.Set("contenttype", "json")
	query.Set("ClientIP", clientIP)
	query.Set("OptPlatform", "RESTAPI")
	if token != "" {
		requestTime := strconv.FormatInt(now.Unix(), 10)
		sign := sha256.Sum256([]byte(token + requestTime))
		query.Set("RequestTime", requestTime)
		query.Set("Sign", hex.EncodeToString(sign[:]))
	}
	signed := *to
	signed.RawQuery = query.Encode()
	return signed.String()
}

// webhookBody has both of the blocks that older versions of the page lack.
//
// Source: https://trtc.io/document/64423
func (e *Engine) webhookBody(dissolved *room, now time.Time) []byte {
	type roomInfo struct {
		describedRoom
		CustomInfo             string
		BackgroundURL          string
		IsUnlimitedRoomEnabled bool
	}
	body, err := json.Marshal(struct {
		CallbackCommand string
		Operator        string `json:"Operator_Account"`
		RoomID          string `json:"RoomId"`
		EventType       string
		EventTime       int64 // Unix milliseconds
		RoomInfo        roomInfo
		Statistic       Statistic
	}{
		afterDestroyRoom, e.config.Admin, dissolved.info.RoomID, "DestroyByUser", now.UnixMilli(),
		roomInfo{describedRoom: dissolved.describe()}, dissolved.statistic,
	})
	if err != nil {
		panic(err) // plain data always encodes
	}
	return body
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
