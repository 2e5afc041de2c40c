package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/giftstats/giftstats/pkg/simulator"
)

const (
	fridayShow   = "friday-show"   // the story tells it from the beginning to the end
	saturdayShow = "saturday-show" // goes on while the server runs
	host         = "alice"         // owns the rooms
	guest        = "bob"           // is on a seat
)

// The gifts of the Friday show, before and after the story sweeps. Only the guest receives gifts after it, so that the summary shows
// numbers of Tencent and of the ledger.
var (
	beforeSweep = []simulator.SentGift{
		{GiftID: "rose", Count: 99, Sender: "carol", Receivers: []string{host}},
		{GiftID: "car", Count: 3, Sender: "dave", Receivers: []string{host, guest}},
		{GiftID: "rocket", Count: 1, Sender: "erin", Receivers: []string{host}},
		{GiftID: "rose", Count: 10, Sender: "dave", Receivers: []string{host}},
	}
	afterSweep = []simulator.SentGift{
		{GiftID: "rocket", Count: 2, Sender: "frank", Receivers: []string{guest}},
		{GiftID: "car", Count: 1, Sender: "erin", Receivers: []string{guest}},
	}
)

// saturdayGifts are sent again and again.
var saturdayGifts = []simulator.SentGift{
	{GiftID: "rose", Count: 11, Sender: "carol", Receivers: []string{guest}},
	{GiftID: "car", Count: 1, Sender: "dave", Receivers: []string{host}},
	{GiftID: "rose", Count: 5, Sender: "erin", Receivers: []string{host, guest}},
	{GiftID: "car", Count: 2, Sender: "frank", Receivers: []string{guest}},
	{GiftID: "rocket", Count: 1, Sender: "carol", Receivers: []string{host}},
}

// begin creates a room with both hosts and an audience.
func (d *demo) begin(roomID, name string) error {
	err := d.engine.CreateRoom(simulator.RoomInfo{
		RoomID: roomID, RoomName: name, Owner: host, IsSeatEnabled: true, MaxSeatCount: 4, IsPublicVisible: true,
	})
	for _, viewer := range []string{host, guest, "carol", "dave", "erin", "frank"} {
		err = errors.Join(err, d.engine.EnterRoom(roomID, viewer), d.engine.Like(roomID, viewer, 40))
	}
	return errors.Join(err, d.engine.TakeSeat(roomID, guest, 0))
}

// give sends gifts in a room, and prints a line for each.
func (d *demo) give(out io.Writer, roomID string, gifts []simulator.SentGift) error {
	for _, gift := range gifts {
		gift.RoomID = roomID
		if err := d.engine.SendGift(gift); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s sends %d x %s to %s\n", gift.Sender, gift.Count, gift.GiftID, strings.Join(gift.Receivers, " and "))
	}
	fmt.Fprintln(out)
	return nil
}

// goOn returns a function that sends the next gift of the Saturday show whenever it is called.
func (d *demo) goOn() func(context.Context) error {
	next := 0
	return func(context.Context) error {
		gift := saturdayGifts[next%len(saturdayGifts)]
		gift.RoomID = saturdayShow
		next++
		return d.engine.SendGift(gift)
	}
}
