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
		At:        cmp.Or(timeOf(info.EventTime, time.Millisecond, now), timeOf(body.EventTime, time.Millisecond, now)),
		StartedAt: timeOf(info.CreateTime, time.Second, now),
	}
	sighting.Confirmed = !sighting.StartedAt.IsZero()
	if part := sighting.At.Sub(sighting.StartedAt); sighting.Confirmed && part > 0 && part < time.Second { // 0 says no more than CreateTime
		sighting.CreatedAt = sighting.At
	}
	return seen(sighting, now)
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
		RoomID: string(body.RoomID), At: timeOf(body.EventTime, time.Millisecond, now),
		Owner: string(body.CurrentOwner), Former: string(body.FormerOwner),
	}, now)
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
	sighting := ledger.Sighting{RoomID: string(body.RoomID), At: timeOf(body.EventTime, time.Millisecond, now)}
	for _, seat := range body.SeatList {
		if seat.Member != "" {
			sighting.Seated = append(sighting.Seated, string(seat.Member))
		}
	}
	return seen(sighting, now)
}

// seen returns the notice of a live room if the room and its owner are valid. Without a time, the room was seen now.
func seen(sighting ledger.Sighting, now time.Time) (Notice, error) {
	if err := giftstats.ValidateRoomID(sighting.RoomID); err != nil {
		return Notice{}, err
	}
	if sighting.Owner != "" {
		if err := giftstats.ValidateAccount(sighting.Owner); err != nil {
			return Notice{}, err
		}
	}
	sighting.At = cmp.Or(sighting.At, now.UTC().Truncate(time.Millisecond))
	return Notice{Seen: &sighting}, nil
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

// readGift never returns an error: any answer other than the acknowledgement could block the gift.
func readGift(raw []byte, now time.Time) (Notice, error) {
	var body giftBody
	if err := readBody(raw, &body); err != nil {
		return Notice{LostGift: err}, nil
	}
	given := body.GiftWater
	gift := ledger.Gift{
		RoomID: string(body.RoomID), Sender: string(given.Sender), GiftID: string(given.GiftID), Count: given.Count.Value,
		At: cmp.Or(timeOf(given.Time, time.Second, now), now.UTC().Truncate(time.Second)),
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
