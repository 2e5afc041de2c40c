package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/simulator/control"
)

// setup returns a handler over an engine, in which "show" is a room of alice.
func setup(t *testing.T) (*control.Handler, *simulator.Engine) {
	t.Helper()
	engine := newEngine(t)
	current := engine
	if err := engine.CreateRoom(simulator.RoomInfo{RoomID: "show", Owner: "alice", MaxSeatCount: 2}); err != nil {
		t.Fatal(err)
	}
	handler, err := control.New(control.Config{
		Engine:  func() *simulator.Engine { return current },
		Sweep:   func(context.Context) error { return errors.New("swept as told") },
		UserSig: func(account string) (string, error) { return "signature-of-" + account, nil },
		Reset:   func() error { current = newEngine(t); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler, engine
}

func newEngine(t *testing.T) *simulator.Engine {
	t.Helper()
	engine, err := simulator.New(simulator.Config{SDKAppID: 1, Admin: "administrator", SecretKey: "not-a-real-key"})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func send(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	return recorder
}

// compact removes the indentation of an answer.
func compact(t *testing.T, recorder *httptest.ResponseRecorder) string {
	t.Helper()
	var value json.RawMessage
	if err := json.Unmarshal(recorder.Body.Bytes(), &value); err != nil {
		t.Fatalf("the answer is not JSON: %v: %s", err, recorder.Body)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCommandsChangeTheRoom(t *testing.T) {
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		want                     string // in the answer
	}{
		{
			name: "create", method: "POST", path: "rooms", body: `{"room_id":"r","owner":"bob","name":"R","seats":3}`, status: 201,
			want: `{"room_id":"r","name":"R","owner":"bob",`,
		},
		{name: "list", method: "GET", path: "rooms", status: 200, want: `{"rooms":[{"room_id":"show",`},
		{name: "show", method: "GET", path: "rooms/show", status: 200, want: `"accounts":[],"seats":[]}`},
		{
			name: "gift", method: "POST", path: "rooms/show/gifts", status: 200,
			body: `{"gift_id":"car","count":2,"sender":"carol","receivers":["alice","bob"]}`,
			want: `"total_gifts_sent":4,"total_gift_coins":400,"total_unique_gift_senders":1,"total_likes_received":0,"total_messages":0,` +
				`"accounts":[{"account":"alice","total_count":2,"total_coins":200,"gift_sender_count":1},{"account":"bob",`,
		},
		{
			name: "one gift", method: "POST", path: "rooms/show/gifts", status: 200,
			body: `{"gift_id":"car","sender":"carol","receivers":["alice"]}`, want: `"total_gifts_sent":1,`,
		},
		{
			name: "likes", method: "POST", path: "rooms/show/likes", body: `{"account":"carol","count":7}`, status: 200,
			want: `"total_likes_received":7`,
		},
		{name: "viewer", method: "POST", path: "rooms/show/viewers", body: `{"account":"carol"}`, status: 200, want: `"total_viewers":1`},
		{name: "message", method: "POST", path: "rooms/show/messages", body: `{"account":"carol"}`, status: 200, want: `"total_messages":1`},
		{name: "owner", method: "POST", path: "rooms/show/owner", body: `{"account":"bob"}`, status: 200, want: `"owner":"bob"`},
		{
			name: "seat", method: "POST", path: "rooms/show/seats", body: `{"account":"bob","index":1}`, status: 200,
			want: `"seats":[{"index":1,"account":"bob"}]`,
		},
		{name: "end", method: "DELETE", path: "rooms/show", status: 200, want: `{"room_id":"show","total_gifts_sent":0,"total_gift_coins":0}`},
		{
			name: "fault", method: "POST", path: "faults", body: `{"command":"get_gift_count","error_code":60008,"times":3}`, status: 201,
			want: `{"command":"get_gift_count","error_code":60008,"times":3}`,
		},
		{
			name: "lost webhooks", method: "POST", path: "lost-webhooks", body: `{"webhook":"Live.CallbackAfterDestroyRoom","share":0.5}`,
			status: 201, want: `{"webhook":"Live.CallbackAfterDestroyRoom","share":0.5}`,
		},
		{name: "heal", method: "DELETE", path: "faults", status: 200, want: `{"status":"healthy"}`},
		{
			name: "usersig", method: "POST", path: "usersigs", body: `{"account":"bob"}`, status: 201,
			want: `{"account":"bob","authorization":"Basic Ym9iOnNpZ25hdHVyZS1vZi1ib2I=","usersig":"signature-of-bob"}`,
		},
		{name: "reset", method: "POST", path: "reset", status: 200, want: `{"status":"reset"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler, _ := setup(t)
			answer := send(handler, test.method, "/sandbox/"+test.path, test.body)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d: %s", answer.Code, test.status, answer.Body)
			}
			if got := compact(t, answer); !strings.Contains(got, test.want) {
				t.Errorf("answer %s, want %s in it", got, test.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		detail                   string
	}{
		{name: "no body", method: "POST", path: "rooms", status: 400, detail: "the body is empty; it must be a JSON object"},
		{
			name: "unknown field", method: "POST", path: "rooms", body: `{"room":"r"}`, status: 400,
			detail: `unknown field \"room\"; use room_id, owner, name, seats, public (names are case-sensitive)`,
		},
		{name: "no owner", method: "POST", path: "rooms", body: `{"room_id":"r"}`, status: 400, detail: "owner is missing or empty"},
		{
			name: "room exists", method: "POST", path: "rooms", body: `{"room_id":"show","owner":"bob"}`, status: 400,
			detail: "the room id is already used",
		},
		{
			name: "negative seats", method: "POST", path: "rooms", body: `{"room_id":"r","owner":"bob","seats":-1}`, status: 400,
			detail: "seats is -1; it must not be negative",
		},
		{
			name: "no such room", method: "GET", path: "rooms/no", status: 404,
			detail: "the room does not exist, or has ended; create it with POST /sandbox/rooms",
		},
		{
			name: "no such gift", method: "POST", path: "rooms/show/gifts", status: 400,
			body:   `{"gift_id":"tank","sender":"carol","receivers":["alice"]}`,
			detail: `the gift \"tank\" is not in the catalogue; the gifts are car, rocket, rose`,
		},
		{
			name: "no receivers", method: "POST", path: "rooms/show/gifts", body: `{"gift_id":"rose","sender":"carol"}`, status: 400,
			detail: "receivers is empty",
		},
		{
			name: "long sender", method: "POST", path: "rooms/show/gifts", status: 400,
			body:   `{"gift_id":"rose","sender":"` + strings.Repeat("x", 33) + `","receivers":["alice"]}`,
			detail: "sender has 33 bytes, it must have 1 to 32",
		},
		{
			name: "no account", method: "POST", path: "rooms/show/viewers", body: `{}`, status: 400, detail: "account is missing or empty",
		},
		{
			name: "no seat", method: "DELETE", path: "rooms/show/seats/bob", status: 400, detail: `the account \"bob\" is on no seat`,
		},
		{
			name: "empty fault", method: "POST", path: "faults", body: `{"times":1}`, status: 400,
			detail: "say what goes wrong: give latency, error_code, status or reset",
		},
		{
			name: "unknown command", method: "POST", path: "faults", body: `{"command":"x","status":500}`, status: 400,
			detail: `command is \"x\"; leave it out for all calls, or use one of create_room, destroy_room, get_gift_count, get_room_info, ` +
				"get_room_list, get_room_stats, send_gift",
		},
		{
			name: "latency", method: "POST", path: "faults", body: `{"latency":"2"}`, status: 400,
			detail: `latency is \"2\"; it must be a duration like 500ms or 2s, at most a minute`,
		},
		{
			name: "status", method: "POST", path: "faults", body: `{"status":600}`, status: 400,
			detail: "status is 600; it must be 200 to 599",
		},
		{
			name: "info alone", method: "POST", path: "faults", body: `{"status":500,"error_info":"x"}`, status: 400,
			detail: "error_info needs error_code",
		},
		{
			name: "times", method: "POST", path: "faults", body: `{"reset":true,"times":0}`, status: 400,
			detail: "times is 0; it must be 1 or more",
		},
		{
			name: "share", method: "POST", path: "faults", body: `{"reset":true,"share":0}`, status: 400,
			detail: "share is 0; it must be above 0 and at most 1",
		},
		{
			name: "skip", method: "POST", path: "lost-webhooks", body: `{"skip":-1}`, status: 400,
			detail: "skip is -1; it must not be negative",
		},
		{
			name: "unknown webhook", method: "POST", path: "lost-webhooks", body: `{"webhook":"x"}`, status: 400,
			detail: `webhook is \"x\"; leave it out for all webhooks, or use one of Live.CallbackAfterCreateRoom, `,
		},
		{
			name: "unknown path", method: "GET", path: "room", status: 404,
			detail: "unknown path; docs/sandbox.md lists the paths under /sandbox/",
		},
		{
			name: "wrong method", method: "PUT", path: "rooms", status: 405, detail: `method \"PUT\" is not allowed; use GET or POST`,
		},
		{name: "sweep that fails", method: "POST", path: "sweep", status: 500, detail: "internal error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler, _ := setup(t)
			answer := send(handler, test.method, "/sandbox/"+test.path, test.body)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d: %s", answer.Code, test.status, answer.Body)
			}
			if got := answer.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q, want application/problem+json", got)
			}
			if !strings.Contains(answer.Body.String(), `"detail": "`+test.detail) {
				t.Errorf("answer %s, want the detail %s", answer.Body, test.detail)
			}
		})
	}
}

// A rule selects as many calls as it says, and they go wrong as it says.
func TestFaultsAreInForce(t *testing.T) {
	handler, engine := setup(t)
	if answer := send(handler, "POST", "/sandbox/faults", `{"status":503,"skip":1,"times":2}`); answer.Code != http.StatusCreated {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	for i, want := range []int{200, 503, 503, 200} {
		if got := send(engine, "POST", "/v4/live_engine_http_srv/get_gift_count", "{}").Code; got != want {
			t.Errorf("call %d: status %d, want %d", i+1, got, want)
		}
	}
	send(handler, "POST", "/sandbox/faults", `{"status":500,"share":1}`)
	for range 5 {
		if got := send(engine, "POST", "/v4/live_engine_http_srv/get_gift_count", "{}").Code; got != 500 {
			t.Fatalf("status %d, want 500 for every call", got)
		}
	}
	send(handler, "DELETE", "/sandbox/faults", "")
	if got := send(engine, "POST", "/v4/live_engine_http_srv/get_gift_count", "{}").Code; got != 200 {
		t.Errorf("status %d after the faults were removed, want 200", got)
	}
}

// A webhook that is lost is named in the answer that ends the room.
func TestLostWebhook(t *testing.T) {
	handler, engine := setup(t)
	if err := engine.SetWebhook("http://127.0.0.1:1", ""); err != nil {
		t.Fatal(err)
	}
	send(handler, "POST", "/sandbox/lost-webhooks", `{}`)
	answer := compact(t, send(handler, "DELETE", "/sandbox/rooms/show", ""))
	const want = `"webhook":{"command":"Live.CallbackAfterDestroyRoom","error":"simulator: the webhook was lost on its way"}`
	if !strings.Contains(answer, want) {
		t.Errorf("answer %s, want %s in it", answer, want)
	}
}

func TestResetForgetsEverything(t *testing.T) {
	handler, _ := setup(t)
	send(handler, "POST", "/sandbox/reset", "")
	if got := compact(t, send(handler, "GET", "/sandbox/rooms", "")); got != `{"rooms":[]}` {
		t.Errorf("rooms after a reset: %s", got)
	}
}

func TestNewNeedsEverything(t *testing.T) {
	if _, err := control.New(control.Config{}); err == nil {
		t.Error("a handler without an engine was created")
	}
}
