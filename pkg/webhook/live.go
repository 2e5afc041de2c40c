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

// commandGift is the command of the webhook that Tencent sends before a gift.
const commandGift = "Live.CallbackBeforeSendGift"

// commands are those of interest, with what reads their body. The command destroyRoom is from an older API.
//
// Sources: https://trtc.io/document/64423, https://trtc.io/document/60732, https://cloud.tencent.com/document/product/1690/92698,
// https://trtc.io/document/64422, https://trtc.io/document/72553, https://trtc.io/document/64425, https://trtc.io/document/72210
var commands = map[string]func(body []byte, now time.Time) (Notice, error){
	"Live.CallbackAfterDestroyRoom":    readDestroyed,
	"Room.CallbackAfterDestroyRoom":    readDestroyed,
	"destroyRoom":                      readDestroyed,
	"Live.CallbackAfterCreateRoom":     readCreated,
	"Live.CallbackAfterChangeOwner":    readOwnerChanged,
	"Mic.CallbackAfterSeatInfoChanged": readSeats,
	commandGift:                        readGift,
}

// IsGift reports whether a webhook, which may not be verified yet, is the one that Tencent sends before a gift. Any answer but the
// acknowledgement can block the gift.
func IsGift(query url.Values) bool { return commandOf(lowerCase(query)) == commandGift }

// commandOf returns the command. Tencent's pages disagree on the name of the parameter:
// https://www.tencentcloud.com/document/product/647/64412
func commandOf(query map[string]string) string {
	return cmp.Or(query["callbackcommand"], query["webhookcommand"], query["command"])
}

func readLive(request Request, app App, now time.Time) (Notice, error) {
	if app.Keys.LiveToken.Empty() {
		return Notice{}, unconfigured("live_token")
	}
	query := lowerCase(request.Query)
	if err := checkLive(query, app, now); err != nil {
		return Notice{}, err
	}
	command := commandOf(query)
	if command == "" {
		var body struct{ CallbackCommand lenient.Text }
		if err := readBody(request.Body, &body); err != nil {
			return Notice{}, err
		}
		command = string(body.CallbackCommand)
	}
	read, ok := commands[command]
	if !ok {
		return Notice{}, nil
	}
	return read(request.Body, now)
}

// checkLive verifies the signature, which covers only RequestTime, and the app.
func checkLive(query map[string]string, app App, now time.Time) error {
	seconds, err := strconv.ParseInt(query["requesttime"], 10, 64)
	if err != nil || query["sign"] == "" {
		return unauthenticated("the webhook has no Sign and RequestTime: enable webhook authentication in the console")
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

// destroyedBody is the body of the webhook of a dissolved room. RoomInfo and Statistic are optional: older versions do not send them.
//
// Source: https://trtc.io/document/64423
type destroyedBody struct {
	RoomID    lenient.Text `json:"RoomId"`
	EventType lenient.Text
	EventTime lenient.Int // milliseconds
	RoomInfo  *struct {
		OwnerAccount lenient.Text `json:"Owner_Account"`
	}
	Statistic *statistic
}

func readDestroyed(raw []byte, now time.Time) (Notice, error) {
	var body destroyedBody
	if err := readBody(raw, &body); err != nil {
		return Notice{}, err
	}
	event := streamend.Event{
		RoomID: string(body.RoomID), Reason: string(body.EventType), Source: streamend.SourceLive, RoomTotals: body.Statistic.totals(),
	}
	if body.RoomInfo != nil && body.RoomInfo.OwnerAccount != "" {
		event.Accounts = []string{string(body.RoomInfo.OwnerAccount)}
	}
	return ended(event, timeOf(body.EventTime, time.Millisecond, now), now)
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
