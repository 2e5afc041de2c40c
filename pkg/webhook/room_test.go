package webhook_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/webhook"
)

func utc(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// What the webhooks of a live room report, in every form that Tencent's pages show.
func TestSightings(t *testing.T) {
	for _, test := range []struct {
		name, command, body string
		want                ledger.Sighting
	}{
		{
			name: "created", command: "Live.CallbackAfterCreateRoom",
			body: `{"CallbackCommand":"Live.CallbackAfterCreateRoom","Operator_Account":"alice","RoomInfo":{"RoomId":"r","RoomType":"Live",` +
				`"Owner_Account":"alice","CreateTime":1669872100,"EventTime":1669872101234}}`,
			want: ledger.Sighting{
				RoomID: "r", At: time.UnixMilli(1669872101234).UTC(), StartedAt: utc(1669872100), Opens: true, Confirmed: true, Owner: "alice",
			},
		},
		{
			name: "created, EventTime in the second of CreateTime", command: "Live.CallbackAfterCreateRoom",
			body: `{"RoomInfo":{"RoomId":"r","Owner_Account":"alice","CreateTime":1669872100,"EventTime":1669872100234}}`,
			want: ledger.Sighting{
				RoomID: "r", At: time.UnixMilli(1669872100234).UTC(), StartedAt: utc(1669872100), CreatedAt: time.UnixMilli(1669872100234).UTC(),
				Opens: true, Confirmed: true, Owner: "alice",
			},
		},
		{
			name: "created, EventTime in whole seconds", command: "Live.CallbackAfterCreateRoom",
			body: `{"RoomInfo":{"RoomId":"r","Owner_Account":"alice","CreateTime":1669872100,"EventTime":1669872100000}}`,
			want: ledger.Sighting{RoomID: "r", At: utc(1669872100), StartedAt: utc(1669872100), Opens: true, Confirmed: true, Owner: "alice"},
		},
		{
			name: "created, EventTime beside RoomInfo, numbers as strings", command: "Live.CallbackAfterCreateRoom",
			body: `{"RoomInfo":{"RoomId":7,"Owner_Account":144115233775727695,"CreateTime":"1669872100"},"EventTime":"1669872101000"}`,
			want: ledger.Sighting{
				RoomID: "7", At: utc(1669872101), StartedAt: utc(1669872100), Opens: true, Confirmed: true, Owner: "144115233775727695",
			},
		},
		{
			name: "created, without EventTime and CreateTime", command: "Live.CallbackAfterCreateRoom",
			body: `{"RoomInfo":{"RoomId":"r","Owner_Account":"alice"}}`,
			want: ledger.Sighting{RoomID: "r", At: utc(liveTime), Opens: true, Owner: "alice"},
		},
		{
			name: "owner changed", command: "Live.CallbackAfterChangeOwner",
			body: `{"RoomId":"r","CurrentOwner_Account":"bob","OriginalOwner_Account":"alice","EventTime":1669872101000}`,
			want: ledger.Sighting{RoomID: "r", At: utc(1669872101), Owner: "bob", Former: "alice"},
		},
		{
			name: "seats", command: "Mic.CallbackAfterSeatInfoChanged",
			body: `{"RoomId":"r","SeatList":[{"Index":0,"Member_Account":144115233775727695},{"Index":1},{"Index":2,"Member_Account":"bob"}]}`,
			want: ledger.Sighting{RoomID: "r", At: utc(liveTime), Seated: []string{"144115233775727695", "bob"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			notice, err := webhook.Live.Read(live(test.command, test.body), app, signedAt(webhook.Live))
			if err != nil || notice.Seen == nil {
				t.Fatalf("got %+v, %v", notice, err)
			}
			got, _ := json.Marshal(notice.Seen)
			if want, _ := json.Marshal(test.want); string(got) != string(want) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

const giftBody = `{"CallbackCommand":"Live.CallbackBeforeSendGift","Operator_Account":"carol","RoomId":"r","GiftWater":{` +
	`"From_Account":"carol","To_Account":["alice","bob"],"Time":1669872110,"GiftId":"rose","Count":3,"Coins":1000}}`

func TestGiftIsReadFromItsWebhook(t *testing.T) {
	notice, err := webhook.Live.Read(live("Live.CallbackBeforeSendGift", giftBody), app, signedAt(webhook.Live))
	if err != nil || notice.Gift == nil {
		t.Fatalf("got %+v, %v", notice, err)
	}
	want := ledger.Gift{
		RoomID: "r", Sender: "carol", Receivers: []string{"alice", "bob"}, GiftID: "rose", Count: 3, Coins: 3000, At: utc(1669872110),
	}
	got, _ := json.Marshal(notice.Gift)
	if want, _ := json.Marshal(want); string(got) != string(want) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// A gift that cannot be recorded is not an error: any answer other than the acknowledgement could block it.
func TestLostGift(t *testing.T) {
	for name, body := range map[string]string{
		"not JSON":          "nonsense",
		"no room":           strings.Replace(giftBody, `"RoomId":"r",`, "", 1),
		"no count":          strings.Replace(giftBody, `"Count":3,`, "", 1),
		"no price":          strings.Replace(giftBody, `,"Coins":1000`, "", 1),
		"negative price":    strings.Replace(giftBody, `"Coins":1000`, `"Coins":-1`, 1),
		"negative count":    strings.Replace(giftBody, `"Count":3`, `"Count":-3`, 1),
		"too large a value": strings.Replace(giftBody, `"Coins":1000`, `"Coins":9223372036854775807`, 1),
		"no sender":         strings.Replace(giftBody, `"From_Account":"carol",`, "", 1),
		"a bad receiver":    strings.Replace(giftBody, `"bob"`, `""`, 1),
	} {
		notice, err := webhook.Live.Read(live("Live.CallbackBeforeSendGift", body), app, signedAt(webhook.Live))
		if err != nil || notice.Gift != nil || notice.LostGift == nil {
			t.Errorf("%s: got %+v, %v; want a lost gift", name, notice, err)
		}
	}
}

func TestIsGift(t *testing.T) {
	if !webhook.IsGift(live("Live.CallbackBeforeSendGift", "").Query) {
		t.Error("a gift is not recognized")
	}
	if webhook.IsGift(live("Live.CallbackAfterCreateRoom", "").Query) || webhook.IsGift(nil) {
		t.Error("another webhook is taken for a gift")
	}
}

func FuzzRoomWebhooks(f *testing.F) {
	f.Add("Live.CallbackBeforeSendGift", giftBody)
	f.Add("Live.CallbackAfterCreateRoom", `{"RoomInfo":{"RoomId":"r","Owner_Account":"a","CreateTime":1},"EventTime":"1"}`)
	f.Add("Live.CallbackAfterChangeOwner", `{"RoomId":"r","CurrentOwner_Account":"b"}`)
	f.Add("Mic.CallbackAfterSeatInfoChanged", `{"RoomId":"r","SeatList":[{"Member_Account":1}]}`)
	f.Fuzz(func(t *testing.T, command, body string) {
		notice, err := webhook.Live.Read(live(command, body), app, signedAt(webhook.Live))
		if command == "Live.CallbackBeforeSendGift" && err != nil {
			t.Fatalf("a gift is refused: %v", err)
		}
		if gift := notice.Gift; gift != nil && (gift.Count < 0 || gift.Coins < 0 || gift.RoomID == "") {
			t.Fatalf("invalid gift %+v", gift)
		}
	})
}
