package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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
	trtcBody  = "{\n\t\"EventGroupId\":\t2,\n\t\"EventType\":\t204,\n\t\"CallbackTs\":\t1664209748188,\n\t\"EventInfo\":\t{\n" +
		"\t\t\"RoomId\":\t8489,\n\t\t\"EventTs\":\t1664209748,\n\t\t\"EventMsTs\":\t1664209748180,\n" +
		"\t\t\"UserId\":\t\"user_85034614\",\n\t\t\"Reason\":\t0\n\t}\n}"
	trtcSign = "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA="
	trtcSent = 1687679098488 // the CallbackTs in testdata
	cssKey   = "somekey"
	cssUntil = 1703732078
)

var app = webhook.App{
	SDKAppID:      1400000000,
	Keys:          secret.WebhookKeys{LiveToken: secret.Redact(liveToken), TRTCKey: secret.Redact(trtcKey), CSSKey: secret.Redact(cssKey)},
	CSSEndsStream: true,
}

// live returns a webhook with the documented signature.
func live(command, body string) webhook.Request {
	return webhook.Request{Body: []byte(body), Query: url.Values{
		"SdkAppid":        {"1400000000"},
		"CallbackCommand": {command},
		"contenttype":     {"json"},
		"ClientIP":        {"192.0.2.1"},
		"OptPlatform":     {"RESTAPI"},
		"RequestTime":     {fmt.Sprint(liveTime)},
		"Sign":            {liveSign},
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

// signedAt returns the time at which the webhooks of a kind are signed here, or until which their signature is valid.
func signedAt(kind webhook.Kind) time.Time {
	switch kind.Name {
	case webhook.Live.Name:
		return time.Unix(liveTime, 0)
	case webhook.CSS.Name:
		return time.Unix(cssUntil, 0)
	default:
		return time.UnixMilli(trtcSent)
	}
}

func liveEnd(body string) webhook.Request { return live("Live.CallbackAfterDestroyRoom", body) }

var id = regexp.MustCompile(`-[0-9a-f]{32}"`)

func TestGolden(t *testing.T) {
	for _, test := range []struct {
		file    string
		kind    webhook.Kind
		request func(body string) webhook.Request
	}{
		{file: "live-full", kind: webhook.Live, request: liveEnd},
		{file: "live-2024", kind: webhook.Live, request: liveEnd},
		{file: "live-number-owner", kind: webhook.Live, request: liveEnd},
		{
			file:    "conference",
			kind:    webhook.Live,
			request: func(b string) webhook.Request { return live("Room.CallbackAfterDestroyRoom", b) },
		},
		{file: "trtc-102", kind: webhook.TRTC, request: trtc},
		{file: "trtc-102-string", kind: webhook.TRTC, request: trtc},
		{file: "css-0", kind: webhook.CSS, request: css},
		{file: "css-0-strings", kind: webhook.CSS, request: css},
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
			read := func(body []byte) (*streamend.Event, error) {
				notice, err := test.kind.Read(test.request(string(body)), app, signedAt(test.kind))
				return notice.Ended, err
			}
			event, err := read(body)
			if err != nil || event == nil {
				t.Fatalf("got %v, %v, want an event", event, err)
			}
			encoded, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			if got := id.ReplaceAllString(string(encoded), `-ID"`); got != strings.TrimSpace(string(want)) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			repeated, err := read(body)
			if err != nil || repeated.EventID != event.EventID {
				t.Errorf("the same webhook, received twice, has two ids: %v", err)
			}
			parsed, err := streamend.Parse(encoded, "")
			if err != nil || parsed.EventID != event.EventID || parsed.RoomID != event.RoomID {
				t.Errorf("parsed from a queue, the event is %v, %v, want %v", parsed, err, event)
			}
			// A truncated body must never be an event, and never cause a panic.
			for cut := range body[:len(body)-2] {
				if event, err := read(body[:cut]); event != nil && err == nil {
					t.Errorf("truncated after %d bytes, it is still an event: %+v", cut, event)
				}
			}
		})
	}
}

func TestEventIDs(t *testing.T) {
	read := func(body string) string {
		notice, err := webhook.Live.Read(liveEnd(body), app, signedAt(webhook.Live))
		if err != nil {
			t.Fatal(err)
		}
		return notice.Ended.EventID
	}
	first := read(`{"RoomId":"r","EventTime":1669872111001}`)
	if read(`{"RoomId":"r","EventTime":1669872111001,"EventType":"DestroyByUser","Statistic":{}}`) != first {
		t.Error("a replay with another body has another id")
	}
	for _, other := range []string{`{"RoomId":"r","EventTime":1669872111002}`, `{"RoomId":"s","EventTime":1669872111001}`} {
		if read(other) == first {
			t.Errorf("%s has the same id as another end", other)
		}
	}
}

func TestDocumentedTRTCVector(t *testing.T) {
	header := http.Header{}
	header.Set("Sign", trtcSign)
	header.Set("SdkAppId", "1400000000")
	notice, err := webhook.TRTC.Read(webhook.Request{Header: header, Body: []byte(trtcBody)}, app, time.UnixMilli(1664209748188))
	if notice != (webhook.Notice{}) || err != nil {
		t.Errorf("got %+v, %v, want neither a notice nor an error", notice, err)
	}
	reformatted := []byte(strings.ReplaceAll(trtcBody, "\t", " "))
	_, err = webhook.TRTC.Read(webhook.Request{Header: header, Body: reformatted}, app, time.UnixMilli(1664209748188))
	if !errors.Is(err, giftstats.CodeUnauthenticated) {
		t.Errorf("with other white space: error %v, want %s", err, giftstats.CodeUnauthenticated)
	}
}

// A webhook that does not report the end of a stream is accepted and ignored.
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
		{name: "unknown command", kind: webhook.Live, app: app, request: live("Live.SomethingNew", "not JSON")},
		{
			name: "command in the body only", kind: webhook.Live, app: app,
			request: live("", `{"CallbackCommand":"Live.CallbackAfterStartBattle"}`),
		},
		{name: "TRTC room created", kind: webhook.TRTC, app: app, request: trtc(`{"EventGroupId":1,"EventType":101,"EventInfo":{"RoomId":1}}`)},
		{name: "TRTC media group", kind: webhook.TRTC, app: app, request: trtc(`{"EventGroupId":2,"EventType":102}`)},
		{name: "CSS push started", kind: webhook.CSS, app: app, request: css(strings.Replace(ended, `"event_type":0`, `"event_type":1`, 1))},
		{name: "CSS without a type", kind: webhook.CSS, app: app, request: css(strings.Replace(ended, `"event_type":0,`, ``, 1))},
		{name: "CSS push ended, but that does not end a stream", kind: webhook.CSS, app: noCSS, request: css(ended)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if notice, err := test.kind.Read(test.request, test.app, signedAt(test.kind)); notice != (webhook.Notice{}) || err != nil {
				t.Errorf("got %+v, %v, want neither a notice nor an error", notice, err)
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
		"the names of 2023":     func(q url.Values) { delete(q, "CallbackCommand"); q.Set("command", "destroyRoom") },
	} {
		t.Run(name, func(t *testing.T) {
			request := liveEnd(body)
			change(request.Query)
			notice, err := webhook.Live.Read(request, app, signedAt(webhook.Live))
			if err != nil || notice.Ended == nil || notice.Ended.RoomID != "r" {
				t.Errorf("got %+v, %v, want the end of room r", notice, err)
			}
		})
	}
}

func ExampleKind() {
	body := `{"RoomId":"room_id","EventTime":1669872112000,"RoomInfo":{"Owner_Account":"user1"}}`
	notice, err := webhook.Live.Read(liveEnd(body), app, time.Unix(liveTime, 0))
	event := notice.Ended
	fmt.Println(event.RoomID, event.Accounts, event.EndedAt.Format(time.RFC3339), err)
	// Output: room_id [user1] 2022-12-01T05:21:52Z <nil>
}

func FuzzLive(f *testing.F) { fuzz(f, webhook.Live, liveEnd) }
func FuzzTRTC(f *testing.F) { fuzz(f, webhook.TRTC, trtc) }
func FuzzCSS(f *testing.F)  { fuzz(f, webhook.CSS, css) }

func fuzz(f *testing.F, kind webhook.Kind, request func(string) webhook.Request) {
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
		notice, err := kind.Read(request(body), app, signedAt(kind))
		event := notice.Ended
		if event == nil {
			return
		}
		if err != nil {
			t.Fatalf("both the event %+v and the error %v", event, err)
		}
		encoded, err := json.Marshal(event)
		if err != nil {
			t.Fatalf("the event cannot be queued: %v", err)
		}
		if _, err := streamend.Parse(encoded, ""); err != nil {
			t.Fatalf("the event is accepted, but cannot be processed: %v", err)
		}
	})
}
