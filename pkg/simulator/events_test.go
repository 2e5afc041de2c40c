package simulator_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// hooks is a transport that answers webhooks by itself, without a network.
type hooks struct {
	reply string

	mu       sync.Mutex
	commands []string
	bodies   []string
}

func (h *hooks) RoundTrip(request *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(request.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commands = append(h.commands, request.URL.Query().Get("CallbackCommand"))
	h.bodies = append(h.bodies, string(body))
	recorder := httptest.NewRecorder()
	io.WriteString(recorder, h.reply)
	return recorder.Result(), nil
}

// expect compares the one webhook since the last call of expect.
func (h *hooks) expect(t *testing.T, command, body string) {
	t.Helper()
	if len(h.bodies) != 1 {
		t.Fatalf("%d webhooks: %v, want one", len(h.bodies), h.commands)
	}
	if h.commands[0] != command {
		t.Errorf("CallbackCommand %q in the URL, want %q", h.commands[0], command)
	}
	if h.bodies[0] != body {
		t.Errorf("body\n got %s\nwant %s", h.bodies[0], body)
	}
	h.commands, h.bodies = nil, nil
}

// expectNone checks that there was no webhook.
func (h *hooks) expectNone(t *testing.T) {
	t.Helper()
	if len(h.commands) > 0 {
		t.Errorf("webhooks %v, want none", h.commands)
	}
}

// newHooked makes an app whose webhooks end in hooks.
func newHooked(t *testing.T, changes ...func(*simulator.Config)) (*app, *hooks) {
	t.Helper()
	h := &hooks{reply: acknowledged}
	configure := func(c *simulator.Config) {
		c.Transport, c.WebhookURL, c.WebhookToken = h, "https://example.com/", "token"
	}
	return newApp(t, append([]func(*simulator.Config){configure}, changes...)...), h
}

func TestBodiesOfTheWebhooks(t *testing.T) {
	a, h := newHooked(t)
	a.call(t, "create_room", `{"RoomInfo":{"RoomId":"r","RoomType":"Live","RoomName":"name","Owner_Account":"144115233775727695",
		"IsSeatEnabled":true,"MaxSeatCount":8,"Category":[4]}}`).expect(t, "")
	h.expect(t, "Live.CallbackAfterCreateRoom", `{"CallbackCommand":"Live.CallbackAfterCreateRoom","Operator_Account":"administrator",`+
		`"EventTime":1795420130000,"RoomInfo":{"RoomId":"r","RoomName":"name","RoomType":"Live","Owner_Account":"144115233775727695",`+
		`"MaxMemberCount":0,"IsMessageDisabled":false,"CustomInfo":"","IsSeatEnabled":true,"TakeSeatMode":"FreeToTake","MaxSeatCount":8,`+
		`"CreateTime":1795420130,"IsPublicVisible":false,"CoverURL":"","Category":[4]}}`)

	a.clock.advance(1500 * time.Millisecond)
	must(t, a.ChangeOwner("r", "user1"))
	h.expect(t, "Live.CallbackAfterChangeOwner", `{"CallbackCommand":"Live.CallbackAfterChangeOwner","Operator_Account":"144115233775727695",`+
		`"RoomId":"r","CurrentOwner_Account":"user1","OriginalOwner_Account":"144115233775727695","EventTime":1795420131500}`)

	// seat is the webhook of one seat, with or without a member.
	seat := func(index, member string) string {
		return `{"CallbackCommand":"Mic.CallbackAfterSeatInfoChanged","RoomId":"r","SeatList":[{"Index":` + index + member +
			`,"IsTakenDisabled":false,"IsVideoDisabled":false,"IsAudioDisabled":false}],"EventTime":1795420131500}`
	}
	must(t, a.TakeSeat("r", "144115233775727695", 0))
	h.expect(t, "Mic.CallbackAfterSeatInfoChanged", seat("0", `,"Member_Account":144115233775727695`))
	must(t, a.TakeSeat("r", "user2", 7))
	h.expect(t, "Mic.CallbackAfterSeatInfoChanged", seat("7", `,"Member_Account":"user2"`))
	must(t, a.LeaveSeat("r", "user2"))
	h.expect(t, "Mic.CallbackAfterSeatInfoChanged", seat("7", ""))

	const send = `{"RoomId":"r","GiftId":"car","Count":3,"From_Account":"fan1","ReceiverList_Account":["user1","user2"]}`
	a.call(t, "send_gift", send).expect(t, "")
	h.expect(t, "Live.CallbackBeforeSendGift", `{"CallbackCommand":"Live.CallbackBeforeSendGift","Operator_Account":"fan1","RoomId":"r",`+
		`"GiftWater":{"From_Account":"fan1","To_Account":["user1","user2"],"Time":1795420131,"GiftId":"car","Count":3,"Coins":100}}`)
}

func TestChangesOfARoom(t *testing.T) {
	a, h := newHooked(t, func(c *simulator.Config) { c.Accounts = []string{"user1", "user2"} })
	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r", Owner: "user1", MaxSeatCount: 2}))
	must(t, a.TakeSeat("r", "user1", 1))
	must(t, a.ChangeOwner("r", "user2"))
	sent := len(h.commands)
	refused(t, a.ChangeOwner("r", "user2"), 100002)
	refused(t, a.ChangeOwner("r", "stranger"), 70107)
	refused(t, a.ChangeOwner("other", "user1"), 100004)
	refused(t, a.TakeSeat("r", "user2", 1), 100002)
	refused(t, a.TakeSeat("r", "user1", 0), 100002)
	refused(t, a.TakeSeat("r", "user2", 2), 100002)
	refused(t, a.TakeSeat("r", "user2", -1), 100002)
	refused(t, a.TakeSeat("r", "stranger", 0), 70107)
	refused(t, a.TakeSeat("other", "user2", 0), 100004)
	refused(t, a.LeaveSeat("r", "user2"), 100002)
	refused(t, a.LeaveSeat("other", "user1"), 100004)
	refused(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r"}), 100003)
	refused(t, a.SendGift(gift("rose", 1, "user1", "user2")), 100004)
	tulip := gift("tulip", 1, "user1", "user2")
	tulip.RoomID = "r"
	refused(t, a.SendGift(tulip), 102002)
	if len(h.commands) != sent {
		t.Errorf("a refused change sent %v", h.commands[sent:])
	}
	room, err := a.Room("r")
	must(t, err)
	if room.Owner != "user2" {
		t.Errorf("the owner is %q, want user2", room.Owner)
	}
	if want := map[int64]string{1: "user1"}; !maps.Equal(room.Seats, want) {
		t.Errorf("seats %v, want %v", room.Seats, want)
	}
	room.Seats[0] = "user2"
	if later, _ := a.Room("r"); len(later.Seats) != 1 {
		t.Error("a room was changed from outside")
	}
}

func TestReplyToTheGiftWebhook(t *testing.T) {
	rose := gift("rose", 1, "fan1", "user1")
	blocking := []string{simulator.BeforeSendGift}
	for _, test := range []struct {
		name     string
		commands []string
		reply    string
		code     int
	}{
		{name: "allowed", reply: acknowledged},
		{name: "allowed, blocking", commands: blocking, reply: acknowledged},
		{name: "refused", reply: `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":1}`, code: 102004},
		{name: "refused with the app's first code", reply: `{"ActionStatus":"OK","ErrorInfo":"no money","ErrorCode":102100}`, code: 102100},
		{name: "refused with the app's last code", reply: `{"ActionStatus":"OK","ErrorInfo":"no money","ErrorCode":102200}`, code: 102200},
		{name: "refused with another code", reply: `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":102201}`, code: 102004},
		{name: "not JSON", reply: `OK`},
		{name: "not JSON, blocking", commands: blocking, reply: `OK`, code: 102004},
		{name: "field missing", reply: `{"ActionStatus":"OK","ErrorCode":1}`},
		{name: "field missing, blocking", commands: blocking, reply: `{"ActionStatus":"OK","ErrorCode":0}`, code: 102004},
		{
			name:     "not JSON, listed as not blocking",
			commands: []string{simulator.BeforeSendGift, simulator.BeforeCallBackNotBlock},
			reply:    `OK`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, h := newHooked(t, func(c *simulator.Config) { c.WebhookCommands = test.commands })
			a.withRoom(t)
			h.reply = test.reply
			var want int64
			if err := a.SendGift(rose); test.code == 0 {
				must(t, err)
				want = 1
			} else {
				refused(t, err, test.code)
			}
			if got, err := a.GiftCount("room_id", "user1"); err != nil || got.TotalCount != want {
				t.Errorf("%d gifts, %v; want %d", got.TotalCount, err, want)
			}
			if last := h.commands[len(h.commands)-1]; last != simulator.BeforeSendGift {
				t.Errorf("the last webhook is %s", last)
			}
		})
	}
}

// What a webhook finds when it asks is the state before the gift.
func TestTheGiftCountsAfterItsWebhook(t *testing.T) {
	var a *app
	var seen simulator.GiftCount
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, _ = a.GiftCount("room_id", "user1")
		io.WriteString(w, acknowledged)
	}))
	defer server.Close()
	a = newApp(t).withRoom(t)
	must(t, a.SetWebhook(server.URL, "", simulator.BeforeSendGift))
	rose := gift("rose", 1, "fan1", "user1")
	must(t, a.SendGift(rose))
	if seen.TotalCount != 0 {
		t.Errorf("%d gifts before the reply, want 0", seen.TotalCount)
	}
}

func TestGiftForARoomThatEndsMeanwhile(t *testing.T) {
	var a *app
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := a.DestroyRoom(r.Context(), "room_id"); err != nil {
			t.Error(err)
		}
		if err := a.CreateRoom(simulator.RoomInfo{RoomID: "room_id"}); err != nil {
			t.Error(err)
		}
		io.WriteString(w, acknowledged)
	}))
	defer server.Close()
	a = newApp(t).withRoom(t)
	must(t, a.SetWebhook(server.URL, "", simulator.BeforeSendGift))
	rose := gift("rose", 1, "fan1", "user1")
	refused(t, a.SendGift(rose), 100004)
	if got, err := a.GiftCount("room_id", "user1"); err != nil || got.TotalCount != 0 {
		t.Errorf("%d gifts in the next room, %v", got.TotalCount, err)
	}
}

func TestGiftWebhookHasTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rose := gift("rose", 1, "fan1", "user1")
		a := newApp(t, func(c *simulator.Config) {
			c.Transport, c.WebhookURL, c.WebhookCommands = silent{}, "https://example.com/", []string{simulator.BeforeSendGift}
		}).withRoom(t)
		started := time.Now()
		refused(t, a.SendGift(rose), 102004)
		if took := time.Since(started); took != 2*time.Second {
			t.Errorf("gave up after %v, want 2s", took)
		}
		must(t, a.SetWebhook("https://example.com/", "", simulator.BeforeSendGift, simulator.BeforeCallBackNotBlock))
		must(t, a.SendGift(rose))
		if got, err := a.GiftCount("room_id", "user1"); err != nil || got.TotalCount != 1 {
			t.Errorf("%d gifts, %v; want 1", got.TotalCount, err)
		}
	})
}

// play lets every webhook happen once.
func (a *app) play(t *testing.T) {
	t.Helper()
	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r", Owner: "user1"}))
	must(t, a.ChangeOwner("r", "user2"))
	must(t, a.TakeSeat("r", "user1", 0))
	must(t, a.SendGift(simulator.SentGift{RoomID: "r", GiftID: "rose", Count: 1, Sender: "fan1", Receivers: []string{"user1", "user2"}}))
	must(t, a.LeaveSeat("r", "user1"))
	_, err := a.DestroyRoom(t.Context(), "r")
	must(t, err)
}

func TestWhichWebhooksAreSent(t *testing.T) {
	all := []string{
		simulator.AfterCreateRoom, simulator.AfterChangeOwner, simulator.AfterSeatInfoChanged, simulator.BeforeSendGift,
		simulator.AfterSeatInfoChanged, simulator.AfterDestroyRoom,
	}
	for _, test := range []struct {
		name           string
		commands, want []string
	}{
		{name: "all by default", want: all},
		{name: "one", commands: []string{simulator.AfterDestroyRoom}, want: all[5:]},
		{name: "two", commands: []string{simulator.AfterChangeOwner, simulator.AfterCreateRoom}, want: all[:2]},
		{name: "a setting only", commands: []string{simulator.BeforeCallBackNotBlock}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, h := newHooked(t, func(c *simulator.Config) { c.WebhookCommands = test.commands })
			a.play(t)
			if !slices.Equal(h.commands, test.want) {
				t.Errorf("webhooks %v, want %v", h.commands, test.want)
			}
		})
	}
	a, h := newHooked(t)
	if err := a.SetWebhook("https://example.com/", "", "Live.CallbackAfterDestroyRooms"); err == nil || !contains(err.Error(), "Rooms") {
		t.Errorf("an unknown webhook: %v", err)
	}
	must(t, a.SetWebhook("", ""))
	a.play(t)
	h.expectNone(t)
}
