package simulator_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func TestChecksOfARequest(t *testing.T) {
	const path = "/v4/live_engine_http_srv/get_room_stats"
	set := func(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }
	del := func(name string) func(url.Values) { return func(q url.Values) { q.Del(name) } }
	rename := func(name, to string) func(url.Values) {
		return func(q url.Values) { q[to] = q[name]; q.Del(name) }
	}
	for _, test := range []struct {
		name   string
		method string // default: POST
		path   string // default: path
		change func(url.Values)
		code   int
		info   string // part of ErrorInfo
	}{
		{name: "all right"},
		{name: "more parameters", change: set("x", "1")},
		{name: "smallest random", change: set("random", "0")},
		{name: "GET", method: "GET", code: 60002, info: "GET, it must be POST"},
		{name: "PUT", method: "PUT", code: 60002, info: "POST"},
		{name: "unknown command", path: path + "s", code: 60009, info: `"get_room_statss"`},
		{name: "command in other letters", path: "/v4/live_engine_http_srv/Get_Room_Stats", code: 60009, info: "Get_Room_Stats"},
		{name: "slash at the end", path: path + "/", code: 60009, info: "get_room_stats/"},
		{name: "no command", path: "/v4/live_engine_http_srv/", code: 60009},
		{name: "another service", path: "/v4/room_engine_http_srv/get_room_info", code: 60009, info: "room_engine_http_srv"},
		{name: "no app", change: del("sdkappid"), code: 60012, info: "missing"},
		{name: "app in other letters", change: rename("sdkappid", "SdkAppId"), code: 60012, info: "missing"},
		{name: "app is not a number", change: set("sdkappid", "14e8"), code: 60006, info: "number"},
		{name: "app is zero", change: set("sdkappid", "0"), code: 60006, info: "number"},
		{name: "app with a sign", change: set("sdkappid", "+1400000000"), code: 60006, info: "number"},
		{name: "app beyond 64 bits", change: set("sdkappid", "99999999999999999999"), code: 60006, info: "number"},
		{name: "another app", change: set("sdkappid", "1400000001"), code: 70020, info: "1400000001"},
		{name: "no identifier", change: del("identifier"), code: 60025, info: "identifier"},
		{name: "identifier in other letters", change: rename("identifier", "Identifier"), code: 60025, info: "identifier"},
		{name: "no contenttype", change: del("contenttype"), code: 60025, info: "contenttype"},
		{name: "contenttype in other letters", change: set("contenttype", "JSON"), code: 60025, info: "contenttype"},
		{name: "no random", change: del("random"), code: 60002, info: "random"},
		{name: "random beyond 32 bits", change: set("random", "4294967296"), code: 60002, info: "random"},
		{name: "negative random", change: set("random", "-1"), code: 60002, info: "random"},
		{name: "no usersig", change: del("usersig"), code: 70002, info: "missing"},
		{name: "empty usersig", change: set("usersig", ""), code: 70002, info: "missing"},
		{name: "usersig is nonsense", change: set("usersig", "nonsense!"), code: 70003, info: "malformed"},
		{name: "another key", change: set("usersig", sign("another", nil)), code: 70009, info: "another SDKAppID"},
		{name: "another identifier", change: set("identifier", "user1"), code: 70013, info: `"administrator"`},
		{
			name:   "another app in the usersig",
			change: set("usersig", sign(key, map[string]any{"TLS.sdkappid": 1400000001})),
			code:   70014,
			info:   "1400000001",
		},
		{
			name:   "expired",
			change: set("usersig", sign(key, map[string]any{"TLS.time": start.Unix() - 11, "TLS.expire": 10})),
			code:   70001,
			info:   "expired",
		},
		{
			name: "no administrator",
			change: func(q url.Values) {
				q.Set("identifier", "user1")
				q.Set("usersig", sign(key, map[string]any{"TLS.identifier": "user1"}))
			},
			code: 60010,
			info: `"user1"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t).withRoom(t)
			query := a.query(a.sig)
			if test.change != nil {
				test.change(query)
			}
			got := a.do(t, cmp.Or(test.method, "POST"), cmp.Or(test.path, path), query.Encode(), `{"RoomId":"room_id"}`)
			check(t, got, test.code, test.info)
			if calls := a.Calls(); len(calls) != 1 || calls[0].Code != test.code {
				t.Errorf("Calls() = %v, want one with code %d", calls, test.code)
			}
		})
	}
}

func TestQueryThatCannotBeParsed(t *testing.T) {
	a := newApp(t).withRoom(t)
	good := a.query(a.sig).Encode()
	for _, query := range []string{good + "&x=%zz", good + "&%zz=1", good + ";x=1"} {
		check(t, a.do(t, "POST", "/v4/live_engine_http_srv/get_room_stats", query, `{"RoomId":"room_id"}`), 60002, "query")
	}
	check(t, a.do(t, "POST", "/v4/live_engine_http_srv/get_room_stats", "&"+good+"&&usersig=second", `{"RoomId":"room_id"}`), 0, "")
}

func TestChecksOfABody(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	send := func(change, to string) string {
		return strings.Replace(sendRose, change, to, 1)
	}
	for _, test := range []struct {
		command, body string
		code          int
		info          string
	}{
		{command: "get_room_stats", body: ``, code: 60003, info: "JSON object"},
		{command: "get_room_stats", body: `null`, code: 60003, info: "JSON object"},
		{command: "get_room_stats", body: `[]`, code: 60003, info: "JSON object"},
		{command: "get_room_stats", body: `{"RoomId":"room_id",}`, code: 60003, info: "JSON object"},
		{command: "get_room_stats", body: `{"RoomId":"room_id"}{}`, code: 60003, info: "JSON object"},
		{command: "get_room_stats", body: "{\"RoomId\":\"room_id\xff\"}", code: 60003, info: "JSON object"},
		{command: "get_room_stats", body: " \r\n\t{\"RoomId\":\"room_id\"} "},
		{command: "get_room_stats", body: `{"RoomId":"room_id","More":1}`},
		{command: "get_room_stats", body: `{"RoomId":"room\u005fid"}`},
		{command: "get_room_stats", body: `{"RoomId":"room\u005fid2"}`, code: 100004, info: "does not exist"},
		{command: "get_room_stats", body: `{"RoomId":"` + long(64<<10) + `"}`, code: 60002, info: "65536 bytes"},
		{command: "get_room_stats", body: `{}`, code: 100002, info: "RoomId is missing; it must be a String"},
		{command: "get_room_stats", body: `{"roomid":"room_id"}`, code: 100002, info: "RoomId is missing"},
		{command: "get_room_stats", body: `{"RoomId":7}`, code: 100002, info: "RoomId must be a String"},
		{command: "get_room_stats", body: `{"RoomId":null}`, code: 100002, info: "RoomId must be a String"},
		{command: "get_room_stats", body: `{"RoomId":""}`, code: 100002, info: "RoomId has 0 bytes, it must have 1 to 48"},
		{command: "get_room_stats", body: `{"RoomId":"` + long(49) + `"}`, code: 100002, info: "RoomId has 49 bytes"},
		{command: "get_room_stats", body: `{"RoomId":"` + long(48) + `"}`, code: 100004, info: "does not exist"},
		{command: "get_room_info", body: `{}`, code: 100002, info: "RoomId is missing"},
		{command: "get_room_info", body: `{"RoomId":"other"}`, code: 100004, info: "does not exist"},
		{command: "destroy_room", body: `{}`, code: 100002, info: "RoomId is missing"},
		{command: "destroy_room", body: `{"RoomId":""}`, code: 100002, info: "RoomId has 0 bytes"},
		{command: "destroy_room", body: `{"RoomId":"other"}`, code: 100004, info: "does not exist"},

		{command: "get_gift_count", body: `{"RoomId":"room_id","From_Account":"user1"}`},
		{
			command: "get_gift_count",
			body:    `{"RoomId":"room_id"}`,
			code:    100002,
			info:    "From_Account is missing; it must be a String",
		},
		{command: "get_gift_count", body: `{"RoomId":1,"From_Account":2}`, code: 100002, info: "RoomId must be a String"},
		{
			command: "get_gift_count",
			body:    `{"RoomId":"room_id","From_Account":2}`,
			code:    100002,
			info:    "From_Account must be a String",
		},
		{
			command: "get_gift_count",
			body:    `{"RoomId":"` + long(49) + `","From_Account":"user1"}`,
			code:    100002,
			info:    "RoomId has 49 bytes",
		},
		{
			command: "get_gift_count",
			body:    `{"RoomId":"room_id","From_Account":"` + long(33) + `"}`,
			code:    100002,
			info:    "From_Account has 33 bytes, it must have 1 to 32",
		},
		{command: "get_gift_count", body: `{"RoomId":"room_id","From_Account":"stranger"}`, code: 70107, info: `"stranger"`},
		{command: "get_gift_count", body: `{"RoomId":"other","From_Account":"user1"}`, code: 100004, info: "does not exist"},

		{command: "send_gift", body: send("", "")},
		{command: "send_gift", body: send(`"Count":1,`, "")},
		{command: "send_gift", body: send(`"Count":1`, `"Count":0`), code: 100002, info: "Count is 0"},
		{command: "send_gift", body: send(`"Count":1`, `"Count":"1"`), code: 100002, info: "Count must be an Integer"},
		{command: "send_gift", body: send(`"Count":1`, `"Count":1.0`), code: 100002, info: "Count must be an Integer"},
		{command: "send_gift", body: send(`"Count":1`, `"Count":9223372036854775808`), code: 100002, info: "Integer of 64 bits"},
		{command: "send_gift", body: send("room_id", ""), code: 100002, info: "RoomId has 0 bytes"},
		{command: "send_gift", body: send("room_id", "other"), code: 100004, info: "does not exist"},
		{command: "send_gift", body: send("rose", "tulip"), code: 102002, info: `"tulip"`},
		{command: "send_gift", body: send("fan1", "stranger"), code: 70107, info: "From_Account"},
		{command: "send_gift", body: send(`["user1"]`, `["user1","stranger"]`), code: 70107, info: "ReceiverList_Account"},
		{command: "send_gift", body: send(`["user1"]`, `["user1","user1"]`), code: 100002, info: "twice"},
		{command: "send_gift", body: send(`["user1"]`, `[]`), code: 100002, info: "empty"},
		{command: "send_gift", body: send(`["user1"]`, `"user1"`), code: 100002, info: "Array of String"},
		{command: "send_gift", body: send(`["user1"]`, `[1]`), code: 100002, info: "Array of String"},
		{command: "send_gift", body: send(`["user1"]`, `["user1",null]`), code: 100002, info: "null"},

		{command: "create_room", body: `{"RoomInfo":{"RoomId":"new","RoomType":"Live"}}`},
		{command: "create_room", body: `{"RoomInfo":{"RoomId":"room_id","RoomType":"Live"}}`, code: 100003, info: "already used"},
		{command: "create_room", body: `{}`, code: 100002, info: "RoomInfo is missing; it must be an Object"},
		{command: "create_room", body: `{"RoomInfo":"new"}`, code: 100002, info: "RoomInfo must be an Object"},
		{command: "create_room", body: `{"RoomInfo":{"RoomType":"Live"}}`, code: 100002, info: "RoomInfo.RoomId is missing"},
		{command: "create_room", body: `{"RoomInfo":{"RoomId":"new"}}`, code: 100002, info: "RoomInfo.RoomType is missing"},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Conference"}}`,
			code:    100002,
			info:    "must be Live",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"` + long(49) + `","RoomType":"Live"}}`,
			code:    100002,
			info:    "RoomId has 49 bytes",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Live","RoomName":"` + long(101) + `"}}`,
			code:    100002,
			info:    "RoomName has 101 bytes",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Live","CoverURL":"` + long(201) + `"}}`,
			code:    100002,
			info:    "CoverURL has 201 bytes",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Live","Category":[1,2,3,4]}}`,
			code:    100002,
			info:    "Category has 4 members",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Live","Category":["1"]}}`,
			code:    100002,
			info:    "RoomInfo.Category must be an Array of Integer",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Live","IsSeatEnabled":1}}`,
			code:    100002,
			info:    "RoomInfo.IsSeatEnabled must be a Bool",
		},
		{
			command: "create_room",
			body:    `{"RoomInfo":{"RoomId":"new","RoomType":"Live","Owner_Account":"stranger"}}`,
			code:    70107,
			info:    "Owner_Account",
		},
	} {
		t.Run(test.command+" "+test.body[:min(len(test.body), 60)], func(t *testing.T) {
			a := newApp(t, func(c *simulator.Config) { c.Accounts = []string{"user1", "fan1", strings.Repeat("x", 32)} }).withRoom(t)
			check(t, a.call(t, test.command, test.body), test.code, test.info)
		})
	}
}

func check(t testing.TB, got answer, code int, info string) {
	t.Helper()
	status := "FAIL"
	if code == 0 {
		status = "OK"
	}
	if got.Status != 200 || got.ErrorCode != code || got.ActionStatus != status {
		t.Fatalf("HTTP %d %s, want 200 with %s and code %d", got.Status, got.Text, status, code)
	}
	if !strings.Contains(got.ErrorInfo, info) || (got.ErrorInfo == "") != (code == 0) {
		t.Errorf("ErrorInfo %q, want %q in it", got.ErrorInfo, info)
	}
	if code != 0 && got.Response != nil {
		t.Errorf("a refusal has a Response: %s", got.Text)
	}
}

func TestRequestIDsAreUnique(t *testing.T) {
	form := regexp.MustCompile(`^Id-[0-9a-f]{32}-O-Seq-[1-9][0-9]*$`)
	a := newApp(t, unlimited)
	seen := map[string]bool{}
	for range 1000 {
		id := a.call(t, "get_room_stats", `{"RoomId":"other"}`).RequestID
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("RequestId %q is not of the documented form, or not unique", id)
		}
		seen[id] = true
	}
}

func TestNewChecksItsConfig(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*simulator.Config)
		want   string
	}{
		{
			name:   "no app",
			change: func(c *simulator.Config) { c.SDKAppID = 0 },
			want:   "SDKAppID, Admin and SecretKey are required",
		},
		{name: "no admin", change: func(c *simulator.Config) { c.Admin = "" }, want: "required"},
		{name: "no key", change: func(c *simulator.Config) { c.SecretKey = "" }, want: "required"},
		{
			name:   "misspelled limit",
			change: func(c *simulator.Config) { c.Limits = map[string]int{"get_gift_counts": 1} },
			want:   `"get_gift_counts"`,
		},
		{
			name:   "no limit",
			change: func(c *simulator.Config) { c.Limits = map[string]int{"get_gift_count": 0} },
			want:   "above zero",
		},
		{name: "empty account", change: func(c *simulator.Config) { c.Accounts = []string{""} }, want: "Accounts has 0 bytes"},
		{
			name:   "gift without id",
			change: func(c *simulator.Config) { c.Gifts = []simulator.Gift{{Coins: 1}} },
			want:   "GiftId has 0 bytes",
		},
		{
			name:   "gift with a negative price",
			change: func(c *simulator.Config) { c.Gifts = []simulator.Gift{{ID: "g", Coins: -1}} },
			want:   "Coins is negative",
		},
		{name: "webhook without host", change: func(c *simulator.Config) { c.WebhookURL = "https:///x" }, want: "with a host"},
		{name: "webhook of another scheme", change: func(c *simulator.Config) { c.WebhookURL = "ftp://h/x" }, want: "http://"},
		{name: "webhook that is not a URL", change: func(c *simulator.Config) { c.WebhookURL = ":" }, want: "http://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := simulator.Config{SDKAppID: appID, Admin: admin, SecretKey: key}
			test.change(&config)
			engine, err := simulator.New(config)
			if engine != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New = %v, %v; want an error with %q", engine, err, test.want)
			}
		})
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	a := newApp(t)
	defer func() {
		if recover() != http.ErrAbortHandler || a.Count("") != 0 {
			t.Error("a call whose body broke off was answered")
		}
	}()
	a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v4/live_engine_http_srv/send_gift", breaksOff{}))
}

type breaksOff struct{}

func (breaksOff) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func ExampleError() {
	engine, err := simulator.New(simulator.Config{SDKAppID: 1400000000, Admin: "administrator", SecretKey: "secret"})
	if err != nil {
		panic(err)
	}
	_, err = engine.GiftCount("nowhere", "user1")
	var refusal *simulator.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Code, refusal.Info)
	}
	fmt.Println(err)
	// Output:
	// 100004 the room does not exist, or is dissolved
	// simulator: 100004: the room does not exist, or is dissolved
}
