package simulator_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func TestLostWebhooks(t *testing.T) {
	a, h := newHooked(t)
	must(t, a.LoseWebhooks(simulator.WebhookLoss{Command: simulator.AfterDestroyRoom, Skip: 1, Times: 2}))
	if a.LoseWebhooks(simulator.WebhookLoss{Command: "Live.CallbackAfterSendGift"}) == nil {
		t.Error("an unknown webhook is taken")
	}
	var sent []bool
	for range 5 {
		must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r"}))
		dissolved, err := a.DestroyRoom(t.Context(), "r")
		must(t, err)
		lost := errors.Is(dissolved.Webhook.Err, simulator.ErrWebhookLost)
		if lost && dissolved.Webhook.Command != simulator.AfterDestroyRoom {
			t.Errorf("lost: %+v", dissolved.Webhook)
		}
		sent = append(sent, !lost)
		if _, err := a.Room("r"); err == nil {
			t.Error("the room lives on")
		}
	}
	if want := []bool{true, false, false, true, true}; !slices.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
	if got, want := len(h.commands), 5+3; got != want {
		t.Errorf("%d webhooks arrived, want %d", got, want)
	}
	h.commands = nil
	must(t, a.LoseWebhooks(simulator.WebhookLoss{Times: -1}))
	a.play(t)
	h.expectNone(t)
	a.Heal()
	a.play(t)
	if got, want := len(h.commands), 6; got != want {
		t.Errorf("%d webhooks after Heal, want %d", got, want)
	}
}

func TestAGiftWhoseWebhookIsLost(t *testing.T) {
	a, _ := newHooked(t)
	a.withRoom(t)
	rose := gift("rose", 1, "fan1", "user1")
	must(t, a.LoseWebhooks(simulator.WebhookLoss{Command: simulator.BeforeSendGift, Times: -1}))
	must(t, a.SendGift(rose))
	must(t, a.SetWebhook("https://example.com/", "", simulator.BeforeSendGift))
	refused(t, a.SendGift(rose), 102004)
	if got, err := a.GiftCount("room_id", "user1"); err != nil || got.TotalCount != 1 {
		t.Errorf("%d gifts, %v; want 1", got.TotalCount, err)
	}
}

func TestLossesByChanceFollowTheSeed(t *testing.T) {
	run := func(seed uint64) (lost string) {
		a, _ := newHooked(t, func(c *simulator.Config) { c.Rand = rand.NewPCG(seed, 0) })
		must(t, a.LoseWebhooks(simulator.WebhookLoss{Command: simulator.AfterDestroyRoom, Probability: 0.2}))
		for range 1000 {
			must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r"}))
			dissolved, err := a.DestroyRoom(t.Context(), "r")
			must(t, err)
			if dissolved.Webhook.Err != nil {
				lost += "x"
			} else {
				lost += "."
			}
		}
		return lost
	}
	first := run(1)
	if count := strings.Count(first, "x"); count < 150 || count > 250 {
		t.Errorf("%d of 1,000 were lost, want about 200", count)
	}
	if run(1) != first {
		t.Error("the same seed loses others")
	}
	if run(2) == first {
		t.Error("another seed loses the same")
	}
}

func TestFaultsByChance(t *testing.T) {
	a := newApp(t, unlimited, func(c *simulator.Config) { c.Rand = rand.NewPCG(1, 0) }).withRoom(t)
	a.Misbehave(simulator.Fault{Command: "get_room_stats", Code: 100001, Probability: 0.2})
	failed := 0
	for range 1000 {
		if a.call(t, "get_room_stats", `{"RoomId":"room_id"}`).ErrorCode != 0 {
			failed++
		}
	}
	if failed < 150 || failed > 250 {
		t.Errorf("%d of 1,000 failed, want about 200", failed)
	}
}
