// Package giftstats is the domain: what may be asked about a live room, what is answered, and what can go wrong.
//
// A [Service] takes queries and gives numbers. It knows neither clouds nor HTTP: the numbers come from an [Engine], and
// every error is an [*Error] with a [Code] that callers can act on.
package giftstats

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what may be asked, in bytes. The pages agree on the lengths; they disagree on the characters, so only what no
// page allows is refused.
//
// Source: https://trtc.io/document/63404 (room id), https://cloud.tencent.com/document/product/269/1671 (account).
const (
	MaxRoomIDBytes  = 48
	MaxAccountBytes = 32
)

// Query asks what one account received in one room.
type Query struct {
	RoomID  string `json:"room_id"`
	Account string `json:"account"` // whose received gifts are counted: normally the host, or a co-host
}

// Validate returns an invalid_request error that names the field to change.
func (q Query) Validate() error {
	if err := ValidateRoomID(q.RoomID); err != nil {
		return err
	}
	return ValidateAccount(q.Account)
}

// ValidateRoomID returns an invalid_request error unless id is 1 to 48 bytes of valid UTF-8 without control characters.
func ValidateRoomID(id string) error { return validateID("room_id", id, MaxRoomIDBytes) }

// ValidateAccount returns an invalid_request error unless account is 1 to 32 bytes of valid UTF-8 without control
// characters.
func ValidateAccount(account string) error { return validateID("account", account, MaxAccountBytes) }

func validateID(field, value string, limit int) error {
	switch {
	case value == "":
		return Invalid("%s is missing or empty; give 1 to %d bytes", field, limit)
	case len(value) > limit:
		return Invalid("%s has %d bytes; at most %d are allowed", field, len(value), limit)
	case !utf8.ValidString(value):
		return Invalid("%s is not valid UTF-8", field)
	}
	for _, r := range value {
		if unicode.IsControl(r) {
			return Invalid("%s contains the control character %U", field, r)
		}
	}
	return nil
}

// Stats is what one account received in one room up to FetchedAt.
//
// Source: https://trtc.io/document/72557
type Stats struct {
	RoomID  string `json:"room_id"`
	Account string `json:"account"`
	// TotalCount is the number of gifts, in pieces.
	TotalCount int64 `json:"total_count"`
	// TotalCoins is their value in the app's own virtual currency, as priced by the app. It is not money.
	TotalCoins int64 `json:"total_coins"`
	// GiftSenderCount is the number of people who sent them.
	GiftSenderCount int64 `json:"gift_sender_count"`
	// Sequence is in the samples of the page but in none of its tables: opaque, and left out when upstream sends none.
	Sequence          *int64    `json:"sequence,omitempty"`
	UpstreamRequestID string    `json:"upstream_request_id,omitempty"`
	FetchedAt         time.Time `json:"fetched_at"`
}

// RoomTotals are the numbers of a whole room, all receivers together.
//
// Source: https://cloud.tencent.com/document/product/647/132566
type RoomTotals struct {
	// TotalViewers counts entries: the same user who comes N times counts N.
	TotalViewers           int64 `json:"total_viewers"`
	TotalGiftsSent         int64 `json:"total_gifts_sent"`
	TotalGiftCoins         int64 `json:"total_gift_coins"`
	TotalUniqueGiftSenders int64 `json:"total_unique_gift_senders"`
	TotalLikesReceived     int64 `json:"total_likes_received"`
	// TotalMessages is not known to the webhooks, and then left out.
	TotalMessages *int64 `json:"total_messages,omitempty"`
}

// RoomStats are the totals of one room up to FetchedAt.
type RoomStats struct {
	RoomID string `json:"room_id"`
	RoomTotals
	UpstreamRequestID string    `json:"upstream_request_id,omitempty"`
	FetchedAt         time.Time `json:"fetched_at"`
}

// RoomInfo is what is needed of a room's description when its stream ends.
//
// Source: https://trtc.io/document/63404
type RoomInfo struct {
	RoomID       string
	RoomName     string
	OwnerAccount string
	CreatedAt    time.Time // zero when upstream does not say
}

// Invalid returns an invalid_request error whose text says what to change.
func Invalid(format string, args ...any) *Error {
	return Errorf(CodeInvalidRequest, format, args...)
}
