package simulator_test

import (
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
	none := func(url.Values) {}
	for _, test := range []struct {
		name         string
		method, path string
		change       func(url.Values)
		code         int
		info         string // part of ErrorInfo
	}{
		{"all right", "POST", path, none, 0, ""},
		{"more parameters", "POST", path, set("x", "1"), 0, ""},
		{"smallest random", "POST", path, set("random", "0"), 0, ""},
		{"GET", "GET", path, none, 60002, "GET, it must be POST"},
		{"PUT", "PUT", path, none, 60002, "POST"},
		{"unknown command", "POST", path + "s", none, 60009, `"get_room_statss"`},
		{"command in other letters", "POST", "/v4/live_engine_http_srv/Get_Room_Stats", none, 60009, "Get_Room_Stats"},
		{"slash at the end", "POST", path + "/", none, 60009, "get_room_stats/"},
		{"no command", "POST", "/v4/live_engine_http_srv/", none, 60009, ""},
		{"another service", "POST", "/v4/room_engine_http_srv/get_room_info", none, 60009, "room_engine_http_srv"},
		{"no app", "POST", path, del("sdkappid"), 60012, "missing"},
		{"app in other letters", "POST", path, rename("sdkappid", "SdkAppId"), 60012, "missing"},
		{"app is no number", "POST", path, set("sdkappid", "14e8"), 60006, "number"},
		{"app is zero", "POST", path, set("sdkappid", "0"), 60006, "number"},
		{"app with a sign", "POST", path, set("sdkappid", "+1400000000"), 60006, "number"},
		{"app beyond 64 bits", "POST", path, set("sdkappid", "99999999999999999999"), 60006, "number"},
		{"another app", "POST", path, set("sdkappid", "1400000001"), 70020, "1400000001"},
		{"no identifier", "POST", path, del("identifier"), 60025, "identifier"},
		{"identifier in other letters", "POST", path, rename("identifier", "Identifier"), 60025, "identifier"},
		{"no contenttype", "POST", path, del("contenttype"), 60025, "contenttype"},
		{"contenttype in other letters", "POST", path, set("contenttype", "JSON"), 60025, "contenttype"},
		{"no random", "POST", path, del("random"), 60002, "random"},
		{"random beyond 32 bits", "POST", path, set("random", "4294967296"), 60002, "random"},
		{"negative random", "POST", path, set("random", "-1"), 60002, "random"},
		{"no usersig", "POST", path, del("usersig"), 70002, "missing"},
		{"empty usersig", "POST", path, set("usersig", ""), 70002, "missing"},
		{"usersig is nonsense", "POST", path, set("usersig", "nonsense!"), 70003, "malformed"},
		{"another key", "POST", path, set("usersig", sign("another", nil)), 70009, "another SDKAppID"},
		{"another identifier", "POST", path, set("identifier", "user1"), 70013, `"administrator"`},
		{"another app in the usersig", "POST", path, set("usersig", sign(key, map[string]any{"TLS.sdkappid": 1400000001})), 70014, "1400000001"},
		{"expired", "POST", path, set("usersig", sign(key, map[string]any{"TLS.time": start.Unix() - 11, "TLS.expire": 10})), 70001, "expired"},
		{"no administrator", "POST", path, func(q url.Values) {
			q.Set("identifier", "user1")
			q.Set("usersig", sign(key, map[string]any{"TLS.identifier": "user1"}))
		}, 60010, `"user1"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t).withRoom(t)
			query := a.query(a.sig)
			test.change(query)
			got := a.do(t, test.method, test.path, query.Encode(), `{"RoomId":"room_id"}`)
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
	gift := func(change, to string) string {
		return strings.Replace(`{"RoomId":"room_id","GiftId":"rose","Count":1,"From_Account":"fan1","ReceiverList_Account":["user1"]}`, change, to, 1)
	}
	for _, test := range []struct {
		command, body string
		code          int
		info          string
	}{
		{"get_room_stats", ``, 60003, "JSON object"},
		{"get_room_stats", `null`, 60003, "JSON object"},
		{"get_room_stats", `[]`, 60003, "JSON object"},
		{"get_room_stats", `{"RoomId":"room_id",}`, 60003, "JSON object"},
		{"get_room_stats", `{"RoomId":"room_id"}{}`, 60003, "JSON object"},
		{"get_room_stats", "{\"RoomId\":\"room_id\xff\"}", 60003, "JSON object"},
		{"get_room_stats", " \r\n\t{\"RoomId\":\"room_id\"} ", 0, ""},
		{"get_room_stats", `{"RoomId":"room_id","More":1}`, 0, ""},
		{"get_room_stats", `{"RoomId":"room\u005fid"}`, 0, ""},
		{"get_room_stats", `{"RoomId":"room\u005fid2"}`, 100004, "does not exist"},
		{"get_room_stats", `{"RoomId":"` + long(64<<10) + `"}`, 60002, "65536 bytes"},
		{"get_room_stats", `{}`, 100002, "RoomId is missing; it must be a String"},
		{"get_room_stats", `{"roomid":"room_id"}`, 100002, "RoomId is missing"},
		{"get_room_stats", `{"RoomId":7}`, 100002, "RoomId must be a String"},
		{"get_room_stats", `{"RoomId":null}`, 100002, "RoomId must be a String"},
		{"get_room_stats", `{"RoomId":""}`, 100002, "RoomId has 0 bytes, it must have 1 to 48"},
		{"get_room_stats", `{"RoomId":"` + long(49) + `"}`, 100002, "RoomId has 49 bytes"},
		{"get_room_stats", `{"RoomId":"` + long(48) + `"}`, 100004, "does not exist"},
		{"get_room_info", `{}`, 100002, "RoomId is missing"},
		{"get_room_info", `{"RoomId":"other"}`, 100004, "does not exist"},
		{"destroy_room", `{}`, 100002, "RoomId is missing"},
		{"destroy_room", `{"RoomId":""}`, 100002, "RoomId has 0 bytes"},
		{"destroy_room", `{"RoomId":"other"}`, 100004, "does not exist"},

		{"get_gift_count", `{"RoomId":"room_id","From_Account":"user1"}`, 0, ""},
		{"get_gift_count", `{"RoomId":"room_id"}`, 100002, "From_Account is missing; it must be a String"},
		{"get_gift_count", `{"RoomId":1,"From_Account":2}`, 100002, "RoomId must be a String"},
		{"get_gift_count", `{"RoomId":"room_id","From_Account":2}`, 100002, "From_Account must be a String"},
		{"get_gift_count", `{"RoomId":"` + long(49) + `","From_Account":"user1"}`, 100002, "RoomId has 49 bytes"},
		{"get_gift_count", `{"RoomId":"room_id","From_Account":"` + long(33) + `"}`, 100002, "From_Account has 33 bytes, it must have 1 to 32"},
		{"get_gift_count", `{"RoomId":"room_id","From_Account":"stranger"}`, 70107, `"stranger"`},
		{"get_gift_count", `{"RoomId":"other","From_Account":"user1"}`, 100004, "does not exist"},

		{"send_gift", gift("", ""), 0, ""},
		{"send_gift", gift(`"Count":1,`, ""), 0, ""},
		{"send_gift", gift(`"Count":1`, `"Count":0`), 100002, "Count is 0"},
		{"send_gift", gift(`"Count":1`, `"Count":"1"`), 100002, "Count must be an Integer"},
		{"send_gift", gift(`"Count":1`, `"Count":1.0`), 100002, "Count must be an Integer"},
		{"send_gift", gift(`"Count":1`, `"Count":9223372036854775808`), 100002, "Integer of 64 bits"},
		{"send_gift", gift("room_id", ""), 100002, "RoomId has 0 bytes"},
		{"send_gift", gift("room_id", "other"), 100004, "does not exist"},
		{"send_gift", gift("rose", "tulip"), 102002, `"tulip"`},
		{"send_gift", gift("fan1", "stranger"), 70107, "From_Account"},
		{"send_gift", gift(`["user1"]`, `["user1","stranger"]`), 70107, "ReceiverList_Account"},
		{"send_gift", gift(`["user1"]`, `["user1","user1"]`), 100002, "twice"},
		{"send_gift", gift(`["user1"]`, `[]`), 100002, "empty"},
		{"send_gift", gift(`["user1"]`, `"user1"`), 100002, "Array of String"},
		{"send_gift", gift(`["user1"]`, `[1]`), 100002, "Array of String"},
		{"send_gift", gift(`["user1"]`, `["user1",null]`), 100002, "null"},

		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live"}}`, 0, ""},
		{"create_room", `{"RoomInfo":{"RoomId":"room_id","RoomType":"Live"}}`, 100003, "already used"},
		{"create_room", `{}`, 100002, "RoomInfo is missing; it must be an Object"},
		{"create_room", `{"RoomInfo":"new"}`, 100002, "RoomInfo must be an Object"},
		{"create_room", `{"RoomInfo":{"RoomType":"Live"}}`, 100002, "RoomInfo.RoomId is missing"},
		{"create_room", `{"RoomInfo":{"RoomId":"new"}}`, 100002, "RoomInfo.RoomType is missing"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Conference"}}`, 100002, "must be Live"},
		{"create_room", `{"RoomInfo":{"RoomId":"` + long(49) + `","RoomType":"Live"}}`, 100002, "RoomId has 49 bytes"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live","RoomName":"` + long(101) + `"}}`, 100002, "RoomName has 101 bytes"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live","CoverURL":"` + long(201) + `"}}`, 100002, "CoverURL has 201 bytes"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live","Category":[1,2,3,4]}}`, 100002, "Category has 4 members"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live","Category":["1"]}}`, 100002, "RoomInfo.Category must be an Array of Integer"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live","IsSeatEnabled":1}}`, 100002, "RoomInfo.IsSeatEnabled must be a Bool"},
		{"create_room", `{"RoomInfo":{"RoomId":"new","RoomType":"Live","Owner_Account":"stranger"}}`, 70107, "Owner_Account"},
	} {
		t.Run(test.command+" "+test.body[:min(len(test.body), 60)], func(t *testing.T) {
			a := newApp(t, func(c *simulator.Config) { c.Accounts = []string{"user1", "fan1", strings.Repeat("x", 32)} }).withRoom(t)
			check(t, a.call(t, test.command, test.body), test.code, test.info)
		})
	}
}

func check(t *testing.T, got answer, code int, info string) {
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
		{"no app", func(c *simulator.Config) { c.SDKAppID = 0 }, "SDKAppID, Admin and SecretKey are required"},
		{"no admin", func(c *simulator.Config) { c.Admin = "" }, "required"},
		{"no key", func(c *simulator.Config) { c.SecretKey = "" }, "required"},
		{"misspelt limit", func(c *simulator.Config) { c.Limits = map[string]int{"get_gift_counts": 1} }, `"get_gift_counts"`},
		{"no limit", func(c *simulator.Config) { c.Limits = map[string]int{"get_gift_count": 0} }, "above zero"},
		{"empty account", func(c *simulator.Config) { c.Accounts = []string{""} }, "Accounts has 0 bytes"},
		{"gift without id", func(c *simulator.Config) { c.Gifts = []simulator.Gift{{Coins: 1}} }, "GiftId has 0 bytes"},
		{"gift with a negative price", func(c *simulator.Config) { c.Gifts = []simulator.Gift{{ID: "g", Coins: -1}} }, "Coins is negative"},
		{"webhook without host", func(c *simulator.Config) { c.WebhookURL = "https:///x" }, "with a host"},
		{"webhook of another scheme", func(c *simulator.Config) { c.WebhookURL = "ftp://h/x" }, "http://"},
		{"webhook that is no URL", func(c *simulator.Config) { c.WebhookURL = ":" }, "http://"},
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
