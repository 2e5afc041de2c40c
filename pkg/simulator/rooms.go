package simulator

import (
	"context"
	"slices"
	"time"
)

// Longest texts, in bytes.
//
// Sources: https://trtc.io/document/63401 (rooms), https://www.tencentcloud.com/document/product/647/72845 (gifts),
// https://cloud.tencent.com/document/product/269/1671 (accounts).
const (
	maxRoomID   = 48
	maxAccount  = 32
	maxRoomName = 100
	maxCoverURL = 200
	maxCategory = 3 // members
	maxGiftID   = 20
)

// RoomInfo describes a room, as create_room takes it. Only RoomID is required.
//
// Source: https://trtc.io/document/63401
type RoomInfo struct {
	RoomID            string
	RoomName          string // default: RoomID
	Owner             string // default: Config.Admin
	CoverURL          string
	TakeSeatMode      string // default: FreeToTake
	IsSeatEnabled     bool
	IsMessageDisabled bool
	IsPublicVisible   bool
	MaxSeatCount      int64
	MaxMemberCount    int64
	ActivityStatus    int64
	Category          []int64
}

// Room is a copy of the state of a room.
type Room struct {
	RoomInfo
	Statistic
	TotalMsgCount int64
	CreatedAt     time.Time
	Received      map[string]GiftCount // by receiver
	Seats         map[int64]string     // accounts, by the number of their seat
}

// Dissolved is the result of dissolving a room.
type Dissolved struct {
	Statistic Statistic
	Webhook   *WebhookOutcome // nil if this webhook is off
}

// CreateRoom creates a room, as create_room does, and waits until the webhook is answered. The id of a dissolved room may be
// used again: it is another room then, with counters that start at zero.
func (e *Engine) CreateRoom(info RoomInfo) error {
	return e.create(context.Background(), info, localIP)
}

func (e *Engine) create(ctx context.Context, info RoomInfo, clientIP string) error {
	if err := checkBytes("RoomId", info.RoomID, maxRoomID); err != nil {
		return err
	}
	if info.RoomName == "" {
		info.RoomName = info.RoomID
	}
	if info.Owner == "" {
		info.Owner = e.config.Admin
	}
	if info.TakeSeatMode == "" {
		info.TakeSeatMode = "FreeToTake"
	}
	switch {
	case len(info.RoomName) > maxRoomName:
		return refuse(codeParameter, "RoomName has %d bytes, at most %d are allowed", len(info.RoomName), maxRoomName)
	case len(info.CoverURL) > maxCoverURL:
		return refuse(codeParameter, "CoverURL has %d bytes, at most %d are allowed", len(info.CoverURL), maxCoverURL)
	case len(info.Category) > maxCategory:
		return refuse(codeParameter, "Category has %d members, at most %d are allowed", len(info.Category), maxCategory)
	}
	if err := e.checkAccount("Owner_Account", info.Owner); err != nil {
		return err
	}
	info.Category = slices.Clone(info.Category)
	created := e.config.Now()
	if err := e.state.create(info, created); err != nil {
		return err
	}
	e.afterCreate(ctx, info, created, clientIP)
	return nil
}

// EnterRoom counts one entry of an account.
func (e *Engine) EnterRoom(roomID, account string) error {
	return e.update(roomID, account, func(r *room) error { r.statistic.TotalViewers++; return nil })
}

// SendMessage counts one message of an account.
func (e *Engine) SendMessage(roomID, account string) error {
	return e.update(roomID, account, func(r *room) error { r.messages++; return nil })
}

// Like counts n likes of an account.
func (e *Engine) Like(roomID, account string, n int64) error {
	return e.update(roomID, account, func(r *room) error {
		likes, ok := sum(r.statistic.TotalLikesReceived, n)
		if n < 1 || !ok {
			return refuse(codeParameter, "%d likes: not above zero, or more than 64 bits in all", n)
		}
		r.statistic.TotalLikesReceived = likes
		return nil
	})
}

func (e *Engine) update(roomID, account string, how func(*room) error) error {
	if err := e.checkAccount("account", account); err != nil {
		return err
	}
	return e.state.update(roomID, how)
}

// Room returns a copy of the state of a room.
func (e *Engine) Room(roomID string) (Room, error) {
	var found Room
	err := e.state.view(roomID, func(r *room) { found = r.snapshot() })
	return found, err
}

// Rooms returns copies of all rooms, in the order of their ids.
func (e *Engine) Rooms() []Room { return e.state.snapshots() }

// DestroyRoom dissolves a room, as destroy_room does, and waits until the webhook is answered or ctx is done. A webhook that
// fails is not an error here.
func (e *Engine) DestroyRoom(ctx context.Context, roomID string) (Dissolved, error) {
	return e.dissolve(ctx, roomID, localIP)
}

func (e *Engine) dissolve(ctx context.Context, roomID, clientIP string) (Dissolved, error) {
	if err := checkBytes("RoomId", roomID, maxRoomID); err != nil {
		return Dissolved{}, err
	}
	destroyed, err := e.state.destroy(roomID)
	if err != nil {
		return Dissolved{}, err
	}
	return Dissolved{Statistic: destroyed.statistic, Webhook: e.afterDestroy(ctx, destroyed, clientIP)}, nil
}

func (e *Engine) checkAccount(field, account string) error {
	if err := checkBytes(field, account, maxAccount); err != nil {
		return err
	}
	if len(e.accounts) > 0 && !e.accounts[account] {
		return refuse(codeAccountUnknown, "%s: the account %q is not imported", field, account)
	}
	return nil
}

func checkBytes(field, text string, limit int) error {
	if len(text) == 0 || len(text) > limit {
		return refuse(codeParameter, "%s has %d bytes, it must have 1 to %d", field, len(text), limit)
	}
	return nil
}
