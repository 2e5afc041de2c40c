package simulator_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// The sample of https://trtc.io/document/72557.
func TestSampleOfThePage(t *testing.T) {
	a := newApp(t).withRoom(t)
	a.call(t, "send_gift", sendRose).expect(t, "")
	a.call(t, "get_gift_count", `{"RoomId":"room_id","From_Account":"user1"}`).
		expect(t, `{"Sequence":1,"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}`)
}

func TestLifeOfARoom(t *testing.T) {
	a := newApp(t)
	a.call(t, "create_room", `{"RoomInfo":{"RoomId":"r","RoomType":"Live"}}`).expect(t, "")
	a.call(t, "get_room_stats", `{"RoomId":"r"}`).
		expect(t, `{"TotalViewers":0,"TotalGiftsSent":0,"TotalGiftCoins":0,"TotalUniqueGiftSenders":0,"TotalLikesReceived":0,"TotalMsgCount":0}`)
	a.call(t, "get_gift_count", `{"RoomId":"r","From_Account":"user1"}`).
		expect(t, `{"Sequence":0,"TotalCount":0,"TotalCoins":0,"GiftSenderCount":0}`)

	must(t, a.EnterRoom("r", "user1"))
	must(t, a.EnterRoom("r", "fan1"))
	must(t, a.EnterRoom("r", "fan1"))
	must(t, a.Like("r", "fan1", 7))
	must(t, a.SendMessage("r", "fan1"))
	must(t, a.SendGift(simulator.SentGift{RoomID: "r", GiftID: "car", Count: 3, Sender: "fan1", Receivers: []string{"user1", "user2"}}))
	must(t, a.SendGift(simulator.SentGift{RoomID: "r", GiftID: "rose", Count: 1, Sender: "fan2", Receivers: []string{"user2"}}))

	a.call(t, "get_gift_count", `{"RoomId":"r","From_Account":"user1"}`).
		expect(t, `{"Sequence":1,"TotalCount":3,"TotalCoins":300,"GiftSenderCount":1}`)
	a.call(t, "get_gift_count", `{"RoomId":"r","From_Account":"user2"}`).
		expect(t, `{"Sequence":2,"TotalCount":4,"TotalCoins":301,"GiftSenderCount":2}`)
	a.call(t, "get_gift_count", `{"RoomId":"r","From_Account":"fan1"}`).
		expect(t, `{"Sequence":0,"TotalCount":0,"TotalCoins":0,"GiftSenderCount":0}`)
	a.call(t, "get_room_stats", `{"RoomId":"r"}`).
		expect(t, `{"TotalViewers":3,"TotalGiftsSent":7,"TotalGiftCoins":601,"TotalUniqueGiftSenders":2,"TotalLikesReceived":7,`+
			`"TotalMsgCount":1}`)

	room, err := a.Room("r")
	must(t, err)
	if room.TotalMsgCount != 1 {
		t.Errorf("TotalMsgCount = %d, want 1", room.TotalMsgCount)
	}
	if room.TotalGiftCoins != 601 {
		t.Errorf("TotalGiftCoins = %d, want 601", room.TotalGiftCoins)
	}
	if got := room.Received["user2"].TotalCoins; got != 301 {
		t.Errorf("user2 received %d coins, want 301", got)
	}
	if !room.CreatedAt.Equal(start) {
		t.Errorf("CreatedAt = %v, want %v", room.CreatedAt, start)
	}

	a.call(t, "destroy_room", `{"RoomId":"r"}`).
		expect(t, `{"Statistic":{"TotalViewers":3,"TotalGiftsSent":7,"TotalGiftCoins":601,"TotalUniqueGiftSenders":2,"TotalLikesReceived":7}}`)
	for command, body := range map[string]string{
		"destroy_room": `{"RoomId":"r"}`, "get_room_info": `{"RoomId":"r"}`, "get_room_stats": `{"RoomId":"r"}`,
		"get_gift_count": `{"RoomId":"r","From_Account":"user1"}`,
		"send_gift":      `{"RoomId":"r","GiftId":"rose","From_Account":"fan1","ReceiverList_Account":["user1"]}`,
	} {
		check(t, a.call(t, command, body), 100004, "dissolved")
	}
	for _, err := range []error{a.EnterRoom("r", "fan1"), a.Like("r", "fan1", 1), a.SendMessage("r", "fan1")} {
		refused(t, err, 100004)
	}
	_, err = a.Room("r")
	refused(t, err, 100004)
	_, err = a.DestroyRoom(t.Context(), "r")
	refused(t, err, 100004)

	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r"}))
	a.call(t, "get_gift_count", `{"RoomId":"r","From_Account":"user1"}`).
		expect(t, `{"Sequence":0,"TotalCount":0,"TotalCoins":0,"GiftSenderCount":0}`)
}

func TestRoomInfo(t *testing.T) {
	a := newApp(t)
	a.call(t, "create_room", `{"RoomInfo":{"RoomId":"rid-123","RoomType":"Live","RoomName":"rname-123","Owner_Account":"144115233775727695",
		"CoverURL":"https://example.com/c.png","IsMessageDisabled":true,"Category":[1,2,3],"IsPublicVisible":true,"IsSeatEnabled":true,
		"TakeSeatMode":"ApplyToTake","MaxSeatCount":8,"MaxMemberCount":300,"ActivityStatus":1}}`).expect(t, "")
	a.clock.advance(time.Hour)
	must(t, a.EnterRoom("rid-123", "fan1"))
	a.call(t, "get_room_info", `{"RoomId":"rid-123"}`).
		expect(t, `{"RoomInfo":{"RoomId":"rid-123","RoomName":"rname-123","RoomType":"Live","Owner_Account":144115233775727695,`+
			`"CoverURL":"https://example.com/c.png","IsSeatEnabled":true,"TakeSeatMode":"ApplyToTake","MaxSeatCount":8,"MaxMemberCount":300,`+
			`"IsMessageDisabled":true,"IsPublicVisible":true,"ActivityStatus":1,"ViewCount":1,"Category":[1,2,3],`+
			`"CreateTime":1795420130,"Notice":""}}`)

	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "plain"}))
	a.call(t, "get_room_info", `{"RoomId":"plain"}`).
		expect(t, `{"RoomInfo":{"RoomId":"plain","RoomName":"plain","RoomType":"Live","Owner_Account":"administrator",`+
			`"CoverURL":"","IsSeatEnabled":false,"TakeSeatMode":"FreeToTake","MaxSeatCount":0,"MaxMemberCount":0,`+
			`"IsMessageDisabled":false,"IsPublicVisible":false,"ActivityStatus":0,"ViewCount":0,"Category":[],"CreateTime":1795423730,"Notice":""}}`)
}

func TestOwnerThatIsNoJSONNumber(t *testing.T) {
	for owner, want := range map[string]string{"007": `"007"`, "0": `"0"`, "7": "7", "-7": `"-7"`, "7a": `"7a"`, `"`: `"\""`} {
		a := newApp(t)
		must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r", Owner: owner}))
		if got := string(a.call(t, "get_room_info", `{"RoomId":"r"}`).Response); !contains(got, `"Owner_Account":`+want+`,`) {
			t.Errorf("owner %q: %s", owner, got)
		}
	}
}

func TestPriceHoldsFromTheTimeOfSending(t *testing.T) {
	a := newApp(t, func(c *simulator.Config) { c.Gifts = []simulator.Gift{{ID: "kiss", Coins: 2}} }).withRoom(t)
	kiss := gift("kiss", 1, "fan1", "user1")
	must(t, a.SendGift(kiss))
	must(t, a.AddGift(simulator.Gift{ID: "kiss", Coins: 5}))
	must(t, a.SendGift(kiss))
	must(t, a.AddGift(simulator.Gift{ID: "kiss", Coins: 0}))
	must(t, a.SendGift(kiss))
	want := simulator.GiftCount{Sequence: 3, TotalCount: 3, TotalCoins: 7, GiftSenderCount: 1}
	if got, err := a.GiftCount("room_id", "user1"); err != nil || got != want {
		t.Errorf("GiftCount = %+v, %v", got, err)
	}
	refused(t, a.SendGift(gift("rose", 1, "fan1", "user1")), 102002)
}

func TestNumbersThatDoNotFitAreRefusedWhole(t *testing.T) {
	a := newApp(t).withRoom(t)
	must(t, a.AddGift(simulator.Gift{ID: "free", Coins: 0}))
	must(t, a.AddGift(simulator.Gift{ID: "world", Coins: math.MaxInt64}))
	send := func(id string, count int64, receivers ...string) error {
		return a.SendGift(gift(id, count, "fan1", receivers...))
	}
	refused(t, send("world", 2, "user1"), 100002)
	refused(t, send("world", 1, "user1", "user2"), 100002)
	refused(t, send("free", math.MaxInt64, "user1", "user2"), 100002)
	must(t, send("world", 1, "user1"))
	refused(t, send("rose", 1, "user2"), 100002) // the coins of the room are full
	must(t, send("free", math.MaxInt64-1, "user2"))
	refused(t, send("free", 1, "user1"), 100002) // now the pieces, too
	must(t, a.Like("room_id", "fan1", math.MaxInt64))
	refused(t, a.Like("room_id", "fan1", 1), 100002)
	refused(t, a.Like("room_id", "fan1", 0), 100002)
	refused(t, a.Like("room_id", "fan1", -1), 100002)

	a.call(t, "get_gift_count", `{"RoomId":"room_id","From_Account":"user1"}`).
		expect(t, `{"Sequence":1,"TotalCount":1,"TotalCoins":9223372036854775807,"GiftSenderCount":1}`)
	a.call(t, "get_room_stats", `{"RoomId":"room_id"}`).
		expect(t, `{"TotalViewers":0,"TotalGiftsSent":9223372036854775807,"TotalGiftCoins":9223372036854775807,`+
			`"TotalUniqueGiftSenders":1,"TotalLikesReceived":9223372036854775807,"TotalMsgCount":0}`)
}

// Several hosts, with numbers that a float64 does not hold.
func TestHostsOfARoomAddUp(t *testing.T) {
	a := newApp(t).withRoom(t)
	must(t, a.AddGift(simulator.Gift{ID: "planet", Coins: 1<<53 + 1}))
	for n, hosts := range [][]string{{"user1"}, {"user1", "user2"}, {"user1", "user2", "user3"}, {"user3"}} {
		must(t, a.SendGift(gift("planet", int64(2*n+1), "fan"+hosts[0], hosts...)))
	}
	const coins = 1<<53 + 1
	var pieces, total int64
	for host, want := range map[string]simulator.GiftCount{
		"user1": {Sequence: 3, TotalCount: 1 + 3 + 5, TotalCoins: 9 * coins, GiftSenderCount: 1},
		"user2": {Sequence: 2, TotalCount: 3 + 5, TotalCoins: 8 * coins, GiftSenderCount: 1},
		"user3": {Sequence: 2, TotalCount: 5 + 7, TotalCoins: 12 * coins, GiftSenderCount: 2},
	} {
		var got simulator.GiftCount
		must(t, json.Unmarshal(a.call(t, "get_gift_count", `{"RoomId":"room_id","From_Account":"`+host+`"}`).Response, &got))
		if got != want {
			t.Errorf("%s: %+v, want %+v", host, got, want)
		}
		pieces, total = pieces+got.TotalCount, total+got.TotalCoins
	}
	dissolved, err := a.DestroyRoom(t.Context(), "room_id")
	must(t, err)
	want := simulator.Statistic{TotalGiftsSent: 29, TotalGiftCoins: 29 * coins, TotalUniqueGiftSenders: 2}
	if dissolved.Statistic != want {
		t.Errorf("the room: %+v, want %+v", dissolved.Statistic, want)
	}
	if pieces != want.TotalGiftsSent || total != want.TotalGiftCoins {
		t.Errorf("the hosts have %d gifts with %d coins together, the room has %+v", pieces, total, want)
	}
}

func TestSnapshotsAreCopies(t *testing.T) {
	a := newApp(t)
	category := []int64{1}
	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r", Category: category}))
	category[0] = 2
	room, err := a.Room("r")
	must(t, err)
	room.Category[0], room.Received["user1"] = 3, simulator.GiftCount{TotalCount: 9}
	if again, _ := a.Room("r"); again.Category[0] != 1 || len(again.Received) != 0 {
		t.Errorf("a room was changed from outside: %+v", again)
	}
}

func TestMethodsCheckTheirArguments(t *testing.T) {
	a := newApp(t, func(c *simulator.Config) { c.Accounts = []string{"user1"} }).withRoom(t)
	must(t, a.EnterRoom("room_id", admin)) // always imported
	refused(t, a.EnterRoom("room_id", ""), 100002)
	refused(t, a.EnterRoom("room_id", "stranger"), 70107)
	refused(t, a.CreateRoom(simulator.RoomInfo{}), 100002)
	refused(t, a.CreateRoom(simulator.RoomInfo{RoomID: "room_id"}), 100003)
	refused(t, a.AddGift(simulator.Gift{ID: "more than twenty bytes"}), 100002)
	_, err := a.GiftCount("", "user1")
	refused(t, err, 100002)
	_, err = a.DestroyRoom(t.Context(), "")
	refused(t, err, 100002)
}

func Example() {
	engine, err := simulator.New(simulator.Config{SDKAppID: 1400000000, Admin: "administrator", SecretKey: "secret"})
	if err != nil {
		panic(err)
	}
	if err := engine.CreateRoom(simulator.RoomInfo{RoomID: "room_id", Owner: "user1"}); err != nil {
		panic(err)
	}
	gift := simulator.SentGift{RoomID: "room_id", GiftID: "rose", Count: 1, Sender: "fan1", Receivers: []string{"user1"}}
	if err := engine.SendGift(gift); err != nil {
		panic(err)
	}
	count, err := engine.GiftCount("room_id", "user1")
	fmt.Printf("%+v %v\n", count, err)
	// Output: {Sequence:1 TotalCount:1 TotalCoins:1 GiftSenderCount:1} <nil>
}
