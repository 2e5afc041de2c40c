package webhook

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/lenient"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// cssPushEnded is the event_type of a push that ended or was interrupted.
const cssPushEnded = 0

// cssSignature has the fields of the body that verify it. They are decoded before all others, so that a field with a wrong type
// is reported only to a sender who knows the key.
type cssSignature struct {
	Sign lenient.Text `json:"sign"`
	T    lenient.Text `json:"t"` // expiry in Unix seconds; Tencent's pages disagree on its type
}

// cssBody is the body of a push event. The stream id is taken as the room id.
//
// Source: https://www.tencentcloud.com/document/product/267/38081
type cssBody struct {
	EventType lenient.Int  `json:"event_type"`
	StreamID  lenient.Text `json:"stream_id"`
	EventTime lenient.Int  `json:"event_time"` // Unix seconds
	Sequence  lenient.Text `json:"sequence"`   // identifies the push: the same at its start and its end
	ErrCode   lenient.Text `json:"errcode"`
	ErrMsg    lenient.Text `json:"errmsg"`
}

func readCSS(request Request, app App, now time.Time) (Notice, error) {
	if app.Keys.CSSKey.Empty() {
		return Notice{}, unconfigured("css_key")
	}
	if err := checkCSS(request.Body, app, now); err != nil {
		return Notice{}, err
	}
	var body cssBody
	if err := readBody(request.Body, &body); err != nil {
		return Notice{}, err
	}
	if !app.CSSEndsStream || !body.EventType.Known || body.EventType.Value != cssPushEnded {
		return Notice{}, nil
	}
	event := streamend.Event{RoomID: string(body.StreamID), Reason: body.reason(), Source: streamend.SourceCSS}
	return ended(event, timeOf(body.EventTime, time.Second, now), now)
}

// checkCSS verifies the signature in the body. It covers only the expiry time.
func checkCSS(body []byte, app App, now time.Time) error {
	var given cssSignature
	if json.Unmarshal(body, &given) != nil || given.Sign == "" {
		return unauthenticated("the webhook has no sign in its body: set a key in the callback template")
	}
	digest := md5.Sum([]byte(app.Keys.CSSKey.Reveal() + string(given.T)))
	if !equal(strings.ToLower(string(given.Sign)), hex.EncodeToString(digest[:])) {
		return unauthenticated("wrong sign in the webhook's body: css_key in the secret must be the key of the callback template")
	}
	until, err := strconv.ParseInt(string(given.T), 10, 64)
	if err != nil || now.After(time.Unix(until, 0)) {
		return unauthenticated("the webhook's signature has expired")
	}
	return nil
}

func (b cssBody) reason() string {
	reason := "push ended"
	if b.ErrCode != "" || b.ErrMsg != "" {
		reason += ": " + strings.TrimSpace(string(b.ErrCode)+" "+string(b.ErrMsg))
	}
	return reason
}
