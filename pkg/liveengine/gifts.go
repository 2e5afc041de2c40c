package liveengine

import (
	"context"
	"errors"
)

// Gift is one gift of a sender to a receiver.
type Gift struct {
	RoomID   string
	GiftID   string // of the app's catalogue
	Sender   string
	Receiver string
}

type sendGiftRequest struct {
	RoomID      string   `json:"RoomId"`
	GiftID      string   `json:"GiftId"`
	Count       int      `json:"Count"`
	FromAccount string   `json:"From_Account"` // the sender here, although get_gift_count means the receiver
	Receivers   []string `json:"ReceiverList_Account"`
}

type sendGiftAnswer struct{ envelope }

func (*sendGiftAnswer) missing() string { return "" }

// SendGift sends a gift (send_gift, documented limit: 200 calls per second). The client must have been made for one attempt: there is no
// documented way to recognize a repetition, so a gift that is sent again after a lost answer may count twice. After an error without
// Upstream it is not known whether the gift was sent.
//
// Source: https://www.tencentcloud.com/zh/document/product/1071/76861
func (c *Client) SendGift(ctx context.Context, gift Gift) error {
	if c.config.Attempts != 1 {
		return errors.New("liveengine: SendGift needs a client with Attempts 1, because a gift that is sent again may count twice")
	}
	_, err := call[sendGiftAnswer](ctx, c, "send_gift", sendGiftRequest{
		RoomID: gift.RoomID, GiftID: gift.GiftID, Count: 1, FromAccount: gift.Sender, Receivers: []string{gift.Receiver},
	})
	return err
}
