package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// asSent makes get_gift_count count what an account sent, if the accounts are user1 and viewer: it exchanges their names.
func asSent(engine http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/get_gift_count") {
			body, _ := io.ReadAll(r.Body)
			exchanged := strings.NewReplacer("user1", "viewer", "viewer", "user1").Replace(string(body))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(exchanged)), int64(len(exchanged))
		}
		engine.ServeHTTP(w, r)
	})
}

func asReceived(engine http.Handler) http.Handler { return engine }

// person sends gifts from viewer to user1 when it is asked to, and then presses Enter.
type person struct {
	t      *testing.T
	engine *simulator.Engine
	sends  []simulator.SentGift
}

func (p person) Read(into []byte) (int, error) {
	for _, gift := range p.sends {
		if err := p.engine.SendGift(gift); err != nil {
			p.t.Error(err)
		}
	}
	return copy(into, "\n"), nil
}

func gift(from, to string) simulator.SentGift {
	return simulator.SentGift{RoomID: "room_id", GiftID: "coin", Count: 1, Sender: from, Receivers: []string{to}}
}

// begin returns an experiment with a gift from viewer to user1.
func begin(t *testing.T, reading func(http.Handler) http.Handler) (*experiment, *simulator.Engine, *bytes.Buffer) {
	t.Helper()
	engine, _ := fixture.Engine(t, nil)
	server := httptest.NewServer(reading(engine))
	t.Cleanup(server.Close)
	configure(t, server.URL, fixture.Document(fixture.SecretKey))
	var out bytes.Buffer
	e := &experiment{out: &out, in: strings.NewReader("")}
	if err := e.parse([]string{"-room", "room_id", "-from", "viewer", "-to", "user1"}); err != nil {
		t.Fatal(err)
	}
	var err error
	if e.app, err = open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e, engine, &out
}

// checkOutput checks that an output has all parts and nothing secret.
func checkOutput(t *testing.T, engine *simulator.Engine, output string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(output, part) {
			t.Errorf("the output lacks %q: %s", part, output)
		}
	}
	secrets := fixture.Secrets()
	for _, call := range engine.Calls() {
		secrets = append(secrets, call.Query.Get("usersig"))
	}
	for _, hidden := range secrets {
		if strings.Contains(output, hidden) {
			t.Errorf("the output contains %q: %s", hidden, output)
		}
	}
}

func TestWhoseGifts(t *testing.T) {
	for _, test := range []struct {
		name    string
		reading func(http.Handler) http.Handler
		sends   []simulator.SentGift // by a person; none: by send_gift
		right   bool
		want    []string
	}{
		{
			name: "receiver", reading: asReceived, sends: []simulator.SentGift{gift("viewer", "user1")}, right: true,
			want: []string{
				`Now send one gift from "viewer" to "user1" in the room "room_id"`, `RECEIVER: only the numbers of the receiver, "user1", changed`,
				"before the gift:\n  \"viewer\"                 gifts: 0, coins: 0\n  \"user1\"                  gifts: 1, coins: 1",
				"after the gift:\n  \"viewer\"                 gifts: 0, coins: 0\n  \"user1\"                  gifts: 2, coins: 2",
			},
		},
		{
			name: "sender", reading: asSent, sends: []simulator.SentGift{gift("viewer", "user1")},
			want: []string{`SENDER: only the numbers of the sender, "viewer", changed`, "Do not pay by them.", "GET /v1/room-stats"},
		},
		{name: "receiver, by send_gift", reading: asReceived, right: true, want: []string{"Sent one gift", "RECEIVER: "}},
		{name: "sender, by send_gift", reading: asSent, want: []string{"Sent one gift", "SENDER: "}},
		{
			name: "other gifts", reading: asReceived, sends: []simulator.SentGift{gift("viewer", "user1"), gift("user1", "viewer")},
			want: []string{"NOT SETTLED: the numbers of both accounts changed"},
		},
		{
			name: "no gift", reading: asReceived, sends: []simulator.SentGift{gift("viewer", "somebody")},
			want: []string{"NOT SETTLED: the numbers of neither account changed"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, engine, out := begin(t, test.reading)
			if e.in = (person{t, engine, test.sends}); test.sends == nil {
				e.gift.GiftID, e.yes = "coin", true
			}
			err := e.run(t.Context())
			if (err == nil) != test.right {
				t.Errorf("the error is %v", err)
			}
			checkOutput(t, engine, fmt.Sprint(out, err), test.want...)
		})
	}
}

// Tencent may count a gift after some seconds.
func TestGiftIsCountedLater(t *testing.T) {
	e, engine, out := begin(t, asReceived)
	const zeros = `{"ErrorCode":0,"Response":{"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}`
	const nothing = `{"ErrorCode":0,"Response":{"TotalCount":0,"TotalCoins":0,"GiftSenderCount":0}}`
	for range questions - 1 {
		engine.Misbehave(simulator.Fault{Command: "get_gift_count", Body: []byte(nothing)})
		engine.Misbehave(simulator.Fault{Command: "get_gift_count", Body: []byte(zeros)})
	}
	e.gift.GiftID, e.yes = "coin", true
	if err := e.run(t.Context()); err != nil {
		t.Error(err)
	}
	checkOutput(t, engine, out.String(), "RECEIVER: ")
}

// Nothing is sent unless a person agrees.
func TestSendingIsConfirmed(t *testing.T) {
	for _, test := range []struct {
		name     string
		terminal bool
		answer   string
		sends    bool
		want     string
	}{
		{name: "yes", terminal: true, answer: "y\n", sends: true, want: "It is a real gift"},
		{name: "no", terminal: true, answer: "n\n", want: "nothing was sent"},
		{name: "Enter", terminal: true, answer: "\n", want: "nothing was sent"},
		{name: "closed", terminal: true, want: "nothing was sent"},
		{name: "no terminal", answer: "y\n", want: "nothing was sent: run this on a terminal, or set YES=1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, engine, out := begin(t, asReceived)
			e.gift.GiftID, e.in, e.terminal = "coin", strings.NewReader(test.answer), test.terminal
			err := e.run(t.Context())
			if (err == nil) != test.sends {
				t.Errorf("the error is %v", err)
			}
			if got := engine.Count("send_gift"); (got == 1) != test.sends || got > 1 {
				t.Errorf("%d gifts were sent", got)
			}
			checkOutput(t, engine, fmt.Sprint(out, err), test.want)
		})
	}
}

func TestWhoseGiftsFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*experiment, *simulator.Engine)
		want   string
	}{
		{
			name: "room", want: `there is no live room "room_id": start one in your app, with "user1" as its host`,
			change: func(_ *experiment, engine *simulator.Engine) { engine.DestroyRoom(context.Background(), "room_id") },
		},
		{
			name: "key", want: "Wrong key: secret_key is not the key of this app.",
			change: func(_ *experiment, engine *simulator.Engine) { engine.SetSecretKey("another-not-real-key") },
		},
		{
			name: "account", want: `the app has no account "viewer"`,
			change: func(_ *experiment, engine *simulator.Engine) {
				engine.Misbehave(simulator.Fault{Code: 70107, Times: -1})
			},
		},
		{
			name: "gift", want: "Tencent did not accept the gift.\n  Tencent answered 102002: unknown gift",
			change: func(e *experiment, _ *simulator.Engine) { e.gift.GiftID, e.yes = "unknown", true },
		},
		{
			name: "lost answer", want: "It is not known whether the gift was sent.",
			change: func(e *experiment, engine *simulator.Engine) {
				e.gift.GiftID, e.yes = "coin", true
				engine.Misbehave(simulator.Fault{Command: "send_gift", Status: 502, Times: -1})
			},
		},
		{name: "no terminal", want: "no answer: run this on a terminal", change: func(*experiment, *simulator.Engine) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, engine, _ := begin(t, asReceived)
			test.change(e, engine)
			err := e.run(t.Context())
			checkOutput(t, engine, fmt.Sprint(err), test.want)
			if engine.Count("send_gift") > 1 {
				t.Error("the gift was sent more than once")
			}
		})
	}
}

// Ctrl-C ends the command while it waits for an answer.
func TestInterruptedQuestion(t *testing.T) {
	e, _, _ := begin(t, asReceived)
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	defer writer.Close()
	e.in, e.out = reader, writerFunc(func(text []byte) {
		if bytes.Contains(text, []byte("press Enter")) {
			cancel()
		}
	})
	if err := e.run(ctx); err == nil || err.Error() != "interrupted" {
		t.Errorf("the error is %v", err)
	}
}

type writerFunc func([]byte)

func (w writerFunc) Write(text []byte) (int, error) { w(text); return len(text), nil }

func TestArgumentsOfWhoseGifts(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{args: nil, want: "ROOM: room_id is missing"},
		{args: []string{"-room", "r"}, want: "FROM: account is missing"},
		{args: []string{"-room", "r", "-from", "a"}, want: "TO: account is missing"},
		{args: []string{"-room", "r", "-from", "a", "-to", "a"}, want: "FROM and TO must be different"},
		{args: []string{"-host", "a"}, want: "-host"},
	} {
		err := run(t.Context(), append([]string{"whose-gifts"}, test.args...), os.Stdin, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "make whose-gifts SECRET=") {
			t.Errorf("%v: the error is %v, want %q in it", test.args, err, test.want)
		}
	}
}
