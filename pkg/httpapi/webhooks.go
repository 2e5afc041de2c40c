package httpapi

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/jsonbody"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// webhookTime bounds how long a gift waits. Tencent waits for 2 s, and then it may block the gift:
// https://trtc.io/document/72210
const webhookTime = 800 * time.Millisecond

// webhook answers POST /v1/webhooks/…: it verifies the webhook, passes on what it reports, and acknowledges.
func (a *api) webhook(kind webhook.Kind) endpoint {
	return func(x *exchange) error {
		isGift := kind.Name == webhook.Live.Name && webhook.IsGift(x.request.URL.Query())
		if isGift {
			x.limit(webhookTime)
		}
		notice, err := a.readWebhook(x, kind, isGift)
		if err != nil {
			return err
		}
		if err := a.handle(x, notice); err != nil {
			return notAccepted(err)
		}
		x.write(http.StatusOK, jsonType, []byte(kind.Ack))
		return nil
	}
}

// readWebhook reads and verifies a webhook. Its error refuses the webhook, which could block a gift: therefore a gift has one only if
// its signature is wrong.
func (a *api) readWebhook(x *exchange, kind webhook.Kind, isGift bool) (webhook.Notice, error) {
	body, bodyErr := jsonbody.Read(x, x.request)
	if bodyErr != nil && !isGift {
		return webhook.Notice{}, bodyErr
	}
	document, err := a.config.Secrets.Get(x.context())
	switch {
	case err != nil && isGift:
		return webhook.UnverifiedGift(body, a.config.Now(), err), nil
	case err != nil:
		return webhook.Notice{}, err
	}
	request := webhook.Request{Query: x.request.URL.Query(), Header: x.request.Header, Body: body}
	app := webhook.App{SDKAppID: document.SDKAppID, Keys: document.Webhook, CSSEndsStream: a.config.CSSEndsStream}
	notice, err := kind.Read(request, app, a.config.Now())
	if bodyErr != nil && err == nil {
		notice = webhook.Notice{LostGift: bodyErr}
	}
	return notice, err
}

// handle passes on what a webhook reports. Its error means that the report is lost unless it is sent again.
func (a *api) handle(x *exchange, notice webhook.Notice) error {
	switch {
	case notice.Ended != nil:
		x.roomID, x.eventID = notice.Ended.RoomID, notice.Ended.EventID
		_, err := a.config.StreamEnded(x.context(), *notice.Ended)
		return err
	case a.config.Ledger == nil:
		return nil
	case notice.Seen != nil:
		x.roomID = notice.Seen.RoomID
		return a.config.Ledger.Observe(x.context(), *notice.Seen)
	case notice.LostGift != nil:
		a.logLostGift(x, notice.Gift, notice.LostGift)
	case notice.Gift != nil:
		x.roomID = notice.Gift.RoomID
		a.recordGift(x, *notice.Gift)
	}
	return nil
}

// recordGift records a gift within the time that Tencent waits. What happens to the ledger does not concern the gift.
func (a *api) recordGift(x *exchange, gift ledger.Gift) {
	gift.ID = rand.Text()
	ctx, done := x.context(), make(chan error, 1)
	go func() { done <- a.config.Ledger.RecordGift(ctx, gift) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done: // after a freeze of the process, both are true
		default:
			err = ctx.Err()
		}
	}
	if err != nil {
		a.logLostGift(x, &gift, err)
		return
	}
	x.gifts = 1
}

// logLostGift writes the one line that has the gift in it, so that nothing is lost silently. The gift is nil if it could not be read.
func (a *api) logLostGift(x *exchange, gift *ledger.Gift, err error) {
	attributes := []slog.Attr{slog.Int("gifts_lost", 1), slog.Int("errors", 1), slog.String("code", string(giftstats.AsError(err).Code))}
	if gift != nil {
		attributes = append(attributes, slog.String("room_id", gift.RoomID), slog.Any("gift", gift))
	}
	attributes = append(attributes, slog.Any("error", err))
	a.config.Logger.LogAttrs(x.context(), slog.LevelError, "gift not recorded", attributes...)
}

// notAccepted returns an error with status 503 for every cause, because that makes Tencent send the webhook again.
func notAccepted(cause error) error {
	if errors.Is(cause, giftstats.CodeSecretUnavailable) || errors.Is(cause, giftstats.CodeLedgerUnavailable) {
		return cause
	}
	return &giftstats.Error{
		Code:   giftstats.CodeUpstreamUnavailable,
		Detail: "the webhook could not be processed; send it again later",
		Err:    cause,
	}
}
