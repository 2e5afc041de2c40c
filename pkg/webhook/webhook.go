// Package webhook verifies the webhooks that Tencent sends when something happens in a room, and finds those that report the end
// of a stream.
//
// Each kind has its own signature, which is verified before the body is used. Only TRTC's signature covers the body, so what a
// live or CSS webhook says besides its time is not proven. Errors are [giftstats.Error]s: unauthenticated for a wrong signature,
// forbidden for another app, not_found for a kind without a key, invalid_request for a body that is not as documented.
package webhook

import (
	"cmp"
	"crypto/hmac"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// Request is a received webhook.
type Request struct {
	Query  url.Values
	Header http.Header
	Body   []byte // unchanged: a signature may cover the bytes
}

// App says which webhooks are accepted.
type App struct {
	SDKAppID int64
	Keys     secret.WebhookKeys
	// CSSEndsStream says whether an interrupted CSS push is the end of a stream. A lost network interrupts a push as well.
	CSSEndsStream bool
}

// Kind is one of the services that send webhooks.
type Kind struct {
	Name string
	// Ack is the documented reply to an accepted webhook.
	Ack string
	// Read verifies a webhook, and returns what it reports.
	Read func(request Request, app App, now time.Time) (Notice, error)
}

// Notice is what a webhook reports. All fields are nil if it is of no interest.
type Notice struct {
	Ended *streamend.Event // a stream has ended
	Seen  *ledger.Sighting // a room is live
	Gift  *ledger.Gift     // a gift is about to be sent; its ID is not set
	// LostGift says why the report of a gift must not be recorded. Gift is nil then if the report cannot be read either.
	LostGift error
}

// The kinds of webhooks.
var (
	// Live is for all commands that one callback URL of an app receives, such as Live.* and Room.*: https://trtc.io/document/64412
	Live = Kind{Name: "live", Ack: `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, Read: readLive}
	// TRTC is for TRTC's room events: https://trtc.io/document/39558
	TRTC = Kind{Name: "trtc", Ack: `{"code":0}`, Read: readTRTC}
	// CSS is for the push events of Cloud Streaming Services: https://www.tencentcloud.com/document/product/267/38081
	CSS = Kind{Name: "css", Ack: `{"code":0}`, Read: readCSS}
)

// unconfigured is the error of a webhook whose key is missing. It names the key, because the operator looks for the reason of a 404.
func unconfigured(key string) error {
	return giftstats.Errorf(giftstats.CodeNotFound, "this webhook is disabled: add webhook.%s to the secret document", key)
}

func unauthenticated(detail string) error {
	return giftstats.Errorf(giftstats.CodeUnauthenticated, "%s", detail)
}

func anotherApp() error {
	return giftstats.Errorf(giftstats.CodeForbidden, "the webhook is from another app")
}

// equal compares in constant time.
func equal(given, want string) bool { return hmac.Equal([]byte(given), []byte(want)) }

// maxReason is the longest reason of an event, in bytes. A longer one is cut off, so that every accepted event can be processed.
const maxReason = 200

// ended returns the notice of an end if its room and accounts are valid.
func ended(event streamend.Event, at, now time.Time) (Notice, error) {
	if err := giftstats.ValidateRoomID(event.RoomID); err != nil {
		return Notice{}, err
	}
	for _, account := range event.Accounts {
		if err := giftstats.ValidateAccount(account); err != nil {
			return Notice{}, err
		}
	}
	at = cmp.Or(at, now.UTC().Truncate(time.Millisecond))
	event.Reason = strings.ToValidUTF8(event.Reason[:min(len(event.Reason), maxReason)], "")
	event.EndedAt, event.EventID = &at, streamend.NewID(event.RoomID, at)
	return Notice{Ended: &event}, nil
}
