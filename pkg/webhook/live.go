package webhook

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/lenient"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// requestTimeWindow is the largest accepted difference between RequestTime and our clock: https://trtc.io/document/64412
const requestTimeWindow = time.Minute

// roomEnded has the commands that report a dissolved room. The last one is from an older API:
// https://trtc.io/document/64423, https://trtc.io/document/60732, https://cloud.tencent.com/document/product/1690/92698
var roomEnded = map[string]bool{"Live.CallbackAfterDestroyRoom": true, "Room.CallbackAfterDestroyRoom": true, "destroyRoom": true}

// liveBody is the body of the webhook of a dissolved room. RoomInfo and Statistic are optional: older versions do not send them.
//
// Source: https://trtc.io/document/64423
type liveBody struct {
	CallbackCommand lenient.Text
	RoomID          lenient.Text `json:"RoomId"`
	EventType       lenient.Text
	EventTime       lenient.Int // milliseconds
	RoomInfo        *struct {
		OwnerAccount lenient.Text `json:"Owner_Account"`
	}
	Statistic *statistic
}

func readLive(request Request, app App, now time.Time) (*streamend.Event, error) {
	if app.Keys.LiveToken.Empty() {
		return nil, unconfigured()
	}
	query := lowerCase(request.Query)
	if err := checkLive(query, app, now); err != nil {
		return nil, err
	}
	// Tencent's pages disagree on the name of the parameter: https://www.tencentcloud.com/document/product/647/64412
	command := cmp.Or(query["callbackcommand"], query["webhookcommand"], query["command"])
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

// checkLive verifies the signature, which covers only RequestTime, and the app.
func checkLive(query map[string]string, app App, now time.Time) error {
	seconds, err := strconv.ParseInt(query["requesttime"], 10, 64)
	if err != nil || query["sign"] == "" {
		return unauthenticated("the webhook has no Sign and RequestTime: switch on webhook authentication in the console")
	}
	digest := sha256.Sum256([]byte(app.Keys.LiveToken.Reveal() + query["requesttime"]))
	if !equal(strings.ToLower(query["sign"]), hex.EncodeToString(digest[:])) {
		return unauthenticated("wrong Sign of the webhook: live_token in the secret must be the token that is configured in the console")
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > requestTimeWindow {
		return unauthenticated("the webhook's RequestTime is more than a minute away from the current time")
	}
	if query["sdkappid"] != strconv.FormatInt(app.SDKAppID, 10) {
		return anotherApp()
	}
	return nil
}

func (b liveBody) event() (*streamend.Event, error) {
	event := streamend.Event{
		EventID: streamend.ID(streamend.SourceLive, string(b.RoomID), strconv.FormatInt(b.EventTime.Value, 10)),
		RoomID:  string(b.RoomID),
		EndedAt: timeOf(b.EventTime.Value),
		Reason:  string(b.EventType),
		Source:  streamend.SourceLive,
	}
	if b.RoomInfo != nil && b.RoomInfo.OwnerAccount != "" {
		event.Accounts = []string{string(b.RoomInfo.OwnerAccount)}
	}
	event.RoomTotals = b.Statistic.totals()
	return checked(event)
}

type statistic struct {
	TotalViewers           lenient.Int
	TotalGiftsSent         lenient.Int
	TotalGiftCoins         lenient.Int
	TotalUniqueGiftSenders lenient.Int
	TotalLikesReceived     lenient.Int
}

// totals returns nil unless all of the totals are usable: a missing one would read as zero.
func (s *statistic) totals() *giftstats.RoomTotals {
	if s == nil {
		return nil
	}
	for _, total := range []lenient.Int{s.TotalViewers, s.TotalGiftsSent, s.TotalGiftCoins, s.TotalUniqueGiftSenders, s.TotalLikesReceived} {
		if !total.IsCount() {
			return nil
		}
	}
	return &giftstats.RoomTotals{
		TotalViewers:           s.TotalViewers.Value,
		TotalGiftsSent:         s.TotalGiftsSent.Value,
		TotalGiftCoins:         s.TotalGiftCoins.Value,
		TotalUniqueGiftSenders: s.TotalUniqueGiftSenders.Value,
		TotalLikesReceived:     s.TotalLikesReceived.Value,
	}
}

// lowerCase returns the first value of each parameter by its lower-case name: Tencent's pages spell the names differently.
func lowerCase(query url.Values) map[string]string {
	lower := make(map[string]string, len(query))
	for name, values := range query {
		if len(values) > 0 {
			lower[strings.ToLower(name)] = values[0]
		}
	}
	return lower
}
