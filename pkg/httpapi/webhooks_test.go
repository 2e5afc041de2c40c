package httpapi_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// live is a signed webhook of a command.
func live(command, body string) question {
	at := time.Now().Unix()
	digest := sha256.Sum256(fmt.Appendf(nil, "xxxxyyyy%d", at))
	return question{method: "POST", body: body, header: map[string]string{"Authorization": ""},
		target: fmt.Sprintf("/v1/webhooks/live?SdkAppid=1400000000&CallbackCommand=%s&contenttype=json&RequestTime=%d&Sign=%x", command, at, digest)}
}

func trtc(body string) question {
	mac := hmac.New(sha256.New, []byte("123654"))
	io.WriteString(mac, body)
	return question{method: "POST", target: "/v1/webhooks/trtc", body: body, header: map[string]string{
		"Authorization": "", "Sign": base64.StdEncoding.EncodeToString(mac.Sum(nil)), "SdkAppId": "1400000000", "Content-Type": "application/json",
	}}
}

func css(fields string) question {
	until := time.Now().Add(time.Minute).Unix()
	digest := md5.Sum(fmt.Appendf(nil, "somekey%d", until))
	return question{method: "POST", target: "/v1/webhooks/css", header: map[string]string{"Authorization": ""},
		body: fmt.Sprintf(`{%s,"t":%d,"sign":"%s"}`, fields, until, hex.EncodeToString(digest[:]))}
}

const ended = `{"CallbackCommand":"Live.CallbackAfterDestroyRoom","RoomId":"r","EventTime":1700000000000}`

func TestWebhooks(t *testing.T) {
	contract := openAPI(t)
	liveAck, codeAck := `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`, `{"code":0}`
	for _, test := range []struct {
		name string
		question
		reply string
		rooms string // whose streams have ended, by the handler's word
	}{
		{"live room dissolved", live("Live.CallbackAfterDestroyRoom", ended), liveAck, "r"},
		{"conference room dissolved", live("Room.CallbackAfterDestroyRoom", ended), liveAck, "r"},
		{"gift about to be sent", live("Live.CallbackBeforeSendGift", "not even JSON"), liveAck, ""},
		{"TRTC room dismissed", trtc(`{"EventGroupId":1,"EventType":102,"EventInfo":{"RoomId":12345,"EventMsTs":1700000000000}}`), codeAck, "12345"},
		{"TRTC user left", trtc(`{"EventGroupId":1,"EventType":104,"EventInfo":{"RoomId":12345}}`), codeAck, ""},
		{"CSS push interrupted", css(`"event_type":0,"stream_id":"s","sequence":"7"`), codeAck, "s"},
		{"CSS push begun", css(`"event_type":1,"stream_id":"s"`), codeAck, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var rooms []string
			h := newHandler(engine{}, document, io.Discard, func(c *httpapi.Config) {
				c.CSSEndsStream = true
				c.StreamEnded = func(_ context.Context, event streamend.Event) error {
					rooms = append(rooms, event.RoomID)
					return nil
				}
			})
			answer := ask(h, test.question)
			if answer.Code != 200 || answer.Body.String() != test.reply || strings.Join(rooms, " ") != test.rooms {
				t.Errorf("%d %s, rooms %v", answer.Code, answer.Body, rooms)
			}
			contract.check(t, test.request(), answer)
		})
	}
}

func TestWebhookRefusals(t *testing.T) {
	contract := openAPI(t)
	unsigned := live("Live.CallbackAfterDestroyRoom", ended)
	unsigned.target = strings.Replace(unsigned.target, "&Sign=", "&Sign=00", 1)
	large := trtc(strings.Repeat(" ", 1<<20+1))
	for _, test := range []struct {
		name string
		question
		ended  error
		status int
		code   giftstats.Code
	}{
		{"wrong signature", unsigned, nil, 401, "unauthenticated"},
		{"another app", question{method: "POST", target: strings.Replace(live("x", ended).target, "1400000000", "1", 1), body: ended}, nil, 403, "forbidden"},
		{"malformed", live("Live.CallbackAfterDestroyRoom", "{"), nil, 400, "invalid_request"},
		{"too large", large, nil, 413, "payload_too_large"},
		{"could not be queued", live("Live.CallbackAfterDestroyRoom", ended), errors.New("queue is down"), 503, "upstream_unavailable"},
		{"could not be delivered", live("Live.CallbackAfterDestroyRoom", ended), permanent.Error(errors.New("410 Gone")), 503, "upstream_unavailable"},
		{"secret gone meanwhile", live("Live.CallbackAfterDestroyRoom", ended), &giftstats.Error{Code: giftstats.CodeSecretUnavailable}, 503, "secret_unavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := newHandler(engine{}, document, &log, func(c *httpapi.Config) {
				c.StreamEnded = func(context.Context, streamend.Event) error { return test.ended }
			})
			answer := ask(h, test.question)
			if problem := problemOf(t, answer); answer.Code != test.status || problem.Code != test.code {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
			if test.ended != nil && !strings.Contains(log.String(), test.ended.Error()) {
				t.Errorf("the log does not say why: %s", log.String())
			}
			contract.check(t, test.request(), answer)
		})
	}
	t.Run("not configured", func(t *testing.T) {
		bare := func() ([]byte, error) { return []byte(`{"sdk_app_id":1400000000,"admin":"a","secret_key":"k"}`), nil }
		h := newHandler(engine{}, bare, io.Discard, nil)
		for _, kind := range []string{"live", "trtc", "css"} {
			answer := ask(h, question{method: http.MethodPost, target: "/v1/webhooks/" + kind, body: "{}"})
			if problem := problemOf(t, answer); problem.Code != giftstats.CodeNotFound {
				t.Errorf("%s: %s", kind, answer.Body)
			}
		}
	})
}
