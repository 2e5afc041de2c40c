package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// requestTimeWindow is how far the time of a live webhook may be off: https://trtc.io/document/64412
const requestTimeWindow = time.Minute

// roomEnded are the commands that tell of a dissolved room. The last is an older dialect's:
// https://trtc.io/document/64423, https://trtc.io/document/60732, https://cloud.tencent.com/document/product/1690/92698
var roomEnded = map[string]bool{"Live.CallbackAfterDestroyRoom": true, "Room.CallbackAfterDestroyRoom": true, "destroyRoom": true}

// liveBody is the body of a dissolved room's webhook. Blocks that only newer versions send are optional.
//
// Source: https://trtc.io/document/64423
type liveBody struct {
	CallbackCommand text
	RoomID          text `json:"RoomId"`
	EventType       text
	EventTime       number // milliseconds
	RoomInfo        *struct {
		OwnerAccount text `json:"Owner_Account"`
	}
	Statistic *struct {
		TotalViewers           *number
		TotalGiftsSent         *number
		TotalGiftCoins         *number
		TotalUniqueGiftSenders *number
		TotalLikesReceived     *number
	}
}

func readLive(request Request, app App, now time.Time) (*streamend.Event, error) {
	if app.Keys.LiveToken.Empty() {
		return nil, unconfigured()
	}
	query := lowerCase(request.Query)
	if err := checkLive(query, app, now); err != nil {
		return nil, err
	}
	// Pages disagree on the parameter's name: https://www.tencentcloud.com/document/product/647/64412
	command := first(query["callbackcommand"], query["webhookcommand"], query["command"])
	if command != "" && !roomEnded[command] {
		return nil, nil
	}
	var body liveBody
	if err := readBody(request.Body, &body); err != nil {
		return nil, err
	}
	if command == "" && !roomEnded[string(body.CallbackCommand)] {
		return nil, nil
	}
	return body.event()
}

// checkLive verifies the signature, which covers the time alone, and that the webhook is of the app.
func checkLive(query map[string]string, app App, now time.Time) error {
	seconds, err := strconv.ParseInt(query["requesttime"], 10, 64)
	if err != nil || query["sign"] == "" {
		return unauthenticated("the webhook has no Sign and RequestTime: switch its authentication on")
	}
	digest := sha256.Sum256([]byte(app.Keys.LiveToken.Reveal() + query["requesttime"]))
	if !same(strings.ToLower(query["sign"]), hex.EncodeToString(digest[:])) {
		return unauthenticated("the webhook's Sign is wrong: is live_token in the secret the token that is configured at Tencent?")
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > requestTimeWindow {
		return unauthenticated("the webhook's RequestTime is more than a minute off")
	}
	if query["sdkappid"] != strconv.FormatInt(app.SDKAppID, 10) {
		return anotherApp()
	}
	return nil
}

func (b liveBody) event() (*streamend.Event, error) {
	event := streamend.Event{
		EventID: streamend.ID(streamend.SourceLive, string(b.RoomID), strconv.FormatInt(int64(b.EventTime), 10)),
		RoomID:  string(b.RoomID), EndedAt: at(int64(b.EventTime)), Reason: string(b.EventType), Source: streamend.SourceLive,
	}
	if b.RoomInfo != nil && b.RoomInfo.OwnerAccount != "" {
		event.Accounts = []string{string(b.RoomInfo.OwnerAccount)}
	}
	if s := b.Statistic; s != nil && known(s.TotalViewers, s.TotalGiftsSent, s.TotalGiftCoins, s.TotalUniqueGiftSenders, s.TotalLikesReceived) {
		event.RoomTotals = &giftstats.RoomTotals{
			TotalViewers: int64(*s.TotalViewers), TotalGiftsSent: int64(*s.TotalGiftsSent), TotalGiftCoins: int64(*s.TotalGiftCoins),
			TotalUniqueGiftSenders: int64(*s.TotalUniqueGiftSenders), TotalLikesReceived: int64(*s.TotalLikesReceived),
		}
	}
	return end(event)
}

// known reports whether all totals are there and can be counts: half of them would read as zeros.
func known(totals ...*number) bool {
	for _, total := range totals {
		if total == nil || *total < 0 {
			return false
		}
	}
	return true
}

// lowerCase makes the names of parameters comparable: pages spell them differently.
func lowerCase(query url.Values) map[string]string {
	lower := make(map[string]string, len(query))
	for name, values := range query {
		if len(values) > 0 {
			lower[strings.ToLower(name)] = values[0]
		}
	}
	return lower
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
