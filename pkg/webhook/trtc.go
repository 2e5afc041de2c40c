package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/giftstats/giftstats/pkg/lenient"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// TRTC's event of a dismissed room: https://trtc.io/document/39558
const (
	trtcRoomGroup     = 1
	trtcRoomDismissed = 102
)

type trtcBody struct {
	EventGroupID lenient.Int `json:"EventGroupId"`
	EventType    lenient.Int
	CallbackTs   lenient.Int // when the webhook was sent, in milliseconds
	EventInfo    struct {
		RoomID    lenient.Text `json:"RoomId"`
		EventTs   lenient.Int  // seconds
		EventMsTs lenient.Int  // milliseconds; missing in older versions
	}
}

// trtcTimeWindow is the largest accepted difference between CallbackTs and our clock. Tencent retries for a minute.
const trtcTimeWindow = 5 * time.Minute

// near reports whether the time at which a webhook was sent is within the window.
func near(milliseconds int64, now time.Time) bool {
	return now.Add(-trtcTimeWindow).UnixMilli() <= milliseconds && milliseconds <= now.Add(trtcTimeWindow).UnixMilli()
}

// readTRTC verifies the signature over the raw body: https://trtc.io/document/54912. The signature covers CallbackTs as well, so that a
// captured webhook is of use for a short time only. A body without CallbackTs is from an older version of TRTC.
func readTRTC(request Request, app App, now time.Time) (Notice, error) {
	if app.Keys.TRTCKey.Empty() {
		return Notice{}, unconfigured("trtc_key")
	}
	mac := hmac.New(sha256.New, []byte(app.Keys.TRTCKey.Reveal()))
	mac.Write(request.Body)
	if !equal(request.Header.Get("Sign"), base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
		return Notice{}, unauthenticated("missing or wrong Sign of the webhook: " +
			"trtc_key in the secret must be the key that is configured in the console")
	}
	if request.Header.Get("SdkAppId") != strconv.FormatInt(app.SDKAppID, 10) {
		return Notice{}, anotherApp()
	}
	var body trtcBody
	if err := readBody(request.Body, &body); err != nil {
		return Notice{}, err
	}
	if sent := body.CallbackTs; sent.Known && !near(sent.Value, now) {
		return Notice{}, unauthenticated("the webhook's CallbackTs is more than five minutes away from the current time")
	}
	if body.EventGroupID.Value != trtcRoomGroup || body.EventType.Value != trtcRoomDismissed {
		return Notice{}, nil
	}
	event := streamend.Event{RoomID: string(body.EventInfo.RoomID), Reason: "room dismissed", Source: streamend.SourceTRTC}
	info := body.EventInfo
	return ended(event, cmp.Or(timeOf(info.EventMsTs, time.Millisecond, now), timeOf(info.EventTs, time.Second, now)), now)
}
