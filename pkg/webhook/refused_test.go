package webhook_test

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// refusal is a webhook that must not be accepted.
type refusal struct {
	name    string
	noKeys  bool // none of the keys is configured
	request webhook.Request
	late    time.Duration // how long after the time of the signature the webhook arrives
	want    giftstats.Code
}

func checkRefusals(t *testing.T, kind webhook.Kind, refusals []refusal) {
	t.Helper()
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			accepting := app
			if test.noKeys {
				accepting = webhook.App{SDKAppID: app.SDKAppID}
			}
			notice, err := kind.Read(test.request, accepting, signedAt(kind).Add(test.late))
			if notice != (webhook.Notice{}) {
				t.Errorf("got the event %+v, want none", notice)
			}
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
			for _, key := range []string{liveToken, trtcKey, cssKey} {
				if strings.Contains(fmt.Sprint(err), key) {
					t.Errorf("a key is in the error: %v", err)
				}
			}
		})
	}
}

func TestRefusedLive(t *testing.T) {
	const ended = `{"RoomId":"r","EventTime":1}`
	body := func(body string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", body) }
	without := func(parameter string) webhook.Request {
		request := body(ended)
		request.Query.Del(parameter)
		return request
	}
	with := func(parameter, value string) webhook.Request {
		request := body(ended)
		request.Query.Set(parameter, value)
		return request
	}
	longOwner := `{"RoomId":"r","RoomInfo":{"RoomId":"r","Owner_Account":"` + strings.Repeat("x", 33) + `"}}`
	checkRefusals(t, webhook.Live, []refusal{
		{name: "no token configured", noKeys: true, request: body(ended), want: giftstats.CodeNotFound},
		{name: "no signature", request: without("Sign"), want: giftstats.CodeUnauthenticated},
		{name: "no time", request: without("RequestTime"), want: giftstats.CodeUnauthenticated},
		{name: "another signature", request: with("Sign", strings.Repeat("0", 64)), want: giftstats.CodeUnauthenticated},
		{name: "another time", request: with("RequestTime", fmt.Sprint(liveTime+1)), want: giftstats.CodeUnauthenticated},
		{name: "too late", request: body(ended), late: time.Minute + time.Second, want: giftstats.CodeUnauthenticated},
		{name: "too early", request: body(ended), late: -time.Minute - time.Second, want: giftstats.CodeUnauthenticated},
		{name: "another app", request: with("SdkAppid", "1400000001"), want: giftstats.CodeForbidden},
		{name: "no app", request: without("SdkAppid"), want: giftstats.CodeForbidden},
		{name: "not JSON", request: body("room"), want: giftstats.CodeInvalidRequest},
		{name: "no room", request: body(`{"EventTime":1}`), want: giftstats.CodeInvalidRequest},
		{name: "room is not an id", request: body(`{"RoomId":{}}`), want: giftstats.CodeInvalidRequest},
		{name: "time is not a number", request: body(`{"RoomId":"r","EventTime":"soon"}`), want: giftstats.CodeInvalidRequest},
		{
			name:    "owner is not an account",
			request: body(`{"RoomId":"r","RoomInfo":{"Owner_Account":1.5}}`),
			want:    giftstats.CodeInvalidRequest,
		},
		{name: "owner is too long", request: body(longOwner), want: giftstats.CodeInvalidRequest},
		{
			name:    "owner of a new room is too long",
			request: live("Live.CallbackAfterCreateRoom", longOwner), want: giftstats.CodeInvalidRequest,
		},
		{
			name:    "new owner is too long",
			request: live("Live.CallbackAfterChangeOwner", `{"RoomId":"r","CurrentOwner_Account":"`+strings.Repeat("x", 33)+`"}`),
			want:    giftstats.CodeInvalidRequest,
		},
	})
}

func TestRefusedTRTC(t *testing.T) {
	ended := func() webhook.Request { return trtc(`{"EventGroupId":1,"EventType":102,"EventInfo":{"RoomId":1}}`) }
	const trtcTooLate = 5*time.Minute + time.Millisecond
	sentAt := func(milliseconds int64) string {
		return fmt.Sprintf(`{"EventGroupId":1,"EventType":102,"CallbackTs":%d,"EventInfo":{"RoomId":1}}`, milliseconds)
	}
	unsigned, anotherApp := ended(), ended()
	unsigned.Header.Del("Sign")
	anotherApp.Header.Set("SdkAppId", "1")
	checkRefusals(t, webhook.TRTC, []refusal{
		{name: "no key configured", noKeys: true, request: trtc("{}"), want: giftstats.CodeNotFound},
		{name: "no signature", request: unsigned, want: giftstats.CodeUnauthenticated},
		{name: "another app", request: anotherApp, want: giftstats.CodeForbidden},
		{name: "replayed later", request: trtc(sentAt(trtcSent)), late: trtcTooLate, want: giftstats.CodeUnauthenticated},
		{name: "sent in the future", request: trtc(sentAt(trtcSent)), late: -trtcTooLate, want: giftstats.CodeUnauthenticated},
		{name: "sent at no time", request: trtc(sentAt(0)), want: giftstats.CodeUnauthenticated},
		{name: "sent at the largest time", request: trtc(sentAt(math.MaxInt64)), want: giftstats.CodeUnauthenticated},
		{name: "sent at the smallest time", request: trtc(sentAt(math.MinInt64)), want: giftstats.CodeUnauthenticated},
		{name: "not JSON", request: trtc("x"), want: giftstats.CodeInvalidRequest},
		{name: "no room", request: trtc(`{"EventGroupId":1,"EventType":102}`), want: giftstats.CodeInvalidRequest},
	})
}

func TestRefusedCSS(t *testing.T) {
	signed := func(fields string) webhook.Request {
		return css(`{` + fields + `"t":1703732078,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`)
	}
	digest := md5.Sum([]byte(cssKey + "soon"))
	checkRefusals(t, webhook.CSS, []refusal{
		{name: "no key configured", noKeys: true, request: signed(""), want: giftstats.CodeNotFound},
		{name: "no signature", request: css(`{"event_type":0}`), want: giftstats.CodeUnauthenticated},
		{name: "not JSON", request: css("x"), want: giftstats.CodeUnauthenticated},
		{
			name:    "another time",
			request: css(`{"t":1703732079,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`),
			want:    giftstats.CodeUnauthenticated,
		},
		{
			name:    "signed time is not a number",
			request: css(`{"t":"soon","sign":"` + hex.EncodeToString(digest[:]) + `"}`),
			want:    giftstats.CodeUnauthenticated,
		},
		{name: "expired", request: signed(""), late: time.Second, want: giftstats.CodeUnauthenticated},
		{name: "no stream", request: signed(`"event_type":0,`), want: giftstats.CodeInvalidRequest},
		{name: "wrong type", request: signed(`"event_type":[],`), want: giftstats.CodeInvalidRequest},
	})
}
