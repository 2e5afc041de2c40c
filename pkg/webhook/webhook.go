// Package webhook verifies what Tencent sends when something happens in a room, and reads the ends of streams out of it.
//
// Each kind is verified by its own signature before anything of its body is used. Only TRTC's signature covers the body: what
// a live or CSS webhook says besides its time is a hint. Errors are [giftstats.Error]s: unauthenticated for a wrong
// signature, forbidden for another app, not_found for a kind without a key, invalid_request for a body that is not as
// documented.
package webhook

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// Request is a webhook as it came.
type Request struct {
	Query  url.Values
	Header http.Header
	Body   []byte // as received: a signature may cover the bytes
}

// App is whose webhooks are accepted.
type App struct {
	SDKAppID int64
	Keys     secret.WebhookKeys
	// CSSEndsStream makes an interrupted push of CSS the end of a stream. It also happens on a network drop.
	CSSEndsStream bool
}

// Kind is one of the services that send webhooks.
type Kind struct {
	Name string
	// Ack is the reply that acknowledges a webhook.
	Ack string
	// Read verifies a webhook and returns the end of the stream that it tells of, or nil when it tells of something else.
	Read func(request Request, app App, now time.Time) (*streamend.Event, error)
}

// The kinds.
var (
	// Live is for the commands Live.*, Room.* and the others of one app's callback URL: https://trtc.io/document/64412
	Live = Kind{"live", `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, readLive}
	// TRTC is for its room events: https://trtc.io/document/39558
	TRTC = Kind{"trtc", `{"code":0}`, readTRTC}
	// CSS is for its push events: https://www.tencentcloud.com/document/product/267/38081
	CSS = Kind{"css", `{"code":0}`, readCSS}
)

func unconfigured() error {
	return &giftstats.Error{Code: giftstats.CodeNotFound, Detail: "there is no such path; /openapi.json lists those that there are"}
}

func unauthenticated(detail string) error {
	return &giftstats.Error{Code: giftstats.CodeUnauthenticated, Detail: detail}
}

func anotherApp() error {
	return &giftstats.Error{Code: giftstats.CodeForbidden, Detail: "the webhook is of another app"}
}

// same compares in constant time.
func same(given, want string) bool { return hmac.Equal([]byte(given), []byte(want)) }

// end completes an event and checks it as if somebody had sent it.
func end(event streamend.Event) (*streamend.Event, error) {
	if err := giftstats.ValidateRoomID(event.RoomID); err != nil {
		return nil, err
	}
	for _, account := range event.Accounts {
		if err := giftstats.ValidateAccount(account); err != nil {
			return nil, err
		}
	}
	return &event, nil
}

// at turns milliseconds into a time; nil when there are none.
func at(milliseconds int64) *time.Time {
	if milliseconds <= 0 {
		return nil
	}
	t := time.UnixMilli(milliseconds).UTC()
	return &t
}
