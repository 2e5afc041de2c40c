// Package giftstats is the domain: the queries about live rooms, the answers to them, and the ways they can fail.
//
// A [Service] answers queries with numbers that it gets from an [Engine]. Every failure has a [Code] that callers can act on.
// The package knows neither clouds nor HTTP.
package giftstats

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// Maximum lengths of identifiers, in bytes. Tencent's pages agree on the lengths, but not on the characters. Therefore only
// characters that no page allows are refused.
//
// Source: https://trtc.io/document/63404 (room id), https://cloud.tencent.com/document/product/269/1671 (account).
const (
	MaxRoomIDBytes  = 48
	MaxAccountBytes = 32
)

// Query asks for the gifts that one account received in one room.
type Query struct {
	RoomID  string `json:"room_id"`
	Account string `json:"account"` // the receiver of the gifts: the host or a co-host
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
			return Invalid("%s contains the control character %U; remove it", field, r)
		}
	}
	return nil
}

// Stats holds what one account received in one room until FetchedAt.
//
// Source: https://trtc.io/document/72557
type Stats struct {
	RoomID  string `json:"room_id"`
	Account string `json:"account"`
	// TotalCount is the number of gifts.
	TotalCount int64 `json:"total_count"`
	// TotalCoins is their value in the app's virtual currency. The app sets the prices; coins are not money.
	TotalCoins int64 `json:"total_coins"`
	// GiftSenderCount is the number of accounts that sent them.
	GiftSenderCount int64 `json:"gift_sender_count"`
	// Sequence appears in the page's examples, but the page does not explain it. It is nil if upstream sends none.
	Sequence          *int64    `json:"sequence,omitempty"`
	UpstreamRequestID string    `json:"upstream_request_id,omitempty"`
	FetchedAt         time.Time `json:"fetched_at"`
}

// RoomTotals are the numbers of a room over all receivers.
//
// Source: https://cloud.tencent.com/document/product/647/132566
type RoomTotals struct {
	// TotalViewers counts entries: a user who enters N times counts N.
	TotalViewers           int64 `json:"total_viewers"`
	TotalGiftsSent         int64 `json:"total_gifts_sent"`
	TotalGiftCoins         int64 `json:"total_gift_coins"`
	TotalUniqueGiftSenders int64 `json:"total_unique_gift_senders"`
	TotalLikesReceived     int64 `json:"total_likes_received"`
	// TotalMessages is nil if the totals come from a webhook, which does not report it.
	TotalMessages *int64 `json:"total_messages,omitempty"`
}

// RoomStats holds the totals of one room until FetchedAt.
type RoomStats struct {
	RoomID string `json:"room_id"`
	RoomTotals
	UpstreamRequestID string    `json:"upstream_request_id,omitempty"`
	FetchedAt         time.Time `json:"fetched_at"`
}

// RoomInfo holds the parts of a room's description that a stream end needs.
//
// Source: https://trtc.io/document/63404
type RoomInfo struct {
	RoomID       string
	RoomName     string
	OwnerAccount string
	CreatedAt    time.Time // zero if upstream does not send it
}

// RoomList is one page of the app's live rooms. Next asks for the page after it; it is empty at the end. Rooms may be missing or
// appear twice, because the order changes while pages are read.
//
// Source: https://cloud.tencent.com/document/product/647/110039
type RoomList struct {
	Rooms []RoomInfo
	Next  string
}

// Invalid returns an invalid_request error. Its text says what to change.
func Invalid(format string, args ...any) *Error {
	return Errorf(CodeInvalidRequest, format, args...)
}
