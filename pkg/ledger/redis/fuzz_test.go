package redis

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// newDecoder returns a store that decodes, and has no connection.
func newDecoder() *Store {
	return &Store{config: Config{Now: func() time.Time { return time.UnixMilli(1_764_000_000_000) }}}
}

const later = "1764000000001" // not over yet

func FuzzDecodeRoom(f *testing.F) {
	s := newDecoder()
	f.Add("v", later, `{"room_id":"r","streams":[{"id":"1","opened_at":"2026-11-24T00:00:00Z","alive_at":"2026-11-24T00:00:00Z"}]}`)
	f.Add("v", "1764000000000", `{}`)
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, version, expires, record string) {
		room, err := s.decodeRoom("r", []any{[]byte(version), []byte(expires), []byte(record)})
		if err != nil {
			return
		}
		if room.RoomID != "r" {
			t.Fatalf("the room r was read as %q", room.RoomID)
		}
		if s.isOver(expires) && (len(room.Streams) > 0 || room.Version != "") {
			t.Fatalf("a room that expired at %q was read as %+v", expires, room)
		}
		if current := room.Current(); current != nil {
			current.LastTotals()
			current.Fell(nil)
		}
		if _, err := json.Marshal(room); err != nil {
			t.Fatalf("a room that was read cannot be written: %v", err)
		}
	})
}

func FuzzDecodeEnded(f *testing.F) {
	s := newDecoder()
	f.Add(later, `{"room_id":"r","stream_id":"1","ended_at":"2026-11-24T00:00:00Z","accounts":["a"],"summary":"e30="}`, "taken:https-1")
	f.Add(later, `{"senders":[{"senders":[{"account":"a","total_count":1}],"sender_count":1}],"gifts":[{"gift_id":"g"}]}`, "expires")
	f.Add("x", `{`, "record")
	f.Fuzz(func(t *testing.T, expires, record, field string) {
		reply := []any{[]byte(field), []byte(""), []byte("expires"), []byte(expires), []byte("record"), []byte(record)}
		ended, err := s.decodeEnded(reply)
		if err != nil {
			return
		}
		if s.isOver(expires) {
			t.Fatalf("a stream that expired at %q was read", expires)
		}
		if _, err := json.Marshal(ended); err != nil {
			t.Fatalf("a stream that was read cannot be written: %v", err)
		}
	})
}

// A gift that is read and written again stays the same.
func FuzzDecodeGift(f *testing.F) {
	gift := ledger.Gift{
		ID: "ABC", Sender: "s", Receivers: []string{"a", "b"}, GiftID: "rose", Count: 2, Coins: 3, At: time.Unix(1_764_000_000, 0),
	}
	_, member := encodeGift(gift, time.UnixMilli(1_764_000_000_001))
	f.Add(member)
	f.Add("")
	f.Add("00000000000000000000\x00\x00\x00\x00\x00\x00")
	f.Fuzz(func(t *testing.T, member string) {
		gift, _, err := decodeGift("r", member)
		if err != nil || gift.At.Unix() < 0 || gift.At.Unix() > 99_999_999_999 {
			return
		}
		_, written := encodeGift(gift, time.UnixMilli(1_764_000_000_001))
		again, _, err := decodeGift("r", written)
		if err != nil {
			t.Fatalf("%+v cannot be read again: %v", gift, err)
		}
		if !again.At.Equal(gift.At) || again.ID != gift.ID || again.Sender != gift.Sender || again.GiftID != gift.GiftID {
			t.Fatalf("%+v became %+v", gift, again)
		}
		if again.Count != gift.Count || again.Coins != gift.Coins || !slices.Equal(again.Receivers, gift.Receivers) {
			t.Fatalf("%+v became %+v", gift, again)
		}
	})
}
