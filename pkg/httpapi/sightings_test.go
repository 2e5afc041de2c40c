package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
)

const (
	createdBody = `{"RoomInfo":{"RoomId":"r","Owner_Account":"alice","CreateTime":946684800}}`
	seatsBody   = `{"RoomId":"r","SeatList":[{"Index":0,"Member_Account":"bob"},{"Index":1}]}`
	ownerBody   = `{"RoomId":"r","CurrentOwner_Account":"bob","OriginalOwner_Account":"alice"}`
)

var sightings = []struct{ name, command, body string }{
	{name: "create", command: "Live.CallbackAfterCreateRoom", body: createdBody},
	{name: "seats", command: "Mic.CallbackAfterSeatInfoChanged", body: seatsBody},
	{name: "owner", command: "Live.CallbackAfterChangeOwner", body: ownerBody},
}

// What is not recorded is refused, so that Tencent's console shows the failure, and Tencent may send it again.
func TestSightingsThatCannotBeRecorded(t *testing.T) {
	contract := openAPI(t)
	for _, sighting := range sightings {
		t.Run(sighting.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log syncbuf.Buffer
				h := newHandler(t, engine{}, document, &log, giftLedger(t, failing))
				c := live(sighting.command, sighting.body)
				response := send(h, c)
				if got := problemIn(t, response); got.Code != giftstats.CodeLedgerUnavailable || response.Code != http.StatusServiceUnavailable {
					t.Errorf("the answer is %d %s", response.Code, response.Body)
				}
				if response.Header().Get("Retry-After") == "" {
					t.Error("the answer has no Retry-After")
				}
				if !strings.Contains(log.String(), errBroken.Error()) {
					t.Errorf("the log does not have the cause: %s", log.String())
				}
				contract.check(t, c.request(), response)
			})
		})
	}
}

// Without a ledger there is nothing to record: webhooks that are enabled anyway are acknowledged, and gifts are not lost.
func TestWebhooksWithoutLedger(t *testing.T) {
	for _, webhook := range append(sightings, struct{ name, command, body string }{"gift", giftCommand, roseBody}) {
		t.Run(webhook.name, func(t *testing.T) {
			var log syncbuf.Buffer
			acknowledged(t, newHandler(t, engine{}, document, &log, nil), live(webhook.command, webhook.body))
			if lines := giftLines(t, log.String()); len(lines) != 0 {
				t.Errorf("the log counts gifts: %+v", lines)
			}
		})
	}
}

// The webhooks of one show tell who receives gifts in it.
func TestSightingsAreRecorded(t *testing.T) {
	m := newLedger(t)
	h := newHandler(t, engine{}, document, &syncbuf.Buffer{}, func(c *httpapi.Config) { c.Ledger = m.ledger })
	for _, sighting := range sightings {
		acknowledged(t, h, live(sighting.command, sighting.body))
	}
	acknowledged(t, h, live(giftCommand, roseBody))
	room, err := m.ledger.Room(t.Context(), "r")
	m.must(err)
	if len(room.Streams) != 1 {
		t.Fatalf("the room has %d streams, want 1", len(room.Streams))
	}
	stream := room.Streams[0]
	if stream.Owner != "bob" {
		t.Errorf("the owner is %s, want bob", stream.Owner)
	}
	if !stream.StartedAt.Equal(time.Unix(946684800, 0)) || stream.ConfirmedAt.IsZero() {
		t.Errorf("it started at %v, confirmed at %v", stream.StartedAt, stream.ConfirmedAt)
	}
	for _, name := range []string{"alice", "bob"} {
		if account := stream.Account(name); account == nil || !account.Receives {
			t.Errorf("%s is %+v, want a receiver", name, account)
		}
	}
}

// A hanging ledger does not hold a webhook forever: the context of the invocation ends it.
func TestSightingsEndWithTheInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, engine{}, document, &syncbuf.Buffer{}, giftLedger(t, hanging))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		started := time.Now()
		response := httptest.NewRecorder()
		h.ServeHTTP(response, live("Live.CallbackAfterCreateRoom", createdBody).request().WithContext(ctx))
		if response.Code != http.StatusServiceUnavailable || time.Since(started) > 3*time.Second {
			t.Errorf("the answer is %d after %v", response.Code, time.Since(started))
		}
	})
}
