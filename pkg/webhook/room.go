package webhook

import (
	"cmp"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/lenient"
)

// createdBody is the body of the webhook of a new room. Pages disagree on the place of EventTime: in RoomInfo, beside it, or absent.
//
// Sources: https://cloud.tencent.com/document/product/647/110679, https://cloud.tencent.com/document/product/647/110523,
// https://trtc.io/document/64422
type createdBody struct {
	RoomID    lenient.Text `json:"RoomId"`
	EventTime lenient.Int  // milliseconds
	RoomInfo  struct {
		RoomID       lenient.Text `json:"RoomId"`
		OwnerAccount lenient.Text `json:"Owner_Account"`
		CreateTime   lenient.Int  // seconds
		EventTime    lenient.Int  // milliseconds
	}
}

func readCreated(raw []byte, now time.Time) (Notice, error) {
	var body createdBody
	if err := readBody(raw, &body); err != nil {
		return Notice{}, err
	}
	info := body.RoomInfo
	sighting := ledger.Sighting{
		RoomID: cmp.Or(string(info.RoomID), string(body.RoomID)), Owner: string(info.OwnerAccount), Opens: true,
		At: timeOf(cmp.Or(info.EventTime.Value, body.EventTime.Value), now),
	}
	if info.CreateTime.Value > 0 {
		sighting.StartedAt, sighting.Confirmed = time.Unix(info.CreateTime.Value, 0).UTC(), true
	}
	return seen(sighting)
}

// Source: https://trtc.io/document/72553
type ownerChangedBody struct {
	RoomID       lenient.Text `json:"RoomId"`
	CurrentOwner lenient.Text `json:"CurrentOwner_Account"`
	FormerOwner  lenient.Text `json:"OriginalOwner_Account"`
	EventTime    lenient.Int  // milliseconds
}

func readOwnerChanged(raw []byte, now time.Time) (Notice, error) {
	var body ownerChangedBody
	if err := readBody(raw, &body); err != nil {
		return Notice{}, err
	}
	return seen(ledger.Sighting{
		RoomID: string(body.RoomID), At: timeOf(body.EventTime.Value, now),
		Owner: string(body.CurrentOwner), Former: string(body.FormerOwner),
	})
}

// seatsBody lists seats. It is not documented whether these are all seats or those that changed; both work, because accounts are only
// added. The command has the same name for conference rooms, which have no gifts: therefore it opens no stream.
//
// Source: https://trtc.io/document/64425
type seatsBody struct {
	RoomID   lenient.Text `json:"RoomId"`
	SeatList []struct {
		Member lenient.Text `json:"Member_Account"` // absent if the seat is empty
	}
	EventTime lenient.Int // milliseconds
}

func readSeats(raw []byte, now time.Time) (Notice, error) {
	var body seatsBody
	if err := readBody(raw, &body); err != nil {
		return Notice{}, err
	}
	sighting := ledger.Sighting{RoomID: string(body.RoomID), At: timeOf(body.EventTime.Value, now)}
	for _, seat := range body.SeatList {
		if seat.Member != "" {
			sighting.Seated = append(sighting.Seated, string(seat.Member))
		}
	}
	return seen(sighting)
}

func seen(sighting ledger.Sighting) (Notice, error) {
	return Notice{Seen: &sighting}, giftstats.ValidateRoomID(sighting.RoomID)
}

// Source: https://trtc.io/document/72210
type giftBody struct {
	RoomID    lenient.Text `json:"RoomId"`
	GiftWater struct {
		Sender    lenient.Text   `json:"From_Account"`
		Receivers []lenient.Text `json:"To_Account"`
		Time      lenient.Int    // seconds
		GiftID    lenient.Text   `json:"GiftId"`
		Count     lenient.Int
		Coins     lenient.Int // of one gift: https://cloud.tencent.com/document/product/647/121916
	}
}

// readGift never returns an error: an answer that is no acknowledgement could block the gift.
func readGift(raw []byte, now time.Time) (Notice, error) {
	var body giftBody
	if err := readBody(raw, &body); err != nil {
		return Notice{LostGift: err}, nil
	}
	given := body.GiftWater
	gift := ledger.Gift{
		RoomID: string(body.RoomID), Sender: string(given.Sender), GiftID: string(given.GiftID), Count: given.Count.Value,
		At: timeOf(given.Time.Value*1000, now).Truncate(time.Second),
	}
	for _, receiver := range given.Receivers {
		gift.Receivers = append(gift.Receivers, string(receiver))
	}
	if !given.Count.IsCount() || !given.Coins.IsCount() {
		return Notice{LostGift: giftstats.Invalid("the gift has no Count or Coins")}, nil
	}
	gift, err := ledger.NewGift(gift, given.Coins.Value)
	if err != nil {
		return Notice{LostGift: err}, nil
	}
	return Notice{Gift: &gift}, nil
}

// UnverifiedGift reads a gift whose webhook cannot be verified for the given reason. It must not be recorded, only logged.
func UnverifiedGift(body []byte, now time.Time, reason error) Notice {
	notice, _ := readGift(body, now)
	return Notice{Gift: notice.Gift, LostGift: reason}
}
