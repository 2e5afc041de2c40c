package simulator

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
)

// command carries out one call; everything but its body has been checked. It returns the data for Response, or nil.
type command func(r *http.Request, body *object) (any, error)

// createRoom: https://trtc.io/document/63401
func (e *Engine) createRoom(r *http.Request, body *object) (any, error) {
	in := body.object("RoomInfo")
	if body.err != nil {
		return nil, body.err
	}
	info := RoomInfo{RoomID: in.text("RoomId")}
	if kind := in.text("RoomType"); in.err == nil && kind != "Live" {
		return nil, refuse(codeParameter, "RoomInfo.RoomType is %q, it must be Live", kind)
	}
	optional(in, "RoomName", in.text, &info.RoomName)
	optional(in, "Owner_Account", in.text, &info.Owner)
	optional(in, "CoverURL", in.text, &info.CoverURL)
	optional(in, "TakeSeatMode", in.text, &info.TakeSeatMode)
	optional(in, "IsSeatEnabled", in.flag, &info.IsSeatEnabled)
	optional(in, "IsMessageDisabled", in.flag, &info.IsMessageDisabled)
	optional(in, "IsPublicVisible", in.flag, &info.IsPublicVisible)
	optional(in, "MaxSeatCount", in.integer, &info.MaxSeatCount)
	optional(in, "MaxMemberCount", in.integer, &info.MaxMemberCount)
	optional(in, "ActivityStatus", in.integer, &info.ActivityStatus)
	optional(in, "Category", in.integers, &info.Category)
	if in.err != nil {
		return nil, in.err
	}
	return nil, e.create(detached(r), info, clientIP(r))
}

func optional[T any](o *object, name string, read func(string) T, into *T) {
	if o.has(name) {
		*into = read(name)
	}
}

// destroyRoom: https://www.tencentcloud.com/document/product/647/63406
func (e *Engine) destroyRoom(r *http.Request, body *object) (any, error) {
	roomID := body.text("RoomId")
	if body.err != nil {
		return nil, body.err
	}
	dissolved, err := e.dissolve(detached(r), roomID, clientIP(r))
	return struct{ Statistic Statistic }{dissolved.Statistic}, err
}

// detached is the context of a request for its webhook, which is sent even if the caller does not wait for it.
func detached(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

func clientIP(r *http.Request) string {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	return ip
}

// getRoomInfo: https://trtc.io/document/63404
func (e *Engine) getRoomInfo(_ *http.Request, body *object) (any, error) {
	var answer struct {
		RoomInfo struct {
			describedRoom
			CreateTime int64 // Unix seconds
			Notice     string
		}
	}
	err := e.viewRoom(body, func(r *room) {
		answer.RoomInfo.describedRoom = r.describe()
		answer.RoomInfo.CreateTime = r.created.Unix()
	})
	return answer, err
}

// getRoomStats: https://cloud.tencent.com/document/product/647/132566
func (e *Engine) getRoomStats(_ *http.Request, body *object) (any, error) {
	var answer struct {
		Statistic
		TotalMsgCount int64
	}
	err := e.viewRoom(body, func(r *room) { answer.Statistic, answer.TotalMsgCount = r.statistic, r.messages })
	return answer, err
}

// viewRoom serves the commands that take a RoomId and read the room.
func (e *Engine) viewRoom(body *object, how func(*room)) error {
	roomID := body.text("RoomId")
	if body.err != nil {
		return body.err
	}
	if err := checkBytes("RoomId", roomID, maxRoomID); err != nil {
		return err
	}
	return e.state.view(roomID, how)
}

// getGiftCount takes From_Account as the account whose received gifts are counted, though some versions of the page call it
// the sender: its Chinese title is "statistics of gifts received", and a count of senders makes no sense for one sender.
//
// Sources: https://trtc.io/document/72557, https://cloud.tencent.com/document/product/454/124236
func (e *Engine) getGiftCount(_ *http.Request, body *object) (any, error) {
	roomID, receiver := body.text("RoomId"), body.text("From_Account")
	if body.err != nil {
		return nil, body.err
	}
	return e.GiftCount(roomID, receiver)
}

// sendGift takes a call without Count as one piece: the field is in the sample of the page and not in its table.
//
// Source: https://www.tencentcloud.com/zh/document/product/1071/76861
func (e *Engine) sendGift(r *http.Request, body *object) (any, error) {
	sent := SentGift{
		RoomID:    body.text("RoomId"),
		GiftID:    body.text("GiftId"),
		Count:     1,
		Sender:    body.text("From_Account"),
		Receivers: body.texts("ReceiverList_Account"),
	}
	optional(body, "Count", body.integer, &sent.Count)
	if body.err != nil {
		return nil, body.err
	}
	return nil, e.give(detached(r), sent, clientIP(r))
}

// describedRoom is the description of a room that get_room_info and the destroy webhook share.
type describedRoom struct {
	RoomID            string `json:"RoomId"`
	RoomName          string
	RoomType          string
	Owner             sampleAccount `json:"Owner_Account"`
	CoverURL          string
	IsSeatEnabled     bool
	TakeSeatMode      string
	MaxSeatCount      int64
	MaxMemberCount    int64
	IsMessageDisabled bool
	IsPublicVisible   bool
	ActivityStatus    int64
	ViewCount         int64
	Category          []int64
}

func (r *room) describe() describedRoom {
	d := describe(r.info)
	d.ViewCount = r.statistic.TotalViewers
	return d
}

func describe(info RoomInfo) describedRoom {
	if info.Category == nil {
		info.Category = []int64{}
	}
	return describedRoom{
		RoomID: info.RoomID, RoomName: info.RoomName, RoomType: "Live", Owner: sampleAccount(info.Owner), CoverURL: info.CoverURL,
		IsSeatEnabled: info.IsSeatEnabled, TakeSeatMode: info.TakeSeatMode, MaxSeatCount: info.MaxSeatCount,
		MaxMemberCount: info.MaxMemberCount, IsMessageDisabled: info.IsMessageDisabled, IsPublicVisible: info.IsPublicVisible,
		ActivityStatus: info.ActivityStatus, Category: info.Category,
	}
}

// sampleAccount is an account that is a bare number in JSON if it is all digits, as in the samples of the pages, even above 2^53.
type sampleAccount string

// MarshalJSON leaves digits with a leading zero a string, since JSON has no such number.
func (a sampleAccount) MarshalJSON() ([]byte, error) {
	if a != "" && a[0] != '0' && strings.Trim(string(a), "0123456789") == "" {
		return []byte(a), nil
	}
	return json.Marshal(string(a))
}
