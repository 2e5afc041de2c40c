package simulator

import "context"

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

// AddGift adds a gift to the catalogue, or changes its price for gifts that are sent later.
func (e *Engine) AddGift(gift Gift) error {
	if err := checkBytes("GiftId", gift.ID, maxGiftID); err != nil {
		return err
	}
	if gift.Coins < 0 {
		return refuse(codeParameter, "Coins is negative")
	}
	e.state.mu.Lock()
	defer e.state.mu.Unlock()
	e.state.prices[gift.ID] = gift.Coins
	return nil
}

// SendGift sends a gift, as send_gift does: the webhook before it is answered first, and may refuse it.
func (e *Engine) SendGift(sent SentGift) error {
	return e.give(context.Background(), sent, localIP)
}

func (e *Engine) give(ctx context.Context, sent SentGift, clientIP string) error {
	if err := e.checkGift(sent); err != nil {
		return err
	}
	to, price, err := e.state.price(sent)
	if err != nil {
		return err
	}
	if err := e.beforeGift(ctx, sent, price, clientIP); err != nil {
		return err
	}
	return e.state.update(sent.RoomID, func(r *room) error {
		if r != to {
			return errRoomUnknown // it was dissolved while the webhook was answered, and its id used again
		}
		return r.send(sent, price)
	})
}

func (e *Engine) checkGift(sent SentGift) error {
	if err := checkBytes("RoomId", sent.RoomID, maxRoomID); err != nil {
		return err
	}
	if sent.Count < 1 {
		return refuse(codeParameter, "Count is %d, it must be above zero", sent.Count)
	}
	if err := e.checkAccount("From_Account", sent.Sender); err != nil {
		return err
	}
	return e.checkReceivers(sent.Receivers)
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

// GiftCount returns what an account received in a room, as get_gift_count does.
func (e *Engine) GiftCount(roomID, receiver string) (GiftCount, error) {
	var count GiftCount
	if err := checkBytes("RoomId", roomID, maxRoomID); err != nil {
		return count, err
	}
	if err := e.checkAccount("From_Account", receiver); err != nil {
		return count, err
	}
	err := e.state.view(roomID, func(r *room) {
		if got := r.received[receiver]; got != nil {
			count = got.GiftCount
		}
	})
	return count, err
}
