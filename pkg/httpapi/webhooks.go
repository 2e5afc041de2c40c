package httpapi

import (
	"errors"
	"net/http"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// webhook answers POST /v1/webhooks/…: it verifies the webhook, passes a stream end on, and acknowledges.
func (a *api) webhook(kind webhook.Kind) endpoint {
	return func(x *exchange) error {
		body, err := x.readBody()
		if err != nil {
			return err
		}
		document, err := a.config.Secrets.Get(x.context())
		if err != nil {
			return err
		}
		request := webhook.Request{Query: x.request.URL.Query(), Header: x.request.Header, Body: body}
		app := webhook.App{SDKAppID: document.SDKAppID, Keys: document.Webhook, CSSEndsStream: a.config.CSSEndsStream}
		event, err := kind.Read(request, app, a.config.Now())
		if err != nil {
			return err
		}
		if event != nil {
			x.roomID, x.eventID = event.RoomID, event.EventID
			if err := a.config.StreamEnded(x.context(), *event); err != nil {
				return notAccepted(err)
			}
		}
		x.write(http.StatusOK, jsonType, []byte(kind.Ack))
		return nil
	}
}

// notAccepted returns an error with status 503, whatever the cause is, because that makes Tencent send the webhook again.
func notAccepted(cause error) error {
	if errors.Is(cause, giftstats.CodeSecretUnavailable) {
		return cause
	}
	return &giftstats.Error{
		Code:   giftstats.CodeUpstreamUnavailable,
		Detail: "the webhook could not be processed; send it again later",
		Err:    cause,
	}
}
