package liveengine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/lenient"
)

type giftCountRequest struct {
	RoomID      string `json:"RoomId"`
	FromAccount string `json:"From_Account"`
}

type giftCountAnswer struct {
	envelope
	Response struct {
		Sequence        json.RawMessage
		TotalCount      lenient.Int
		TotalCoins      lenient.Int
		GiftSenderCount lenient.Int
	}
}

func (a *giftCountAnswer) missing() string {
	r := a.Response
	return firstUnusable(
		total{"TotalCount", r.TotalCount},
		total{"TotalCoins", r.TotalCoins},
		total{"GiftSenderCount", r.GiftSenderCount},
	)
}

// GiftCount returns what an account received in a room (get_gift_count, documented limit: 200 calls per second).
//
// Tencent's pages disagree on whether From_Account is the sender or the receiver of the gifts. This package takes it as the
// receiver: the Chinese title of the page is "statistics of gifts received", and one sender would make GiftSenderCount useless.
//
// Sources: https://trtc.io/document/72557, https://cloud.tencent.com/document/product/454/124236
func (c *Client) GiftCount(ctx context.Context, query giftstats.Query) (giftstats.Stats, error) {
	answer, err := call[giftCountAnswer](ctx, c, "get_gift_count", giftCountRequest{RoomID: query.RoomID, FromAccount: query.Account})
	if err != nil {
		return giftstats.Stats{}, err
	}
	stats := giftstats.Stats{
		RoomID:            query.RoomID,
		Account:           query.Account,
		TotalCount:        answer.Response.TotalCount.Value,
		TotalCoins:        answer.Response.TotalCoins.Value,
		GiftSenderCount:   answer.Response.GiftSenderCount.Value,
		UpstreamRequestID: answer.RequestID,
		FetchedAt:         c.fetchedAt(),
	}
	// Sequence is optional, so an unusable one does not make the answer unusable.
	var sequence lenient.Int
	if sequence.UnmarshalJSON(answer.Response.Sequence) == nil && sequence.Known {
		stats.Sequence = &sequence.Value
	}
	return stats, nil
}

type roomRequest struct {
	RoomID string `json:"RoomId"`
}

type roomStatsAnswer struct {
	envelope
	Response struct {
		TotalViewers           lenient.Int
		TotalGiftsSent         lenient.Int
		TotalGiftCoins         lenient.Int
		TotalUniqueGiftSenders lenient.Int
		TotalLikesReceived     lenient.Int
		TotalMsgCount          lenient.Int
	}
}

func (a *roomStatsAnswer) missing() string {
	r := a.Response
	return firstUnusable(
		total{"TotalViewers", r.TotalViewers},
		total{"TotalGiftsSent", r.TotalGiftsSent},
		total{"TotalGiftCoins", r.TotalGiftCoins},
		total{"TotalUniqueGiftSenders", r.TotalUniqueGiftSenders},
		total{"TotalLikesReceived", r.TotalLikesReceived},
		total{"TotalMsgCount", r.TotalMsgCount},
	)
}

// RoomStats returns the totals of a room over all receivers (get_room_stats, documented limit: 100 calls per second).
//
// Source: https://cloud.tencent.com/document/product/647/132566
func (c *Client) RoomStats(ctx context.Context, roomID string) (giftstats.RoomStats, error) {
	answer, err := call[roomStatsAnswer](ctx, c, "get_room_stats", roomRequest{roomID})
	if err != nil {
		return giftstats.RoomStats{}, err
	}
	response := answer.Response
	messages := response.TotalMsgCount.Value
	return giftstats.RoomStats{
		RoomID: roomID,
		RoomTotals: giftstats.RoomTotals{
			TotalViewers:           response.TotalViewers.Value,
			TotalGiftsSent:         response.TotalGiftsSent.Value,
			TotalGiftCoins:         response.TotalGiftCoins.Value,
			TotalUniqueGiftSenders: response.TotalUniqueGiftSenders.Value,
			TotalLikesReceived:     response.TotalLikesReceived.Value,
			TotalMessages:          &messages,
		},
		UpstreamRequestID: answer.RequestID,
		FetchedAt:         c.fetchedAt(),
	}, nil
}

type roomInfoAnswer struct {
	envelope
	Response struct {
		RoomInfo struct {
			RoomName     string
			OwnerAccount lenient.Text    `json:"Owner_Account"`
			CreateTime   json.RawMessage // Unix seconds
		}
	}
}

func (a *roomInfoAnswer) missing() string {
	if a.Response.RoomInfo.OwnerAccount == "" {
		return "Owner_Account"
	}
	return ""
}

// RoomInfo returns the owner and name of a room (get_room_info, documented limit: 200 calls per second).
//
// Source: https://trtc.io/document/63404
func (c *Client) RoomInfo(ctx context.Context, roomID string) (giftstats.RoomInfo, error) {
	answer, err := call[roomInfoAnswer](ctx, c, "get_room_info", roomRequest{roomID})
	if err != nil {
		return giftstats.RoomInfo{}, err
	}
	info := answer.Response.RoomInfo
	return giftstats.RoomInfo{
		RoomID: roomID, RoomName: info.RoomName, OwnerAccount: string(info.OwnerAccount), CreatedAt: createdAt(info.CreateTime),
	}, nil
}

type roomListRequest struct {
	Next  string
	Count int
}

// roomsPerPage is the documented maximum of a page.
const roomsPerPage = 20

type roomListAnswer struct {
	envelope
	Response *struct {
		Next     lenient.Text
		RoomList []struct {
			RoomID       lenient.Text `json:"RoomId"`
			RoomName     string
			OwnerAccount lenient.Text    `json:"Owner_Account"`
			CreateTime   json.RawMessage // Unix seconds
		}
	}
}

func (a *roomListAnswer) missing() string {
	if a.Response == nil {
		return "Response"
	}
	return ""
}

// RoomList returns one page of the app's live rooms (get_room_list, documented limit: 10 calls per second). The first page has the
// empty next.
//
// Source: https://cloud.tencent.com/document/product/647/110039
func (c *Client) RoomList(ctx context.Context, next string) (giftstats.RoomList, error) {
	answer, err := call[roomListAnswer](ctx, c, "get_room_list", roomListRequest{Next: next, Count: roomsPerPage})
	if err != nil {
		return giftstats.RoomList{}, err
	}
	list := giftstats.RoomList{Next: string(answer.Response.Next)}
	for _, room := range answer.Response.RoomList {
		if giftstats.ValidateRoomID(string(room.RoomID)) != nil {
			continue
		}
		list.Rooms = append(list.Rooms, giftstats.RoomInfo{
			RoomID: string(room.RoomID), RoomName: room.RoomName, OwnerAccount: string(room.OwnerAccount), CreatedAt: createdAt(room.CreateTime),
		})
	}
	return list, nil
}

// The seconds between which a CreateTime can be true: from the year 2000 to the year 9999. One in milliseconds is beyond.
const (
	firstCreated = 946_684_800
	lastCreated  = 253_402_300_799
)

// createdAt reads a CreateTime. It is optional, so an unusable one does not make the answer unusable.
func createdAt(raw json.RawMessage) time.Time {
	var created lenient.Int
	if created.UnmarshalJSON(raw) != nil || !created.Known || created.Value < firstCreated || created.Value > lastCreated {
		return time.Time{}
	}
	return time.Unix(created.Value, 0).UTC()
}

// fetchedAt returns the current time in UTC, to the millisecond.
func (c *Client) fetchedAt() time.Time { return c.config.Now().UTC().Truncate(time.Millisecond) }

// total is a required number of an answer.
type total struct {
	name  string
	value lenient.Int
}

// firstUnusable returns the name of the first total that is missing or negative, or "".
func firstUnusable(totals ...total) string {
	for _, t := range totals {
		if !t.value.IsCount() {
			return t.name
		}
	}
	return ""
}
