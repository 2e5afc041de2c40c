package webhook_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// The documented vectors: https://trtc.io/document/64412 (live), https://trtc.io/document/54912 (TRTC).
const (
	liveToken = "xxxxyyyy"
	liveTime  = 1669872112
	liveSign  = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"
	trtcKey   = "123654"
	trtcBody  = "{\n\t\"EventGroupId\":\t2,\n\t\"EventType\":\t204,\n\t\"CallbackTs\":\t1664209748188,\n\t\"EventInfo\":\t{\n\t\t\"RoomId\":\t8489,\n\t\t\"EventTs\":\t1664209748,\n\t\t\"EventMsTs\":\t1664209748180,\n\t\t\"UserId\":\t\"user_85034614\",\n\t\t\"Reason\":\t0\n\t}\n}"
	trtcSign  = "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA="
	cssKey    = "somekey"
	cssUntil  = 1703732078
)

var app = webhook.App{
	SDKAppID:      1400000000,
	Keys:          secret.WebhookKeys{LiveToken: secret.Redact(liveToken), TRTCKey: secret.Redact(trtcKey), CSSKey: secret.Redact(cssKey)},
	CSSEndsStream: true,
}

// live is a webhook with the documented signature.
func live(command, body string) webhook.Request {
	return webhook.Request{Body: []byte(body), Query: url.Values{
		"SdkAppid": {"1400000000"}, "CallbackCommand": {command}, "contenttype": {"json"}, "ClientIP": {"192.0.2.1"}, "OptPlatform": {"RESTAPI"},
		"RequestTime": {fmt.Sprint(liveTime)}, "Sign": {liveSign},
	}}
}

func trtc(body string) webhook.Request {
	mac := hmac.New(sha256.New, []byte(trtcKey))
	mac.Write([]byte(body))
	header := http.Header{}
	header.Set("Sign", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	header.Set("SdkAppId", "1400000000")
	return webhook.Request{Header: header, Body: []byte(body)}
}

func css(body string) webhook.Request { return webhook.Request{Body: []byte(body)} }

var id = regexp.MustCompile(`-[0-9a-f]{32}"`)

func TestGolden(t *testing.T) {
	for _, test := range []struct {
		file    string
		kind    webhook.Kind
		now     int64
		request func(body string) webhook.Request
	}{
		{
			file:    "live-full",
			kind:    webhook.Live,
			now:     liveTime,
			request: func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) },
		},
		{
			file:    "live-2024",
			kind:    webhook.Live,
			now:     liveTime,
			request: func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) },
		},
		{
			file:    "live-number-owner",
			kind:    webhook.Live,
			now:     liveTime,
			request: func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) },
		},
		{
			file:    "conference",
			kind:    webhook.Live,
			now:     liveTime,
			request: func(b string) webhook.Request { return live("Room.CallbackAfterDestroyRoom", b) },
		},
		{file: "trtc-102", kind: webhook.TRTC, request: trtc},
		{file: "trtc-102-string", kind: webhook.TRTC, request: trtc},
		{file: "css-0", kind: webhook.CSS, now: cssUntil, request: css},
		{file: "css-0-strings", kind: webhook.CSS, now: cssUntil, request: css},
	} {
		t.Run(test.file, func(t *testing.T) {
			body, err := os.ReadFile("testdata/" + test.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("testdata/" + test.file + ".event.json")
			if err != nil {
				t.Fatal(err)
			}
			event, err := test.kind.Read(test.request(string(body)), app, time.Unix(test.now, 0))
			if err != nil || event == nil {
				t.Fatalf("%v, %v", event, err)
			}
			encoded, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			if got := id.ReplaceAllString(string(encoded), `-ID"`); got != strings.TrimSpace(string(want)) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			again, err := test.kind.Read(test.request(string(body)), app, time.Unix(test.now, 0))
			if err != nil || again.EventID != event.EventID {
				t.Errorf("the same webhook has another id: %v", err)
			}
			if back, err := streamend.Parse(encoded, ""); err != nil || back.EventID != event.EventID || back.RoomID != event.RoomID {
				t.Errorf("the event does not survive a queue: %v, %v", back, err)
			}
			// Whatever is left of a truncated body, it is an error or nothing, and never a crash.
			for cut := range body[:len(body)-2] {
				if event, err := test.kind.Read(test.request(string(body[:cut])), app, time.Unix(test.now, 0)); event != nil && err == nil {
					t.Errorf("cut after %d bytes it is still an event: %+v", cut, event)
				}
			}
		})
	}
}

func TestEventIDs(t *testing.T) {
	read := func(body string) string {
		event, err := webhook.Live.Read(live("Live.CallbackAfterDestroyRoom", body), app, time.Unix(liveTime, 0))
		if err != nil {
			t.Fatal(err)
		}
		return event.EventID
	}
	first := read(`{"RoomId":"r","EventTime":1}`)
	if read(`{"RoomId":"r","EventTime":1,"EventType":"DestroyByUser","Statistic":{}}`) != first {
		t.Error("a replay with another body has another id")
	}
	for _, other := range []string{`{"RoomId":"r","EventTime":2}`, `{"RoomId":"s","EventTime":1}`} {
		if read(other) == first {
			t.Errorf("%s has the id of another end", other)
		}
	}
}

func TestDocumentedTRTCVector(t *testing.T) {
	header := http.Header{}
	header.Set("Sign", trtcSign)
	header.Set("SdkAppId", "1400000000")
	event, err := webhook.TRTC.Read(webhook.Request{Header: header, Body: []byte(trtcBody)}, app, time.Time{})
	if event != nil || err != nil {
		t.Errorf("%v, %v: want an acknowledgement", event, err)
	}
	if _, err := webhook.TRTC.Read(webhook.Request{Header: header, Body: []byte(strings.ReplaceAll(trtcBody, "\t", " "))}, app, time.Time{}); !errors.Is(err, giftstats.CodeUnauthenticated) {
		t.Errorf("with other white space: %v", err)
	}
}

// Everything that ends no stream is acknowledged.
func TestAcknowledged(t *testing.T) {
	ended := `{"event_type":0,"stream_id":"s","t":1703732078,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`
	noCSS := app
	noCSS.CSSEndsStream = false
	for _, test := range []struct {
		name    string
		kind    webhook.Kind
		app     webhook.App
		request webhook.Request
	}{
		{name: "gift about to be sent", kind: webhook.Live, app: app, request: live("Live.CallbackBeforeSendGift", `{"GiftWater":{}}`)},
		{name: "a command nobody knows", kind: webhook.Live, app: app, request: live("Live.SomethingNew", "no JSON at all")},
		{name: "command in the body only", kind: webhook.Live, app: app, request: live("", `{"CallbackCommand":"Live.CallbackAfterCreateRoom"}`)},
		{name: "TRTC room created", kind: webhook.TRTC, app: app, request: trtc(`{"EventGroupId":1,"EventType":101,"EventInfo":{"RoomId":1}}`)},
		{name: "TRTC media group", kind: webhook.TRTC, app: app, request: trtc(`{"EventGroupId":2,"EventType":102}`)},
		{name: "CSS push begun", kind: webhook.CSS, app: app, request: css(strings.Replace(ended, `"event_type":0`, `"event_type":1`, 1))},
		{name: "CSS of no type", kind: webhook.CSS, app: app, request: css(strings.Replace(ended, `"event_type":0,`, ``, 1))},
		{name: "CSS push ended, but that is no end", kind: webhook.CSS, app: noCSS, request: css(ended)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if event, err := test.kind.Read(test.request, test.app, time.Unix(map[string]int64{"live": liveTime, "css": cssUntil}[test.kind.Name], 0)); event != nil || err != nil {
				t.Errorf("%+v, %v", event, err)
			}
		})
	}
}

func TestDialects(t *testing.T) {
	const body = `{"CallbackCommand":"Live.CallbackAfterDestroyRoom","RoomId":"r","EventTime":1}`
	for name, change := range map[string]func(url.Values){
		"WebhookCommand":      func(q url.Values) { q["WebhookCommand"] = q["CallbackCommand"]; delete(q, "CallbackCommand") },
		"command in the body": func(q url.Values) { delete(q, "CallbackCommand") },
		"other spelling": func(q url.Values) {
			for _, name := range []string{"SdkAppid", "CallbackCommand", "RequestTime", "Sign"} {
				q[strings.ToLower(name)] = q[name]
				delete(q, name)
			}
		},
		"SdkAppId":              func(q url.Values) { q["SdkAppId"] = q["SdkAppid"]; delete(q, "SdkAppid") },
		"signature in capitals": func(q url.Values) { q.Set("Sign", strings.ToUpper(liveSign)) },
		"the dialect of 2023":   func(q url.Values) { delete(q, "CallbackCommand"); q.Set("command", "destroyRoom") },
	} {
		t.Run(name, func(t *testing.T) {
			request := live("Live.CallbackAfterDestroyRoom", body)
			change(request.Query)
			if event, err := webhook.Live.Read(request, app, time.Unix(liveTime, 0)); err != nil || event == nil || event.RoomID != "r" {
				t.Errorf("%v, %v", event, err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const ended = `{"RoomId":"r","EventTime":1}`
	liveBut := func(change func(url.Values)) webhook.Request {
		request := live("Live.CallbackAfterDestroyRoom", ended)
		change(request.Query)
		return request
	}
	trtcBut := func(change func(http.Header)) webhook.Request {
		request := trtc(`{"EventGroupId":1,"EventType":102,"EventInfo":{"RoomId":1}}`)
		change(request.Header)
		return request
	}
	liveBody := func(body string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", body) }
	signedCSS := func(fields string) webhook.Request {
		return css(`{` + fields + `"t":1703732078,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`)
	}
	bare := webhook.App{SDKAppID: app.SDKAppID}
	for _, test := range []struct {
		name    string
		kind    webhook.Kind
		app     webhook.App
		request webhook.Request
		late    time.Duration
		want    giftstats.Code
	}{
		{name: "live without a token", kind: webhook.Live, app: bare, request: liveBody(ended), want: "not_found"},
		{
			name:    "live without a signature",
			kind:    webhook.Live,
			app:     app,
			request: liveBut(func(q url.Values) { q.Del("Sign") }),
			want:    "unauthenticated",
		},
		{
			name:    "live without a time",
			kind:    webhook.Live,
			app:     app,
			request: liveBut(func(q url.Values) { q.Del("RequestTime") }),
			want:    "unauthenticated",
		},
		{
			name:    "live with another signature",
			kind:    webhook.Live,
			app:     app,
			request: liveBut(func(q url.Values) { q.Set("Sign", strings.Repeat("0", 64)) }),
			want:    "unauthenticated",
		},
		{
			name:    "live with another time",
			kind:    webhook.Live,
			app:     app,
			request: liveBut(func(q url.Values) { q.Set("RequestTime", fmt.Sprint(liveTime+1)) }),
			want:    "unauthenticated",
		},
		{name: "live too late", kind: webhook.Live, app: app, request: liveBody(ended), late: time.Minute + time.Second, want: "unauthenticated"},
		{
			name:    "live too early",
			kind:    webhook.Live,
			app:     app,
			request: liveBody(ended),
			late:    -time.Minute - time.Second,
			want:    "unauthenticated",
		},
		{
			name:    "live of another app",
			kind:    webhook.Live,
			app:     app,
			request: liveBut(func(q url.Values) { q.Set("SdkAppid", "1400000001") }),
			want:    "forbidden",
		},
		{name: "live of no app", kind: webhook.Live, app: app, request: liveBut(func(q url.Values) { q.Del("SdkAppid") }), want: "forbidden"},
		{name: "live without JSON", kind: webhook.Live, app: app, request: liveBody("room"), want: "invalid_request"},
		{name: "live without a room", kind: webhook.Live, app: app, request: liveBody(`{"EventTime":1}`), want: "invalid_request"},
		{name: "live with a room that is no id", kind: webhook.Live, app: app, request: liveBody(`{"RoomId":{}}`), want: "invalid_request"},
		{
			name:    "live with a time that is none",
			kind:    webhook.Live,
			app:     app,
			request: liveBody(`{"RoomId":"r","EventTime":"soon"}`),
			want:    "invalid_request",
		},
		{
			name:    "live with an owner that is no account",
			kind:    webhook.Live,
			app:     app,
			request: liveBody(`{"RoomId":"r","RoomInfo":{"Owner_Account":1.5}}`),
			want:    "invalid_request",
		},
		{
			name:    "live with an owner that is too long",
			kind:    webhook.Live,
			app:     app,
			request: liveBody(`{"RoomId":"r","RoomInfo":{"Owner_Account":"` + strings.Repeat("x", 33) + `"}}`),
			want:    "invalid_request",
		},
		{name: "TRTC without a key", kind: webhook.TRTC, app: bare, request: trtc("{}"), want: "not_found"},
		{
			name:    "TRTC without a signature",
			kind:    webhook.TRTC,
			app:     app,
			request: trtcBut(func(h http.Header) { h.Del("Sign") }),
			want:    "unauthenticated",
		},
		{
			name:    "TRTC of another app",
			kind:    webhook.TRTC,
			app:     app,
			request: trtcBut(func(h http.Header) { h.Set("SdkAppId", "1") }),
			want:    "forbidden",
		},
		{name: "TRTC without JSON", kind: webhook.TRTC, app: app, request: trtc("x"), want: "invalid_request"},
		{name: "TRTC without a room", kind: webhook.TRTC, app: app, request: trtc(`{"EventGroupId":1,"EventType":102}`), want: "invalid_request"},
		{name: "CSS without a key", kind: webhook.CSS, app: bare, request: signedCSS(""), want: "not_found"},
		{name: "CSS without a signature", kind: webhook.CSS, app: app, request: css(`{"event_type":0}`), want: "unauthenticated"},
		{name: "CSS without JSON", kind: webhook.CSS, app: app, request: css("x"), want: "unauthenticated"},
		{
			name:    "CSS with another signature",
			kind:    webhook.CSS,
			app:     app,
			request: css(`{"t":1703732079,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`),
			want:    "unauthenticated",
		},
		{name: "CSS too late", kind: webhook.CSS, app: app, request: signedCSS(""), late: time.Second, want: "unauthenticated"},
		{name: "CSS without a stream", kind: webhook.CSS, app: app, request: signedCSS(`"event_type":0,`), want: "invalid_request"},
		{name: "CSS of the wrong type", kind: webhook.CSS, app: app, request: signedCSS(`"event_type":[],`), want: "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := time.Unix(map[string]int64{"live": liveTime, "css": cssUntil}[test.kind.Name], 0).Add(test.late)
			event, err := test.kind.Read(test.request, test.app, now)
			if event != nil || !errors.Is(err, test.want) {
				t.Errorf("%+v, %v; want %s", event, err, test.want)
			}
			for _, key := range []string{liveToken, trtcKey, cssKey} {
				if err != nil && strings.Contains(err.Error(), key) {
					t.Errorf("a key is in the error: %v", err)
				}
			}
		})
	}
	t.Run("CSS signature that was made for a time that is none", func(t *testing.T) {
		digest := md5.Sum([]byte(cssKey + "soon"))
		if _, err := webhook.CSS.Read(css(`{"t":"soon","sign":"`+hex.EncodeToString(digest[:])+`"}`), app, time.Unix(0, 0)); !errors.Is(err, giftstats.CodeUnauthenticated) {
			t.Errorf("%v", err)
		}
	})
}

func ExampleKind() {
	event, err := webhook.Live.Read(live("Live.CallbackAfterDestroyRoom", `{"RoomId":"room_id","EventTime":1669872112000,"RoomInfo":{"Owner_Account":"user1"}}`), app, time.Unix(liveTime, 0))
	fmt.Println(event.RoomID, event.Accounts, event.EndedAt.Format(time.RFC3339), err)
	// Output: room_id [user1] 2022-12-01T05:21:52Z <nil>
}

func FuzzLive(f *testing.F) {
	fuzz(f, webhook.Live, liveTime, func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) })
}
func FuzzTRTC(f *testing.F) { fuzz(f, webhook.TRTC, 0, trtc) }
func FuzzCSS(f *testing.F)  { fuzz(f, webhook.CSS, cssUntil, css) }

func fuzz(f *testing.F, kind webhook.Kind, now int64, request func(string) webhook.Request) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if body, err := os.ReadFile("testdata/" + file.Name()); err == nil && !file.IsDir() {
			f.Add(string(body))
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		event, err := kind.Read(request(body), app, time.Unix(now, 0))
		if event != nil && (err != nil || giftstats.ValidateRoomID(event.RoomID) != nil || event.EventID == "") {
			t.Fatalf("%+v, %v", event, err)
		}
	})
}
