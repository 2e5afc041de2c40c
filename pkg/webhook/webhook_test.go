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
	Keys:          secret.WebhookKeys{LiveToken: secret.NewText(liveToken), TRTCKey: secret.NewText(trtcKey), CSSKey: secret.NewText(cssKey)},
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
		{"live-full", webhook.Live, liveTime, func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) }},
		{"live-2024", webhook.Live, liveTime, func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) }},
		{"live-number-owner", webhook.Live, liveTime, func(b string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", b) }},
		{"conference", webhook.Live, liveTime, func(b string) webhook.Request { return live("Room.CallbackAfterDestroyRoom", b) }},
		{"trtc-102", webhook.TRTC, 0, trtc},
		{"trtc-102-string", webhook.TRTC, 0, trtc},
		{"css-0", webhook.CSS, cssUntil, css},
		{"css-0-strings", webhook.CSS, cssUntil, css},
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
		{"gift about to be sent", webhook.Live, app, live("Live.CallbackBeforeSendGift", `{"GiftWater":{}}`)},
		{"a command nobody knows", webhook.Live, app, live("Live.SomethingNew", "no JSON at all")},
		{"command in the body only", webhook.Live, app, live("", `{"CallbackCommand":"Live.CallbackAfterCreateRoom"}`)},
		{"TRTC room created", webhook.TRTC, app, trtc(`{"EventGroupId":1,"EventType":101,"EventInfo":{"RoomId":1}}`)},
		{"TRTC media group", webhook.TRTC, app, trtc(`{"EventGroupId":2,"EventType":102}`)},
		{"CSS push begun", webhook.CSS, app, css(strings.Replace(ended, `"event_type":0`, `"event_type":1`, 1))},
		{"CSS of no type", webhook.CSS, app, css(strings.Replace(ended, `"event_type":0,`, ``, 1))},
		{"CSS push ended, but that is no end", webhook.CSS, noCSS, css(ended)},
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
		{"live without a token", webhook.Live, bare, liveBody(ended), 0, "not_found"},
		{"live without a signature", webhook.Live, app, liveBut(func(q url.Values) { q.Del("Sign") }), 0, "unauthenticated"},
		{"live without a time", webhook.Live, app, liveBut(func(q url.Values) { q.Del("RequestTime") }), 0, "unauthenticated"},
		{"live with another signature", webhook.Live, app, liveBut(func(q url.Values) { q.Set("Sign", strings.Repeat("0", 64)) }), 0, "unauthenticated"},
		{"live with another time", webhook.Live, app, liveBut(func(q url.Values) { q.Set("RequestTime", fmt.Sprint(liveTime+1)) }), 0, "unauthenticated"},
		{"live too late", webhook.Live, app, liveBody(ended), time.Minute + time.Second, "unauthenticated"},
		{"live too early", webhook.Live, app, liveBody(ended), -time.Minute - time.Second, "unauthenticated"},
		{"live of another app", webhook.Live, app, liveBut(func(q url.Values) { q.Set("SdkAppid", "1400000001") }), 0, "forbidden"},
		{"live of no app", webhook.Live, app, liveBut(func(q url.Values) { q.Del("SdkAppid") }), 0, "forbidden"},
		{"live without JSON", webhook.Live, app, liveBody("room"), 0, "invalid_request"},
		{"live without a room", webhook.Live, app, liveBody(`{"EventTime":1}`), 0, "invalid_request"},
		{"live with a room that is no id", webhook.Live, app, liveBody(`{"RoomId":{}}`), 0, "invalid_request"},
		{"live with a time that is none", webhook.Live, app, liveBody(`{"RoomId":"r","EventTime":"soon"}`), 0, "invalid_request"},
		{"live with an owner that is no account", webhook.Live, app, liveBody(`{"RoomId":"r","RoomInfo":{"Owner_Account":1.5}}`), 0, "invalid_request"},
		{"live with an owner that is too long", webhook.Live, app, liveBody(`{"RoomId":"r","RoomInfo":{"Owner_Account":"` + strings.Repeat("x", 33) + `"}}`), 0, "invalid_request"},
		{"TRTC without a key", webhook.TRTC, bare, trtc("{}"), 0, "not_found"},
		{"TRTC without a signature", webhook.TRTC, app, trtcBut(func(h http.Header) { h.Del("Sign") }), 0, "unauthenticated"},
		{"TRTC of another app", webhook.TRTC, app, trtcBut(func(h http.Header) { h.Set("SdkAppId", "1") }), 0, "forbidden"},
		{"TRTC without JSON", webhook.TRTC, app, trtc("x"), 0, "invalid_request"},
		{"TRTC without a room", webhook.TRTC, app, trtc(`{"EventGroupId":1,"EventType":102}`), 0, "invalid_request"},
		{"CSS without a key", webhook.CSS, bare, signedCSS(""), 0, "not_found"},
		{"CSS without a signature", webhook.CSS, app, css(`{"event_type":0}`), 0, "unauthenticated"},
		{"CSS without JSON", webhook.CSS, app, css("x"), 0, "unauthenticated"},
		{"CSS with another signature", webhook.CSS, app, css(`{"t":1703732079,"sign":"79b6e14d63fe571c2197fa44171a2b12"}`), 0, "unauthenticated"},
		{"CSS too late", webhook.CSS, app, signedCSS(""), time.Second, "unauthenticated"},
		{"CSS without a stream", webhook.CSS, app, signedCSS(`"event_type":0,`), 0, "invalid_request"},
		{"CSS of the wrong type", webhook.CSS, app, signedCSS(`"event_type":[],`), 0, "invalid_request"},
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
