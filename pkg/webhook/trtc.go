package webhook

import (
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
	EventInfo    struct {
		RoomID    lenient.Text `json:"RoomId"`
		EventTs   lenient.Int  // seconds
		EventMsTs lenient.Int  // milliseconds; missing in older versions
	}
}

// readTRTC verifies the signature over the raw body: https://trtc.io/document/54912
func readTRTC(request Request, app App, now time.Time) (Notice, error) {
	if app.Keys.TRTCKey.Empty() {
		return Notice{}, unconfigured()
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
	if body.EventGroupID.Value != trtcRoomGroup || body.EventType.Value != trtcRoomDismissed {
		return Notice{}, nil
	}
	milliseconds := body.EventInfo.EventMsTs.Value
	if milliseconds == 0 {
		milliseconds = body.EventInfo.EventTs.Value * 1000
	}
	event := streamend.Event{RoomID: string(body.EventInfo.RoomID), Reason: "room dismissed", Source: streamend.SourceTRTC}
	return ended(event, milliseconds, now)
}
