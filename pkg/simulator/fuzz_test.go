package simulator_test

import (
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// FuzzUserSig looks for a signature that the engine accepts although it was not made with the key.
func FuzzUserSig(f *testing.F) {
	for _, sig := range []string{
		sign("another", nil), sign("another", map[string]any{"TLS.userbuf": "AAAA"}), sign("another", map[string]any{"TLS.identifier": "user1"}),
		encode(deflate([]byte("{}"))), encode(deflate(make([]byte, 1<<20))), encode([]byte("x")), "eJw_", "",
	} {
		f.Add(sig)
	}
	a := newApp(f, unlimited, func(c *simulator.Config) { c.MaxBadSignatures = -1 })
	f.Fuzz(func(t *testing.T, sig string) {
		got := a.withSig(t, sig)
		if !slices.Contains([]int{70002, 70003, 70009, 70013, 70014}, got.ErrorCode) {
			t.Fatalf("%q: %s", sig, got.Text)
		}
		if again := a.withSig(t, sig); again.ErrorCode != got.ErrorCode {
			t.Fatalf("%q: first %s, then %s", sig, got.Text, again.Text)
		}
	})
}

// FuzzTicket does the same inside the outer layers, which a mutation of the signature seldom gets through.
func FuzzTicket(f *testing.F) {
	f.Add([]byte(`{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":1400000000,"TLS.time":1795420130,` +
		`"TLS.expire":86400,"TLS.sig":"AA=="}`))
	f.Add([]byte(`{"TLS.ver":"2.0","TLS.identifier":"user1","TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.userbuf":"AAAA","TLS.sig":""}`))
	f.Add([]byte(`{"TLS.ver":null}`))
	a := newApp(f, unlimited, func(c *simulator.Config) { c.MaxBadSignatures = -1 })
	f.Fuzz(func(t *testing.T, text []byte) {
		got := a.withSig(t, encode(stored(text[:min(len(text), 65535)])))
		if !slices.Contains([]int{70003, 70009, 70013, 70014}, got.ErrorCode) {
			t.Fatalf("%q: %s", text, got.Text)
		}
	})
}

// FuzzBody wants a documented answer to any body, and totals that agree.
func FuzzBody(f *testing.F) {
	commands := []string{"create_room", "destroy_room", "get_gift_count", "get_room_info", "get_room_stats", "send_gift"}
	for i, body := range []string{
		`{"RoomInfo":{"RoomId":"r","RoomType":"Live","RoomName":"n","Owner_Account":"7","Category":[1],"IsSeatEnabled":true,"MaxSeatCount":8}}`,
		`{"RoomId":"room_id"}`,
		`{"RoomId":"room_id","From_Account":"user1"}`,
		`{"RoomId":"room_id"}`,
		`{"RoomId":"room_id"}`,
		`{"RoomId":"room_id","GiftId":"rose","Count":2,"From_Account":"fan1","ReceiverList_Account":["user1","user2"]}`,
	} {
		f.Add(uint8(i), []byte(body))
		f.Add(uint8(i), []byte(body[:len(body)-1]))
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		a := newApp(t).withRoom(t)
		got := a.call(t, commands[int(n)%len(commands)], string(body))
		if !slices.Contains([]int{0, 60002, 60003, 100002, 100003, 100004, 102002}, got.ErrorCode) || got.Status != 200 || got.RequestID == "" {
			t.Fatalf("%q: %d %s", body, got.Status, got.Text)
		}
		room, err := a.Room("room_id")
		if err != nil {
			return // destroyed
		}
		var coins int64
		for _, received := range room.Received {
			coins += received.TotalCoins
		}
		if coins != room.TotalGiftCoins || coins < 0 {
			t.Fatalf("%q: receivers have %d coins, the room %d", body, coins, room.TotalGiftCoins)
		}
	})
}
