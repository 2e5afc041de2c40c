package dynamodb

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// newDecoder returns a store that decodes, and has no connection.
func newDecoder() *Store {
	return &Store{now: func() time.Time { return time.Unix(1_764_000_000, 0) }}
}

const later = 1_764_000_001 // not over yet

func FuzzDecodeRoom(f *testing.F) {
	s := newDecoder()
	f.Add("v", int64(later), `{"room_id":"r","streams":[{"id":"1","opened_at":"2026-11-24T00:00:00Z","alive_at":"2026-11-24T00:00:00Z"}]}`)
	f.Add("v", int64(later-1), `{}`)
	f.Add("", int64(0), "")
	f.Fuzz(func(t *testing.T, version string, expires int64, record string) {
		room, err := s.decodeRoom("r", item{"version": text(version), "expires_at": number(expires), "record": text(record)})
		if err != nil {
			return
		}
		if room.RoomID != "r" {
			t.Fatalf("the room r was read as %q", room.RoomID)
		}
		if expires < later && (len(room.Streams) > 0 || room.Version != "") {
			t.Fatalf("a room that expired at %d was read as %+v", expires, room)
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

// The fuzzer gets the JSON and, apart from it, the compressed bytes, which it could not make from the JSON.
func FuzzDecodeEnded(f *testing.F) {
	record := []byte(`{"room_id":"r","stream_id":"1","ended_at":"2026-11-24T00:00:00Z","accounts":["a"],` +
		`"senders":[{"senders":[{"account":"a","total_count":1}],"sender_count":1}],"gifts":[{"gift_id":"g"}]}`)
	f.Add(record, compress([]byte("{}")), "https-1")
	f.Add([]byte("{"), []byte("no gzip"), "")
	f.Fuzz(func(t *testing.T, record, summary []byte, taken string) {
		ended, err := decodeEnded(item{
			"pk": text("ended#r"), "sk": text("1"), "expires_at": number(later), "taken": &types.AttributeValueMemberSS{Value: []string{taken}},
			"record": &types.AttributeValueMemberB{Value: compress(record)}, "summary": &types.AttributeValueMemberB{Value: summary},
		})
		if err != nil {
			return
		}
		if _, err := json.Marshal(ended); err != nil {
			t.Fatalf("a stream that was read cannot be written: %v", err)
		}
	})
}

func FuzzDecodeGift(f *testing.F) {
	f.Add("1764000000000#ABC", `{"sender":"s","receivers":["a"],"gift_id":"g","count":1,"coins":2}`)
	f.Add("", "")
	f.Fuzz(func(t *testing.T, key, record string) {
		gifts, err := decodeGifts("r", []item{{"sk": text(key), "gift": text(record)}})
		if err != nil {
			return
		}
		if len(gifts) != 1 || gifts[0].RoomID != "r" {
			t.Fatalf("one gift in the room r was read as %+v", gifts)
		}
		ledger.NewTally().Add(gifts[0])
	})
}
