package simulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func TestDocumentedLimits(t *testing.T) {
	for command, limit := range map[string]int{
		"create_room": 200, "get_gift_count": 200, "get_room_info": 200, "get_room_list": 10, "get_room_stats": 100, "send_gift": 200,
	} {
		t.Run(command, func(t *testing.T) {
			a := newApp(t)
			const wrong = `{"RoomId":1,"RoomInfo":1,"Count":"1"}`
			for range limit {
				check(t, a.call(t, command, wrong), 100002, "")
			}
			check(t, a.call(t, command, wrong), 60007, fmt.Sprintf("%s is limited to %d calls", command, limit))
			check(t, a.call(t, "destroy_room", `{}`), 100002, "") // each command has a limit of its own
			a.clock.advance(time.Second - 1)
			check(t, a.call(t, command, wrong), 60007, "")
			a.clock.advance(1)
			check(t, a.call(t, command, wrong), 100002, "")
			if got := a.Peak(command); got != limit+2 {
				t.Errorf("Peak = %d, want %d: refused calls count, too", got, limit+2)
			}
		})
	}
}

func TestOwnLimits(t *testing.T) {
	limits := map[string]int{"get_room_info": 1}
	a := newApp(t, func(c *simulator.Config) { c.Limits = limits })
	limits["get_room_info"] = 100
	check(t, a.withSig(t, "nonsense"), 70003, "") // takes no turn
	check(t, a.call(t, "get_room_info", `{}`), 100002, "")
	check(t, a.call(t, "get_room_info", `{}`), 60007, "")
	for range 500 {
		check(t, a.call(t, "get_room_stats", `{}`), 100002, "")
	}
}

func TestNoLimits(t *testing.T) {
	a := newApp(t, unlimited)
	for range 500 {
		check(t, a.call(t, "get_room_stats", `{}`), 100002, "")
	}
}

func TestLimitHoldsInEverySecond(t *testing.T) {
	a := newApp(t, func(c *simulator.Config) { c.Limits = map[string]int{"get_room_info": 10} })
	var taken []time.Time
	for range 1000 {
		if a.call(t, "get_room_info", `{}`).ErrorCode == 100002 {
			taken = append(taken, a.clock.Now())
		}
		a.clock.advance(17 * time.Millisecond)
	}
	for i := 10; i < len(taken); i++ {
		if taken[i].Sub(taken[i-10]) < time.Second {
			t.Fatalf("11 calls within %v", taken[i].Sub(taken[i-10]))
		}
	}
	if len(taken) < 170 { // 17 s
		t.Errorf("%d calls in 17 s, want 170", len(taken))
	}
}

func TestEveryRequestIsCounted(t *testing.T) {
	a := newApp(t).withRoom(t)
	a.call(t, "get_room_stats", `{"RoomId":"room_id"}`)
	a.clock.advance(time.Second)
	a.call(t, "no_such_command", `{}`)
	a.do(t, "GET", "/", "%zz&x=1", "body")
	a.do(t, "POST", "/v4/live_engine_http_srv/", "", "")

	for command, want := range map[string]struct{ count, peak int }{
		"": {count: 4, peak: 3}, "get_room_stats": {count: 1, peak: 1}, "no_such_command": {},
	} {
		if got := a.Count(command); got != want.count {
			t.Errorf("Count(%q) = %d, want %d", command, got, want.count)
		}
		if got := a.Peak(command); got != want.peak {
			t.Errorf("Peak(%q) = %d, want %d", command, got, want.peak)
		}
	}
	calls := a.Calls()
	if len(calls) != 4 {
		t.Fatalf("%d calls, want 4", len(calls))
	}
	for i, want := range []struct {
		command, body string
		code          int
		after         time.Duration
		query, value  string // a parameter
	}{
		{command: "get_room_stats", body: `{"RoomId":"room_id"}`, query: "usersig", value: a.sig},
		{command: "no_such_command", body: `{}`, code: 60009, after: time.Second, query: "contenttype", value: "json"},
		{command: "/", body: "body", code: 60002, after: time.Second, query: "x", value: "1"},
	} {
		got := calls[i]
		if got.Command != want.command || got.Body != want.body {
			t.Errorf("call %d: %q with %q, want %q with %q", i, got.Command, got.Body, want.command, want.body)
		}
		if got.Code != want.code {
			t.Errorf("call %d: code %d, want %d", i, got.Code, want.code)
		}
		if !got.At.Equal(start.Add(want.after)) {
			t.Errorf("call %d: at %v, want %v after the start", i, got.At, want.after)
		}
		if value := got.Query.Get(want.query); value != want.value {
			t.Errorf("call %d: %s = %q, want %q", i, want.query, value, want.value)
		}
	}
}

func TestOnlyTheLastCallsAreKept(t *testing.T) {
	a := newApp(t, unlimited)
	for n := range 10_002 { // unsigned, so that each is refused at once
		a.do(t, http.MethodPost, "/v4/live_engine_http_srv/get_room_stats", "", fmt.Sprint(n))
	}
	calls := a.Calls()
	if len(calls) != 10_000 {
		t.Fatalf("%d calls, want 10,000", len(calls))
	}
	if calls[0].Body != "2" || calls[9999].Body != "10001" || calls[9999].Code != 60012 {
		t.Errorf("%d calls, from %q to %q with code %d", len(calls), calls[0].Body, calls[9999].Body, calls[9999].Code)
	}
	if a.Count("get_room_stats") != 10_002 || a.Count("") != 10_002 {
		t.Errorf("counts %d and %d, want 10,002", a.Count("get_room_stats"), a.Count(""))
	}
}
