package httpapi

import (
	"net/http"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// webhook answers POST /v1/webhooks/…: verify, hand the end of a stream over, acknowledge. What cannot be handed over is
// answered with 503, so that a sender who tries again does.
func (a *api) webhook(kind webhook.Kind) endpoint {
	return func(x *exchange, r *http.Request) error {
		body, err := readBody(x, r)
		if err != nil {
			return err
		}
		document, err := a.config.Secrets.Get(r.Context())
		if err != nil {
			return err
		}
		app := webhook.App{SDKAppID: document.SDKAppID, Keys: document.Webhook, CSSEndsStream: a.config.CSSEndsStream}
		event, err := kind.Read(webhook.Request{Query: r.URL.Query(), Header: r.Header, Body: body}, app, a.config.Now())
		if err != nil {
			return err
		}
		if event != nil {
			x.roomID, x.eventID = event.RoomID, event.EventID
			if err := a.config.StreamEnded(r.Context(), *event); err != nil {
				return notHandedOver(err)
			}
		}
		return write(x, r, http.StatusOK, "application/json", []byte(kind.Ack))
	}
}

// notHandedOver is a 503, whatever the cause, which is for the log.
func notHandedOver(err error) error {
	if giftstats.AsError(err).Code == giftstats.CodeSecretUnavailable {
		return err
	}
	return &giftstats.Error{
		Code:   giftstats.CodeUpstreamUnavailable,
		Detail: "the end of the stream could not be dealt with now; the log says why; send it again",
		Err:    err,
	}
}
