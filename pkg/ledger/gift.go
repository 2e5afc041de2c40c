package ledger

import (
	"context"
	"errors"
	"math/bits"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Gift is one gift that the webhook Live.CallbackBeforeSendGift announced. It tells what the app was about to do, not what Tencent
// counted.
type Gift struct {
	ID        string    `json:"id"` // of this call of the webhook
	RoomID    string    `json:"room_id"`
	Sender    string    `json:"sender"`
	Receivers []string  `json:"receivers"`
	GiftID    string    `json:"gift_id"`
	Count     int64     `json:"count"`
	Coins     int64     `json:"coins"` // of all Count together, for each receiver
	At        time.Time `json:"at"`    // in whole seconds, as Tencent gives it
}

// NewGift checks the parts of a gift and multiplies count and price. The price is the value of one gift:
// https://cloud.tencent.com/document/product/647/121916
func NewGift(gift Gift, price int64) (Gift, error) {
	high, coins := bits.Mul64(uint64(gift.Count), uint64(price))
	switch {
	case gift.Count < 0 || price < 0:
		return gift, errors.New("the count or the price of the gift is negative")
	case high != 0 || coins > 1<<62:
		return gift, errors.New("the value of the gift is too large")
	case len(gift.GiftID) > maxGiftID:
		return gift, errors.New("the gift id is longer than 128 bytes")
	case strings.ContainsFunc(gift.GiftID, unicode.IsControl):
		return gift, errors.New("the gift id contains a control character")
	case gift.At.IsZero():
		return gift, errors.New("the gift has no time")
	}
	gift.Coins = int64(coins)
	return gift, errors.Join(giftstats.ValidateRoomID(gift.RoomID), giftstats.ValidateAccount(gift.Sender), validAccounts(gift.Receivers))
}

const maxGiftID = 128 // bytes; the catalogue allows 20

func validAccounts(accounts []string) error {
	if len(accounts) > MaxAccounts {
		return errors.New("the gift has more than 100 receivers")
	}
	var errs []error
	for _, account := range accounts {
		errs = append(errs, giftstats.ValidateAccount(account))
	}
	return errors.Join(errs...)
}

// RecordGift records a gift, and that its receivers are accounts of the stream. The ID of the gift must be the same whenever the
// same call of the webhook is recorded again.
func (l *Ledger) RecordGift(ctx context.Context, gift Gift) error {
	var group errgroup.Group
	group.Go(func() error {
		return try(ctx, func() error {
			return unavailable("store the gift", l.config.Store.AddGift(ctx, gift, l.config.Now().Add(l.config.Retention)))
		})
	})
	if now := l.config.Now(); l.seen.news(gift, now) {
		group.Go(func() error {
			err := l.Observe(ctx, Sighting{RoomID: gift.RoomID, At: gift.At, Opens: true, Receivers: gift.Receivers})
			if err == nil {
				l.seen.remember(gift, now)
			}
			return err
		})
	}
	return group.Wait()
}
