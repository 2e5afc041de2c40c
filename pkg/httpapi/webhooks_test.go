package httpapi_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// webhookCall calls the webhook of kind without an API key.
func webhookCall(kind, query, body string, header map[string]string) call {
	header = maps.Clone(header)
	if header == nil {
		header = map[string]string{}
	}
	header["Authorization"] = ""
	return call{method: http.MethodPost, target: "/v1/webhooks/" + kind + query, body: body, header: header}
}

// live returns a signed webhook of a command.
func live(command, body string) call {
	at := time.Now().Unix()
	digest := sha256.Sum256(fmt.Appendf(nil, "xxxxyyyy%d", at))
	query := fmt.Sprintf("?SdkAppid=1400000000&CallbackCommand=%s&contenttype=json&RequestTime=%d&Sign=%x", command, at, digest)
	return webhookCall("live", query, body, nil)
}

func trtc(body string) call {
	mac := hmac.New(sha256.New, []byte("123654"))
	io.WriteString(mac, body)
	return webhookCall("trtc", "", body, map[string]string{
		"Sign": base64.StdEncoding.EncodeToString(mac.Sum(nil)), "SdkAppId": "1400000000", "Content-Type": "application/json",
	})
}

// css returns a signed webhook with fields, which are members of a JSON object.
func css(fields string) call {
	until := time.Now().Add(time.Minute).Unix()
	digest := md5.Sum(fmt.Appendf(nil, "somekey%d", until))
	return webhookCall("css", "", fmt.Sprintf(`{%s,"t":%d,"sign":"%x"}`, fields, until, digest), nil)
}

const dissolved = `{"CallbackCommand":"Live.CallbackAfterDestroyRoom","RoomId":"r","EventTime":1700000000000}`

func TestWebhooks(t *testing.T) {
	contract := openAPI(t)
	const liveAck, codeAck = `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, `{"code":0}`
	for _, test := range []struct {
		name  string
		call  call
		reply string
		rooms string // whose streams ended
	}{
		{name: "live room dissolved", call: live("Live.CallbackAfterDestroyRoom", dissolved), reply: liveAck, rooms: "r"},
		{name: "conference room dissolved", call: live("Room.CallbackAfterDestroyRoom", dissolved), reply: liveAck, rooms: "r"},
		{name: "gift about to be sent", call: live("Live.CallbackBeforeSendGift", "not even JSON"), reply: liveAck},
		{
			name: "TRTC room dismissed", reply: codeAck, rooms: "12345",
			call: trtc(`{"EventGroupId":1,"EventType":102,"EventInfo":{"RoomId":12345,"EventMsTs":1700000000000}}`),
		},
		{name: "TRTC user left", call: trtc(`{"EventGroupId":1,"EventType":104,"EventInfo":{"RoomId":12345}}`), reply: codeAck},
		{name: "CSS push interrupted", call: css(`"event_type":0,"stream_id":"s","sequence":"7"`), reply: codeAck, rooms: "s"},
		{name: "CSS push started", call: css(`"event_type":1,"stream_id":"s"`), reply: codeAck},
	} {
		t.Run(test.name, func(t *testing.T) {
			var rooms []string
			h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
				c.CSSEndsStream = true
				c.StreamEnded = func(_ context.Context, event streamend.Event) ([]byte, error) {
					rooms = append(rooms, event.RoomID)
					return nil, nil
				}
			})
			response := send(h, test.call)
			if response.Code != 200 || response.Body.String() != test.reply {
				t.Errorf("%d %s, want %s", response.Code, response.Body, test.reply)
			}
			if got := strings.Join(rooms, " "); got != test.rooms {
				t.Errorf("streams of %q ended, want %q", got, test.rooms)
			}
			contract.check(t, test.call.request(), response)
		})
	}
}

func TestWebhookRefusals(t *testing.T) {
	contract := openAPI(t)
	end := live("Live.CallbackAfterDestroyRoom", dissolved)
	wrongSignature, otherApp := end, end
	wrongSignature.target = strings.Replace(end.target, "&Sign=", "&Sign=00", 1)
	otherApp.target = strings.Replace(end.target, "1400000000", "1", 1)
	for _, test := range []struct {
		name  string
		call  call
		ended error // of StreamEnded
		code  giftstats.Code
	}{
		{name: "wrong signature", call: wrongSignature, code: giftstats.CodeUnauthenticated},
		{name: "another app", call: otherApp, code: giftstats.CodeForbidden},
		{name: "malformed", call: live("Live.CallbackAfterDestroyRoom", "{"), code: giftstats.CodeInvalidRequest},
		{name: "too large", call: trtc(strings.Repeat(" ", 1<<20+1)), code: giftstats.CodePayloadTooLarge},
		{name: "not queued", call: end, ended: errors.New("queue is down"), code: giftstats.CodeUpstreamUnavailable},
		{
			name: "not delivered", call: end, ended: permanent.Error(errors.New("410 Gone")),
			code: giftstats.CodeUpstreamUnavailable,
		},
		{
			name: "secret no longer available", call: end, ended: giftstats.Errorf(giftstats.CodeSecretUnavailable, "down"),
			code: giftstats.CodeSecretUnavailable,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := newHandler(t, engine{}, document, &log, func(c *httpapi.Config) {
				c.StreamEnded = func(context.Context, streamend.Event) ([]byte, error) { return nil, test.ended }
			})
			response := send(h, test.call)
			if got := problemIn(t, response); got.Code != test.code {
				t.Errorf("code %s, want %s", got.Code, test.code)
			}
			if test.ended != nil && response.Code != 503 {
				t.Errorf("status %d, want 503, so that Tencent sends the webhook again", response.Code)
			}
			if test.ended != nil && !strings.Contains(log.String(), test.ended.Error()) {
				t.Errorf("the log does not have the cause: %s", log.String())
			}
			contract.check(t, test.call.request(), response)
		})
	}
}

func TestWebhookWithoutKey(t *testing.T) {
	noKeys := func() ([]byte, error) { return []byte(`{"sdk_app_id":1400000000,"admin":"a","secret_key":"k"}`), nil }
	h := newHandler(t, engine{}, noKeys, io.Discard, nil)
	for kind, key := range map[string]string{"live": "live_token", "trtc": "trtc_key", "css": "css_key"} {
		got := problemIn(t, send(h, webhookCall(kind, "", "{}", nil)))
		if got.Code != giftstats.CodeNotFound {
			t.Errorf("%s: code %s, want not_found", kind, got.Code)
		}
		if want := "add webhook." + key + " to the secret document"; !strings.Contains(got.Detail, want) {
			t.Errorf("%s: detail %q, want %q in it", kind, got.Detail, want)
		}
	}
}
