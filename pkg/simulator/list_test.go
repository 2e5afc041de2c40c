package simulator_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

type page struct {
	Next     string
	RoomList []struct {
		RoomID     string `json:"RoomId"`
		CreateTime int64
	}
}

func (a *app) page(t *testing.T, body string) page {
	t.Helper()
	var got page
	answer := a.call(t, "get_room_list", body)
	check(t, answer, 0, "")
	must(t, json.Unmarshal(answer.Response, &got))
	return got
}

func TestRoomList(t *testing.T) {
	a := newApp(t)
	a.call(t, "get_room_list", `{"Next":""}`).expect(t, `{"Next":"","RoomList":[]}`)
	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "first"}))
	a.clock.advance(time.Second)
	must(t, a.CreateRoom(simulator.RoomInfo{
		RoomID: "second", RoomName: "name", Owner: "144115233775727695", CoverURL: "https://example.com/c.png",
		ActivityStatus: 3, Category: []int64{2},
	}))
	const first = `{"RoomName":"first","RoomId":"first","Owner_Account":"administrator","CoverURL":"","Category":[],` +
		`"CreateTime":1795420130,"ActivityStatus":0,"ViewCount":0}`
	const second = `{"RoomName":"name","RoomId":"second","Owner_Account":144115233775727695,"CoverURL":"https://example.com/c.png",` +
		`"Category":[2],"CreateTime":1795420131,"ActivityStatus":3,"ViewCount":`
	a.call(t, "get_room_list", `{}`).expect(t, `{"Next":"","RoomList":[`+first+`,`+second+`0}]}`)
	must(t, a.EnterRoom("second", "fan1"))
	a.call(t, "get_room_list", `{"Next":"0","Count":20}`).expect(t, `{"Next":"","RoomList":[`+second+`1},`+first+`]}`)
	a.call(t, "get_room_list", `{"Next":"","Count":1}`).expect(t, `{"Next":"1","RoomList":[`+second+`1}]}`)
	a.call(t, "get_room_list", `{"Next":"1","Count":1}`).expect(t, `{"Next":"","RoomList":[`+first+`]}`)
	a.call(t, "get_room_list", `{"Next":"5"}`).expect(t, `{"Next":"","RoomList":[]}`)
}

func TestPagesOfTheRoomList(t *testing.T) {
	for _, rooms := range []int{19, 20, 21, 45} {
		t.Run(fmt.Sprint(rooms, " rooms"), func(t *testing.T) {
			a := newApp(t)
			for n := range rooms {
				must(t, a.CreateRoom(simulator.RoomInfo{RoomID: fmt.Sprintf("room%02d", n)}))
			}
			var ids []string
			next := ""
			for pages := 1; ; pages++ {
				got := a.page(t, fmt.Sprintf(`{"Next":%q}`, next))
				for _, room := range got.RoomList {
					ids = append(ids, room.RoomID)
				}
				if next = got.Next; next != "" {
					continue
				}
				if want := (rooms + 19) / 20; pages != want {
					t.Errorf("%d pages, want %d", pages, want)
				}
				break
			}
			for n := range rooms {
				if want := fmt.Sprintf("room%02d", n); n >= len(ids) || ids[n] != want {
					t.Fatalf("rooms %v, want room%02d to room%02d", ids, 0, rooms-1)
				}
			}
			if len(ids) != rooms {
				t.Errorf("%d rooms, want %d", len(ids), rooms)
			}
		})
	}
}

func TestWrongArgumentsOfTheRoomList(t *testing.T) {
	for body, info := range map[string]string{
		`{"Next":0}`:                     "Next must be a String",
		`{"Next":"x"}`:                   "Next is not from",
		`{"Next":"-1"}`:                  "Next is not from",
		`{"Next":"9223372036854775808"}`: "Next is not from",
		`{"Count":0}`:                    "Count is 0, it must be 1 to 20",
		`{"Count":21}`:                   "Count is 21, it must be 1 to 20",
		`{"Count":"1"}`:                  "Count must be an Integer",
	} {
		check(t, newApp(t).call(t, "get_room_list", body), 100002, info)
	}
}

// A room id is used for one show after the other. Each has its own counters and its own CreateTime, the same in all places.
func TestRoomIDUsedAgain(t *testing.T) {
	a, h := newHooked(t)
	for show := range 3 {
		a.clock.advance(time.Minute)
		created := a.clock.Now().Unix()
		must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r"}))
		var hook struct{ RoomInfo struct{ CreateTime int64 } }
		must(t, json.Unmarshal([]byte(h.bodies[len(h.bodies)-1]), &hook))
		if got := hook.RoomInfo.CreateTime; got != created {
			t.Errorf("CreateTime %d in the webhook, want %d", got, created)
		}
		a.clock.advance(time.Second)
		if got := a.page(t, `{}`); len(got.RoomList) != 1 || got.RoomList[0].CreateTime != created {
			t.Errorf("room list %+v, want CreateTime %d", got, created)
		}
		var info struct{ RoomInfo struct{ CreateTime int64 } }
		must(t, json.Unmarshal(a.call(t, "get_room_info", `{"RoomId":"r"}`).Response, &info))
		if got := info.RoomInfo.CreateTime; got != created {
			t.Errorf("CreateTime %d in get_room_info, want %d", got, created)
		}
		sent := simulator.SentGift{RoomID: "r", GiftID: "rose", Count: int64(show + 1), Sender: "fan1", Receivers: []string{"user1"}}
		must(t, a.SendGift(sent))
		dissolved, err := a.DestroyRoom(t.Context(), "r")
		must(t, err)
		if got, want := dissolved.Statistic.TotalGiftsSent, int64(show+1); got != want {
			t.Errorf("%d gifts in show %d, want %d", got, show, want)
		}
		if got := a.page(t, `{}`); len(got.RoomList) != 0 {
			t.Errorf("a dissolved room is listed: %+v", got)
		}
	}
}
