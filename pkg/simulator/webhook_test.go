package simulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// receiver is a customer's endpoint that keeps the last webhook.
type receiver struct {
	method, contentType, body string
	query                     url.Values
	status                    int
	reply                     string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.method, r.contentType, r.body, r.query = request.Method, request.Header.Get("Content-Type"), string(body), request.URL.Query()
	if r.status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(r.status)
	io.WriteString(w, r.reply)
}

const acknowledged = `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`

func (a *app) withReceiver(t *testing.T, path, token string) *receiver {
	t.Helper()
	r := &receiver{status: 200, reply: acknowledged}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	must(t, a.SetWebhook(server.URL+path, token))
	return r
}

func TestWebhook(t *testing.T) {
	a := newApp(t, func(c *simulator.Config) { c.Now = time.UnixMilli(1669872112345).Local })
	a.sig = sign(key, map[string]any{"TLS.time": 1669872112})
	r := a.withReceiver(t, "/hook?tenant=a%26b", "xxxxyyyy")
	must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "r", RoomName: "name", Owner: "144115216631667826", Category: []int64{4}}))
	must(t, a.EnterRoom("r", "fan1"))
	must(t, a.SendMessage("r", "fan1"))
	must(t, a.Like("r", "fan1", 2))
	must(t, a.SendGift(simulator.SentGift{RoomID: "r", GiftID: "car", Count: 3, Sender: "fan1", Receivers: []string{"user1"}}))
	a.call(t, "destroy_room", `{"RoomId":"r"}`).
		expect(t, `{"Statistic":{"TotalViewers":1,"TotalGiftsSent":3,"TotalGiftCoins":300,"TotalUniqueGiftSenders":1,"TotalLikesReceived":2}}`)

	if r.method != "POST" || r.contentType != "application/json" {
		t.Errorf("%s with %s", r.method, r.contentType)
	}
	// The signature is the one that https://trtc.io/document/64412 prints for this token and time.
	want := url.Values{
		"tenant": {"a&b"}, "SdkAppid": {"1400000000"}, "CallbackCommand": {"Live.CallbackAfterDestroyRoom"}, "contenttype": {"json"},
		"ClientIP": {"192.0.2.1"}, "OptPlatform": {"RESTAPI"}, "RequestTime": {"1669872112"},
		"Sign": {"17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"},
	}
	if r.query.Encode() != want.Encode() {
		t.Errorf("query\n got %s\nwant %s", r.query.Encode(), want.Encode())
	}
	const body = `{"CallbackCommand":"Live.CallbackAfterDestroyRoom","Operator_Account":"administrator","RoomId":"r",` +
		`"EventType":"DestroyByUser","EventTime":1669872112345,"RoomInfo":{"RoomId":"r","RoomName":"name","RoomType":"Live",` +
		`"Owner_Account":144115216631667826,"CoverURL":"","IsSeatEnabled":false,"TakeSeatMode":"FreeToTake","MaxSeatCount":0,` +
		`"MaxMemberCount":0,"IsMessageDisabled":false,"IsPublicVisible":false,"ActivityStatus":0,"ViewCount":1,` +
		`"Category":[4],"CustomInfo":"","BackgroundURL":"","IsUnlimitedRoomEnabled":false},` +
		`"Statistic":{"TotalViewers":1,"TotalGiftsSent":3,"TotalGiftCoins":300,"TotalUniqueGiftSenders":1,"TotalLikesReceived":2}}`
	if r.body != body {
		t.Errorf("body\n got %s\nwant %s", r.body, body)
	}
	outcome := simulator.WebhookOutcome{Command: simulator.AfterDestroyRoom, Status: 200, Body: acknowledged}
	if last := a.LastWebhook(); last == nil || *last != outcome {
		t.Errorf("LastWebhook = %+v", last)
	}
}

func TestWebhookOfTheMethod(t *testing.T) {
	a := newApp(t).withRoom(t)
	if a.LastWebhook() != nil {
		t.Error("a webhook before any room was dissolved")
	}
	r := a.withReceiver(t, "", "")
	r.status, r.reply = 503, strings.Repeat("x", 64<<10+1)
	dissolved, err := a.DestroyRoom(t.Context(), "room_id")
	must(t, err)
	got := dissolved.Webhook
	if got == nil || got != a.LastWebhook() {
		t.Fatalf("Webhook = %+v, LastWebhook = %+v", got, a.LastWebhook())
	}
	if got.Status != 503 || got.Err != nil {
		t.Errorf("Webhook: status %d, %v; want 503", got.Status, got.Err)
	}
	if len(got.Body) != 64<<10 {
		t.Errorf("Webhook: %d bytes of the body, want 64 KiB", len(got.Body))
	}
	if r.query.Has("Sign") || r.query.Has("RequestTime") || r.query.Get("ClientIP") != "127.0.0.1" {
		t.Errorf("without a token the query is %v", r.query)
	}
}

func TestWebhookIsNotRedirected(t *testing.T) {
	a := newApp(t).withRoom(t)
	a.withReceiver(t, "", "token").status = http.StatusFound
	dissolved, err := a.DestroyRoom(t.Context(), "room_id")
	if err != nil || dissolved.Webhook.Status != http.StatusFound {
		t.Errorf("%+v, %v", dissolved.Webhook, err)
	}
}

func TestNoWebhookForAFailedDestroy(t *testing.T) {
	a := newApp(t)
	r := a.withReceiver(t, "", "token")
	check(t, a.call(t, "destroy_room", `{"RoomId":"nowhere"}`), 100004, "")
	if r.method != "" || a.LastWebhook() != nil {
		t.Error("a webhook was sent")
	}
}

func TestSetWebhook(t *testing.T) {
	a := newApp(t).withRoom(t)
	r := a.withReceiver(t, "", "token")
	if a.SetWebhook("nonsense", "token") == nil {
		t.Error("nonsense was taken")
	}
	must(t, a.SetWebhook("", ""))
	dissolved, err := a.DestroyRoom(t.Context(), "room_id")
	if err != nil || dissolved.Webhook != nil || r.method != "" {
		t.Errorf("%+v, %v: want no webhook", dissolved, err)
	}
}

func TestWebhookFailureKeepsTheSignatureToItself(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	a := newApp(t, func(c *simulator.Config) { c.WebhookURL, c.WebhookToken = server.URL, "token" }).withRoom(t)
	check(t, a.call(t, "destroy_room", `{"RoomId":"room_id"}`), 0, "")
	last := a.LastWebhook()
	sign := sha256.Sum256([]byte(fmt.Sprint("token", start.Unix())))
	if last == nil || last.Err == nil || last.Status != 0 {
		t.Fatalf("LastWebhook = %+v, want an error", last)
	}
	if contains(last.Err.Error(), hex.EncodeToString(sign[:])) {
		t.Errorf("the error contains the signature: %v", last.Err)
	}
}

// silent is a transport to an endpoint that never answers.
type silent struct{}

func (silent) RoundTrip(request *http.Request) (*http.Response, error) {
	<-request.Context().Done()
	return nil, request.Context().Err()
}

func TestWebhookHasFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *simulator.Config) { c.Transport, c.WebhookURL = silent{}, "https://example.com/" }).withRoom(t)
		must(t, a.CreateRoom(simulator.RoomInfo{RoomID: "other"}))
		started := time.Now()
		check(t, a.call(t, "destroy_room", `{"RoomId":"room_id"}`), 0, "")
		if took := time.Since(started); took != 5*time.Second || !errors.Is(a.LastWebhook().Err, context.DeadlineExceeded) {
			t.Errorf("gave up after %v with %v", took, a.LastWebhook().Err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		started = time.Now()
		if dissolved, err := a.DestroyRoom(ctx, "other"); err != nil || dissolved.Webhook.Err == nil || time.Since(started) != time.Second {
			t.Errorf("%+v, %v after %v; want the deadline of the caller", dissolved.Webhook, err, time.Since(started))
		}
	})
}

func TestWebhookIsSentForACallerThatHasGone(t *testing.T) {
	a := newApp(t).withRoom(t)
	r := a.withReceiver(t, "", "token")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	target := "/v4/live_engine_http_srv/destroy_room?" + a.query(a.sig).Encode()
	request := httptest.NewRequest("POST", target, strings.NewReader(`{"RoomId":"room_id"}`))
	a.ServeHTTP(httptest.NewRecorder(), request.WithContext(ctx))
	if r.method != "POST" {
		t.Errorf("no webhook: %+v", a.LastWebhook())
	}
}

func ExampleEngine_DestroyRoom() {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Query().Get("CallbackCommand"))
		io.WriteString(w, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`)
	}))
	defer receiver.Close()
	engine, err := simulator.New(simulator.Config{
		SDKAppID: 1400000000, Admin: "administrator", SecretKey: "secret", WebhookURL: receiver.URL, WebhookToken: "token",
	})
	if err != nil {
		panic(err)
	}
	if err := engine.CreateRoom(simulator.RoomInfo{RoomID: "room_id"}); err != nil {
		panic(err)
	}
	dissolved, err := engine.DestroyRoom(context.Background(), "room_id")
	fmt.Println(dissolved.Statistic.TotalGiftCoins, dissolved.Webhook.Status, dissolved.Webhook.Body, err)
	// Output:
	// Live.CallbackAfterCreateRoom
	// Live.CallbackAfterDestroyRoom
	// 0 200 {"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0} <nil>
}
