package streamend_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// vanishing is a room that is dissolved after its numbers were asked for. It counts the questions about its totals.
type vanishing struct {
	engine
	infos, totals *int
}

func (v vanishing) RoomInfo(ctx context.Context, roomID string) (giftstats.RoomInfo, error) {
	*v.infos++
	if *v.infos > 1 {
		return giftstats.RoomInfo{}, giftstats.Errorf(giftstats.CodeRoomNotFound, "dissolved")
	}
	return v.engine.RoomInfo(ctx, roomID)
}

func (v vanishing) RoomStats(ctx context.Context, roomID string) (giftstats.RoomStats, error) {
	*v.totals++
	return v.engine.RoomStats(ctx, roomID)
}

// Numbers that were there must not get lost because the room is gone a moment later.
func TestRoomDissolvedAfterItAnsweredKeepsItsNumbers(t *testing.T) {
	for _, test := range []struct {
		name       string
		totals     *giftstats.RoomTotals // of the event
		wantTotals int                   // questions about the totals
	}{
		{name: "totals are asked for", wantTotals: 1},
		{name: "the event brought the totals", totals: &giftstats.RoomTotals{TotalGiftsSent: 1, TotalGiftCoins: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, e := &box{}, vanishing{infos: new(int), totals: new(int)}
			event := streamend.Event{EventID: "e", RoomID: "r", EndedAt: &now, Source: streamend.SourceDirect, RoomTotals: test.totals}
			if err := processor(t, e, b).Process(t.Context(), event); err != nil {
				t.Fatal(err)
			}
			var summary streamend.Summary
			if err := json.Unmarshal(b.messages[0].Body, &summary); err != nil {
				t.Fatal(err)
			}
			if accounts := summary.Data.Accounts; len(accounts) != 1 || accounts[0].From != streamend.FromUpstream {
				t.Errorf("accounts are %+v", accounts)
			}
			if *e.totals != test.wantTotals {
				t.Errorf("the totals were asked for %d times, want %d", *e.totals, test.wantTotals)
			}
		})
	}
}

// A captured live URL can be sent again with another owner in its body, which is not signed. While the room exists, Tencent knows better.
func TestReplayedWebhookDoesNotChooseTheOwner(t *testing.T) {
	b := &box{}
	event := streamend.Event{EventID: "e", RoomID: "r", Accounts: []string{"mallory"}, EndedAt: &now, Source: streamend.SourceLive}
	if err := processor(t, engine{}, b).Process(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	var summary streamend.Summary
	if err := json.Unmarshal(b.messages[0].Body, &summary); err != nil {
		t.Fatal(err)
	}
	if accounts := summary.Data.Accounts; len(accounts) != 1 || accounts[0].Account != "owner" {
		t.Errorf("accounts are %+v, want the owner that Tencent names", accounts)
	}
}
