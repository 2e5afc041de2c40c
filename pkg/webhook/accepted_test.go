package webhook_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// processable fails the test unless a webhook is accepted as an end that survives the queue. It returns the end.
func processable(t *testing.T, kind webhook.Kind, request webhook.Request) streamend.Event {
	t.Helper()
	notice, err := kind.Read(request, app, signedAt(kind))
	if err != nil || notice.Ended == nil {
		t.Fatalf("got %+v, %v, want an end", notice, err)
	}
	queued, err := json.Marshal(notice.Ended)
	if err != nil {
		t.Fatalf("cannot be queued: %v", err)
	}
	event, err := streamend.Parse(queued, "")
	if err != nil {
		t.Fatalf("accepted, but it stays on the queue until it is moved to the dead-letter queue: %v", err)
	}
	return event
}

func TestLongEventTypeDoesNotPoisonTheQueue(t *testing.T) {
	for _, test := range []struct {
		name, eventType string
	}{
		{name: "300 bytes", eventType: strings.Repeat("x", 300)},
		{name: "cut within a character", eventType: strings.Repeat("x", 199) + "频"},
	} {
		t.Run(test.name, func(t *testing.T) {
			event := processable(t, webhook.Live, liveEnd(fmt.Sprintf(`{"RoomId":"r","EventType":%q}`, test.eventType)))
			if !utf8.ValidString(event.Reason) || !strings.HasPrefix(test.eventType, event.Reason) || len(event.Reason) < 199 {
				t.Errorf("reason %q, want the first 200 bytes of the event type", event.Reason)
			}
		})
	}
	event := processable(t, webhook.CSS, css(fmt.Sprintf(
		`{"event_type":0,"stream_id":"s","errmsg":%q,"t":1703732078,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`, strings.Repeat("x", 300))))
	if len(event.Reason) != 200 {
		t.Errorf("the reason of a CSS webhook has %d bytes, want 200", len(event.Reason))
	}
}

// The stream has ended even if the webhook has no usable time: it then ended now.
func TestImpossibleEventTimeDoesNotRefuseAnEnd(t *testing.T) {
	second := int64(liveTime)
	for _, test := range []struct {
		name string
		time int64 // in milliseconds
		want time.Time
	}{
		{name: "in a year of five digits", time: 999999999999999, want: time.Unix(second, 0)},
		{name: "the largest number", time: math.MaxInt64, want: time.Unix(second, 0)},
		{name: "the smallest number", time: math.MinInt64, want: time.Unix(second, 0)},
		{name: "negative", time: -1, want: time.Unix(second, 0)},
		{name: "in seconds", time: second, want: time.Unix(second, 0)},
		{name: "tomorrow", time: (second + 86400) * 1000, want: time.Unix(second, 0)},
		{name: "Tencent's clock is ahead", time: (second+60)*1000 + 5, want: time.UnixMilli((second+60)*1000 + 5)},
		{name: "further ahead than a clock can be", time: (second + 301) * 1000, want: time.Unix(second, 0)},
		{name: "long ago", time: 946684800000, want: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(test.name, func(t *testing.T) {
			event := processable(t, webhook.Live, liveEnd(fmt.Sprintf(`{"RoomId":"r","EventTime":%d}`, test.time)))
			if !event.EndedAt.Equal(test.want) {
				t.Errorf("ended at %v, want %v", event.EndedAt, test.want)
			}
		})
	}
}

func TestImpossibleSecondsDoNotOverflow(t *testing.T) {
	const overflowing = math.MaxInt64/1000 + 1 // in milliseconds, it is beyond an int64
	trtcEnd := processable(t, webhook.TRTC, trtc(fmt.Sprintf(
		`{"EventGroupId":1,"EventType":102,"EventInfo":{"RoomId":1,"EventTs":%d}}`, int64(overflowing))))
	if !trtcEnd.EndedAt.Equal(signedAt(webhook.TRTC)) {
		t.Errorf("TRTC: ended at %v, want now", trtcEnd.EndedAt)
	}
	cssEnd := processable(t, webhook.CSS, css(fmt.Sprintf(
		`{"event_type":0,"stream_id":"s","event_time":%d,"t":1703732078,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`, int64(overflowing))))
	if !cssEnd.EndedAt.Equal(signedAt(webhook.CSS)) {
		t.Errorf("CSS: ended at %v, want now", cssEnd.EndedAt)
	}
}

// What a ledger cannot store is answered with 503, so that Tencent would send it again and again.
func TestImpossibleSightingDoesNotReachTheLedger(t *testing.T) {
	notice, err := webhook.Live.Read(live("Live.CallbackAfterCreateRoom",
		`{"RoomInfo":{"RoomId":"r","CreateTime":999999999999,"EventTime":999999999999999}}`), app, signedAt(webhook.Live))
	if err != nil || notice.Seen == nil {
		t.Fatalf("got %+v, %v", notice, err)
	}
	if seen := notice.Seen; !seen.StartedAt.IsZero() || seen.Confirmed {
		t.Errorf("started at %v, confirmed: %v; want no time", seen.StartedAt, seen.Confirmed)
	}
	if seen := notice.Seen; !seen.At.Equal(time.Unix(liveTime, 0)) {
		t.Errorf("seen at %v, want now", seen.At)
	}
	gift, err := webhook.Live.Read(live("Live.CallbackBeforeSendGift", strings.Replace(giftBody, "1669872110", "999999999999", 1)),
		app, signedAt(webhook.Live))
	if err != nil || gift.Gift == nil || !gift.Gift.At.Equal(time.Unix(liveTime, 0)) {
		t.Errorf("got %+v, %v; want a gift that is sent now", gift.Gift, err)
	}
}

// The signature covers CallbackTs, so that nobody else can remove it.
func TestTRTCWebhookWithinFiveMinutes(t *testing.T) {
	for _, sent := range []string{
		fmt.Sprintf(`"CallbackTs":%d,`, int64(trtcSent)), fmt.Sprintf(`"CallbackTs":"%d",`, int64(trtcSent+300_000)),
		fmt.Sprintf(`"CallbackTs":%d,`, int64(trtcSent-300_000)), "",
	} {
		processable(t, webhook.TRTC, trtc(`{"EventGroupId":1,"EventType":102,`+sent+`"EventInfo":{"RoomId":1}}`))
	}
}
