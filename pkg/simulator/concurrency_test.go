package simulator_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func TestEverythingAtOnce(t *testing.T) {
	a := newApp(t, unlimited).withRoom(t)
	const workers, each = 8, 25
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			sender, own := fmt.Sprint("fan", n), fmt.Sprint("room", n)
			for i := range each {
				noErrors(t, a.SendGift(gift("car", 2, sender, "user1", "user2")))
				noErrors(t, a.EnterRoom("room_id", sender), a.Like("room_id", sender, 3), a.SendMessage("room_id", sender))
				noErrors(t, a.CreateRoom(simulator.RoomInfo{RoomID: own}), a.AddGift(simulator.Gift{ID: own, Coins: int64(i)}))
				noErrors(t, a.SetSecretKey(key, fmt.Sprint("older", i)), a.SetWebhook("", ""))
				noErrors(t, a.TakeSeat(own, sender, int64(i)), a.ChangeOwner(own, sender), a.LeaveSeat(own, sender))
				noErrors(t, a.LoseWebhooks(simulator.WebhookLoss{Command: simulator.AfterCreateRoom, Probability: 0.5}))
				a.Misbehave(simulator.Fault{Command: "none", Code: 1})
				a.call(t, "get_room_list", `{"Next":""}`)
				a.call(t, "get_gift_count", `{"RoomId":"room_id","From_Account":"user1"}`)
				a.call(t, "get_room_info", `{"RoomId":"room_id"}`)
				a.withSig(t, fmt.Sprint("nonsense", i))
				a.Calls()
				a.Count("")
				a.Peak("get_gift_count")
				a.LastWebhook()
				if _, err := a.DestroyRoom(t.Context(), own); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	a.Heal()
	room, err := a.Room("room_id")
	must(t, err)
	want := simulator.Statistic{
		TotalViewers: workers * each, TotalGiftsSent: 4 * workers * each, TotalGiftCoins: 400 * workers * each,
		TotalUniqueGiftSenders: workers, TotalLikesReceived: 3 * workers * each,
	}
	if room.Statistic != want || room.TotalMsgCount != workers*each {
		t.Errorf("%+v with %d messages, want %+v", room.Statistic, room.TotalMsgCount, want)
	}
	received := simulator.GiftCount{
		Sequence: workers * each, TotalCount: 2 * workers * each, TotalCoins: 200 * workers * each, GiftSenderCount: workers,
	}
	if got := room.Received["user2"]; got != received {
		t.Errorf("user2 received %+v, want %+v", got, received)
	}
	if got, want := a.Count("get_gift_count"), workers*each; got != want {
		t.Errorf("Count = %d, want %d", got, want)
	}
}

// noErrors may be called from any goroutine.
func noErrors(t *testing.T, errs ...error) {
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyOneDestroysARoom(t *testing.T) {
	a := newApp(t).withRoom(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for range 20 {
		all.Go(func() {
			got := a.call(t, "destroy_room", `{"RoomId":"room_id"}`)
			mu.Lock()
			defer mu.Unlock()
			codes[got.ErrorCode]++
		})
	}
	all.Wait()
	if codes[0] != 1 || codes[100004] != 19 {
		t.Errorf("codes %v, want one 0 and nineteen 100004", codes)
	}
}

func BenchmarkGetGiftCount(b *testing.B) {
	engine := newApp(b, unlimited).withRoom(b)
	must(b, engine.SendGift(gift("rose", 1, "fan1", "user1")))
	target := "/v4/live_engine_http_srv/get_gift_count?" + engine.query(engine.sig).Encode()
	request := httptest.NewRequest("POST", target, nil)
	b.ReportAllocs()
	for b.Loop() {
		request.Body = readCloser{strings.NewReader(`{"RoomId":"room_id","From_Account":"user1"}`)}
		recorder := httptest.NewRecorder()
		engine.ServeHTTP(recorder, request)
		if !strings.Contains(recorder.Body.String(), `"TotalCoins":1,`) {
			b.Fatal(recorder.Body.String())
		}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
