package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// afterCreate sends the webhook of a new room. Pages disagree on where EventTime stands: here it is beside RoomInfo, as on
// https://cloud.tencent.com/document/product/647/110523.
//
// Source: https://trtc.io/document/64422
func (e *Engine) afterCreate(ctx context.Context, info RoomInfo, created time.Time, clientIP string) {
	type roomInfo struct {
		RoomID            string `json:"RoomId"`
		RoomName          string
		RoomType          string
		Owner             string `json:"Owner_Account"`
		MaxMemberCount    int64
		IsMessageDisabled bool
		CustomInfo        string
		IsSeatEnabled     bool
		TakeSeatMode      string
		MaxSeatCount      int64
		CreateTime        int64 // Unix seconds
		IsPublicVisible   bool
		CoverURL          string
		Category          []int64
	}
	described := describe(info)
	e.notify(ctx, AfterCreateRoom, clientIP, struct {
		CallbackCommand string
		Operator        string `json:"Operator_Account"`
		EventTime       int64  // Unix milliseconds
		RoomInfo        roomInfo
	}{
		CallbackCommand: AfterCreateRoom, Operator: e.config.Admin, EventTime: created.UnixMilli(),
		RoomInfo: roomInfo{
			RoomID: info.RoomID, RoomName: info.RoomName, RoomType: described.RoomType, Owner: info.Owner,
			MaxMemberCount: info.MaxMemberCount, IsMessageDisabled: info.IsMessageDisabled, IsSeatEnabled: info.IsSeatEnabled,
			TakeSeatMode: info.TakeSeatMode, MaxSeatCount: info.MaxSeatCount, CreateTime: created.Unix(),
			IsPublicVisible: info.IsPublicVisible, CoverURL: info.CoverURL, Category: described.Category,
		},
	})
}

// afterDestroy sends the webhook of a dissolved room, with both of the blocks that older versions of the page lack.
//
// Source: https://trtc.io/document/64423
func (e *Engine) afterDestroy(ctx context.Context, dissolved *room, clientIP string) *WebhookOutcome {
	type roomInfo struct {
		describedRoom
		CustomInfo             string
		BackgroundURL          string
		IsUnlimitedRoomEnabled bool
	}
	return e.notify(ctx, AfterDestroyRoom, clientIP, struct {
		CallbackCommand string
		Operator        string `json:"Operator_Account"`
		RoomID          string `json:"RoomId"`
		EventType       string
		EventTime       int64 // Unix milliseconds
		RoomInfo        roomInfo
		Statistic       Statistic
	}{
		CallbackCommand: AfterDestroyRoom, Operator: e.config.Admin, RoomID: dissolved.info.RoomID, EventType: "DestroyByUser",
		EventTime: e.config.Now().UnixMilli(), RoomInfo: roomInfo{describedRoom: dissolved.describe()}, Statistic: dissolved.statistic,
	})
}

// afterChangeOwner sends the webhook of a new owner.
//
// Source: https://trtc.io/document/72553
func (e *Engine) afterChangeOwner(ctx context.Context, roomID, original, current string) {
	e.notify(ctx, AfterChangeOwner, localIP, struct {
		CallbackCommand string
		Operator        string `json:"Operator_Account"`
		RoomID          string `json:"RoomId"`
		CurrentOwner    string `json:"CurrentOwner_Account"`
		OriginalOwner   string `json:"OriginalOwner_Account"`
		EventTime       int64  // Unix milliseconds
	}{
		CallbackCommand: AfterChangeOwner, Operator: original, RoomID: roomID, CurrentOwner: current, OriginalOwner: original,
		EventTime: e.config.Now().UnixMilli(),
	})
}

// seat is one entry of a SeatList. The account is missing if the seat is empty.
type seat struct {
	Index           int64
	Member          sampleAccount `json:"Member_Account,omitempty"`
	IsTakenDisabled bool
	IsVideoDisabled bool
	IsAudioDisabled bool
}

// afterSeatChange sends the webhook of one seat, with that seat alone, as in the sample of the page.
//
// Source: https://www.tencentcloud.com/document/product/647/64425
func (e *Engine) afterSeatChange(ctx context.Context, roomID string, changed seat) {
	e.notify(ctx, AfterSeatInfoChanged, localIP, struct {
		CallbackCommand string
		RoomID          string `json:"RoomId"`
		SeatList        []seat
		EventTime       int64 // Unix milliseconds
	}{
		CallbackCommand: AfterSeatInfoChanged, RoomID: roomID, SeatList: []seat{changed}, EventTime: e.config.Now().UnixMilli(),
	})
}

// beforeGift sends the webhook before a gift, and returns an error if the gift must not pass. Coins is the price of one piece.
//
// The pages describe gifts that a client sends. Whether send_gift triggers the webhook too is not documented; here it does.
//
// Source: https://www.tencentcloud.com/document/product/647/72210
func (e *Engine) beforeGift(ctx context.Context, sent SentGift, price int64, clientIP string) error {
	type giftWater struct {
		From   string   `json:"From_Account"`
		To     []string `json:"To_Account"`
		Time   int64    // Unix seconds
		GiftID string   `json:"GiftId"`
		Count  int64
		Coins  int64
	}
	outcome := e.notify(ctx, BeforeSendGift, clientIP, struct {
		CallbackCommand string
		Operator        string `json:"Operator_Account"`
		RoomID          string `json:"RoomId"`
		GiftWater       giftWater
	}{
		CallbackCommand: BeforeSendGift, Operator: sent.Sender, RoomID: sent.RoomID,
		GiftWater: giftWater{
			From: sent.Sender, To: sent.Receivers, Time: e.config.Now().Unix(), GiftID: sent.GiftID, Count: sent.Count, Coins: price,
		},
	})
	if outcome == nil {
		return nil
	}
	return outcome.verdict(e.webhook.blocking())
}

// verdict reads the reply of a webhook that may refuse. A reply with one of its three fields missing counts as a failure.
func (o *WebhookOutcome) verdict(blocking bool) error {
	var reply struct {
		ActionStatus, ErrorInfo *string
		ErrorCode               *int
	}
	complete := o.Err == nil && o.Status == http.StatusOK && json.Unmarshal([]byte(o.Body), &reply) == nil &&
		reply.ActionStatus != nil && reply.ErrorInfo != nil && reply.ErrorCode != nil
	switch {
	case !complete && blocking:
		return refuse(codeWebhookFailed, "the webhook before the gift failed")
	case !complete || *reply.ErrorCode == 0:
		return nil
	case *reply.ErrorCode >= minPassedOn && *reply.ErrorCode <= maxPassedOn:
		return refuse(*reply.ErrorCode, "%s", *reply.ErrorInfo)
	}
	return refuse(codeWebhookFailed, "the webhook before the gift refused it with ErrorCode %d", *reply.ErrorCode)
}
