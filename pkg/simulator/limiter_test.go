package simulator_test

import (
	"fmt"
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

func TestCalls(t *testing.T) {
	a := newApp(t).withRoom(t)
	a.call(t, "get_room_stats", `{"RoomId":"room_id"}`)
	a.clock.advance(time.Second)
	a.call(t, "no_such_command", `{}`)
	a.do(t, "GET", "/", "%zz&x=1", "body")
	a.do(t, "POST", "/v4/live_engine_http_srv/", "", "")

	calls := a.Calls()
	if len(calls) != 4 || a.Count("") != 4 || a.Count("get_room_stats") != 1 || a.Count("no_such_command") != 0 {
		t.Fatalf("%d calls, counts %d, %d, %d", len(calls), a.Count(""), a.Count("get_room_stats"), a.Count("no_such_command"))
	}
	first, third := calls[0], calls[2]
	if first.Command != "get_room_stats" || first.Code != 0 || first.Body != `{"RoomId":"room_id"}` || !first.At.Equal(start) ||
		first.Query.Get("usersig") != a.sig || first.Query.Get("contenttype") != "json" {
		t.Errorf("first call %+v", first)
	}
	if calls[1].Command != "no_such_command" || calls[1].Code != 60009 || !calls[1].At.Equal(start.Add(time.Second)) {
		t.Errorf("second call %+v", calls[1])
	}
	if third.Command != "/" || third.Code != 60002 || third.Query.Get("x") != "1" || third.Body != "body" {
		t.Errorf("third call %+v", third)
	}
	if a.Peak("") != 3 || a.Peak("get_room_stats") != 1 || a.Peak("no_such_command") != 0 {
		t.Errorf("peaks %d, %d, %d", a.Peak(""), a.Peak("get_room_stats"), a.Peak("no_such_command"))
	}
}

func TestOnlyTheLastCallsAreKept(t *testing.T) {
	a := newApp(t, unlimited)
	for n := range 10_002 {
		a.call(t, "get_room_stats", fmt.Sprint(n))
	}
	calls := a.Calls()
	if len(calls) != 10_000 || calls[0].Body != "2" || calls[9999].Body != "10001" || calls[9999].Code != 60003 {
		t.Errorf("%d calls, from %q to %q with code %d", len(calls), calls[0].Body, calls[9999].Body, calls[9999].Code)
	}
	if a.Count("get_room_stats") != 10_002 || a.Count("") != 10_002 {
		t.Errorf("counts %d and %d, want 10,002", a.Count("get_room_stats"), a.Count(""))
	}
}
