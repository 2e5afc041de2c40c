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

// Room is a copy of all that is known of a room.
type Room struct {
	RoomInfo
	Statistic
	TotalMsgCount int64
	CreatedAt     time.Time
	Received      map[string]GiftCount // by receiver
}

// Gift is an entry of the catalogue.
type Gift struct {
	ID    string
	Coins int64 // the price of one piece
}

// SentGift is one sending of a gift: Count pieces to each of the receivers.
type SentGift struct {
	RoomID    string
	GiftID    string
	Count     int64
	Sender    string
	Receivers []string
}

// Dissolved is what is left of a room.
type Dissolved struct {
	Statistic Statistic
	Webhook   *WebhookOutcome // nil when no webhook is set
}

// AddGift puts a gift into the catalogue, or changes its price for the gifts sent from now on.
func (e *Engine) AddGift(gift Gift) error {
	if err := checkBytes("GiftId", gift.ID, maxGiftID); err != nil {
		return err
	}
	if gift.Coins < 0 {
		return refuse(codeParameter, "Coins is negative")
	}
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	e.ledger.prices[gift.ID] = gift.Coins
	return nil
}

// CreateRoom creates a room, as create_room does. A dissolved room's id may be used anew, and its counters begin at zero.
func (e *Engine) CreateRoom(info RoomInfo) error {
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
	return e.ledger.create(info, e.config.Now())
}

// EnterRoom counts one entry of an account.
func (e *Engine) EnterRoom(roomID, account string) error {
	return e.happen(roomID, account, func(r *room) error { r.statistic.TotalViewers++; return nil })
}

// SendMessage counts one message of an account.
func (e *Engine) SendMessage(roomID, account string) error {
	return e.happen(roomID, account, func(r *room) error { r.messages++; return nil })
}

// Like counts n likes of an account.
func (e *Engine) Like(roomID, account string, n int64) error {
	return e.happen(roomID, account, func(r *room) error {
		likes, ok := sum(r.statistic.TotalLikesReceived, n)
		if n < 1 || !ok {
			return refuse(codeParameter, "%d likes: not above zero, or more than 64 bits in all", n)
		}
		r.statistic.TotalLikesReceived = likes
		return nil
	})
}

func (e *Engine) happen(roomID, account string, how func(*room) error) error {
	if err := e.checkAccount("account", account); err != nil {
		return err
	}
	return e.ledger.change(roomID, how)
}

// SendGift sends a gift, as send_gift does.
func (e *Engine) SendGift(sent SentGift) error {
	if err := checkBytes("RoomId", sent.RoomID, maxRoomID); err != nil {
		return err
	}
	if sent.Count < 1 {
		return refuse(codeParameter, "Count is %d, it must be above zero", sent.Count)
	}
	if err := e.checkAccount("From_Account", sent.Sender); err != nil {
		return err
	}
	if err := e.checkReceivers(sent.Receivers); err != nil {
		return err
	}
	return e.ledger.change(sent.RoomID, func(r *room) error {
		price, ok := e.ledger.prices[sent.GiftID]
		if !ok {
			return refuse(codeGiftUnknown, "the gift %q is not in the catalogue", sent.GiftID)
		}
		return r.send(sent, price)
	})
}

func (e *Engine) checkReceivers(receivers []string) error {
	if len(receivers) == 0 {
		return refuse(codeParameter, "ReceiverList_Account is empty")
	}
	named := make(map[string]bool, len(receivers))
	for _, receiver := range receivers {
		if err := e.checkAccount("ReceiverList_Account", receiver); err != nil {
			return err
		}
		if named[receiver] {
			return refuse(codeParameter, "ReceiverList_Account names %q twice", receiver)
		}
		named[receiver] = true
	}
	return nil
}

// GiftCount tells what an account received in a room, as get_gift_count does.
func (e *Engine) GiftCount(roomID, receiver string) (GiftCount, error) {
	var count GiftCount
	if err := checkBytes("RoomId", roomID, maxRoomID); err != nil {
		return count, err
	}
	if err := e.checkAccount("From_Account", receiver); err != nil {
		return count, err
	}
	err := e.ledger.look(roomID, func(r *room) {
		if got := r.received[receiver]; got != nil {
			count = got.GiftCount
		}
	})
	return count, err
}

// Room copies what is known of a room.
func (e *Engine) Room(roomID string) (Room, error) {
	var found Room
	err := e.ledger.look(roomID, func(r *room) { found = r.snapshot() })
	return found, err
}

// DestroyRoom dissolves a room, as destroy_room does, and waits until the webhook is answered or ctx is done. That the
// webhook failed is no error here.
func (e *Engine) DestroyRoom(ctx context.Context, roomID string) (Dissolved, error) {
	return e.dissolve(ctx, roomID, "127.0.0.1")
}

func (e *Engine) dissolve(ctx context.Context, roomID, clientIP string) (Dissolved, error) {
	if err := checkBytes("RoomId", roomID, maxRoomID); err != nil {
		return Dissolved{}, err
	}
	destroyed, err := e.ledger.destroy(roomID)
	if err != nil {
		return Dissolved{}, err
	}
	return Dissolved{Statistic: destroyed.statistic, Webhook: e.tell(ctx, destroyed, clientIP)}, nil
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
