package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/problem"
)

func TestNewChecksTheConfig(t *testing.T) {
	t.Run("empty", func(t *testing.T) {
		_, err := httpapi.New(httpapi.Config{})
		for _, field := range []string{"Service", "Secrets", "Auth", "Version", "Meter", "Now", "Logger", "StreamEnded"} {
			if err == nil || !strings.Contains(err.Error(), "Config."+field+" ") {
				t.Errorf("error %v does not name %s", err, field)
			}
		}
	})
	for _, test := range []struct {
		name   string
		change func(*httpapi.Config)
		want   string
	}{
		{
			name:   "no credentials and not open",
			change: func(c *httpapi.Config) { c.Auth = httpapi.Auth{} },
			want:   "httpapi: Config.Auth accepts no credentials; set APIKey, UserSig or Open",
		},
		{
			name:   "open with API keys",
			change: func(c *httpapi.Config) { c.Auth = httpapi.Auth{APIKey: true, Open: true} },
			want:   "httpapi: Config.Auth is Open and also accepts credentials; set one of them",
		},
		{
			name:   "base path without slash",
			change: func(c *httpapi.Config) { c.BasePath = "prod" },
			want:   `httpapi: Config.BasePath "prod" must start with / and must not end with /`,
		},
		{
			name:   "base path with slash at its end",
			change: func(c *httpapi.Config) { c.BasePath = "/prod/" },
			want:   `httpapi: Config.BasePath "/prod/" must start with / and must not end with /`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := newConfig(engine{}, document, io.Discard)
			test.change(&config)
			if _, err := httpapi.New(config); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestResponses(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, nil)
	contract := openAPI(t)
	const stats = `"total_count":2,"total_coins":100,"gift_sender_count":1,"upstream_request_id":"Id-1","fetched_at":"2026-11-23T12:00:00Z"}`
	for _, test := range []struct {
		name string
		call call
		want string // part of the body
	}{
		{name: "gift stats", call: get(oneAccount), want: `{"room_id":"r","account":"a",` + stats},
		{
			name: "escaped ids",
			call: get("/v1/gift-stats?room_id=a%2Fb%20%26&account=%E6%88%BF"),
			want: `{"room_id":"a/b &","account":"房",` + stats,
		},
		{
			name: "own UserSig",
			call: getAs(basic("host:1", sigOf(t, "host:1", fakeKey)), "/v1/gift-stats?room_id=r"),
			want: `"account":"host:1"`,
		},
		{
			name: "own UserSig and account",
			call: getAs(basic("host", sigOf(t, "host", fakeKey)), "/v1/gift-stats?room_id=r&account=host"),
			want: `"account":"host"`,
		},
		{name: "scheme in lower case", call: getAs("bearer "+apiKey, oneAccount), want: `"account":"a"`},
		{
			name: "room stats",
			call: get("/v1/room-stats?room_id=r"),
			want: `{"room_id":"r","total_viewers":0,"total_gifts_sent":0,"total_gift_coins":100,"total_unique_gift_senders":0,` +
				`"total_likes_received":0,"total_messages":3,"fetched_at":"2026-11-23T12:00:00Z"}`,
		},
		{name: "health without credentials", call: getAs("", "/healthz"), want: `{"status":"ok","version":"v1.2.3"}`},
		{name: "document without credentials", call: getAs("", "/openapi.json"), want: `"openapi": "3.1.0"`},
		{
			name: "batch",
			call: postBatch(`{"queries":[{"room_id":"r","account":"b"},{"room_id":"r","account":""},{"room_id":"r","account":"unlucky"}]}`).
				withHeader("Content-Type", "application/json; charset=utf-8"),
			want: `"succeeded":1,"failed":2`,
		},
		{
			name: "batch without a content type",
			call: postBatch(`{"queries":[{"room_id":"<r>","account":"b"}]}`),
			want: `"room_id":"<r>"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, test.call)
			if response.Code != 200 || !strings.Contains(response.Body.String(), test.want) {
				t.Errorf("%d %s\nwant %s", response.Code, response.Body, test.want)
			}
			for name, want := range map[string]string{
				"Content-Type":           "application/json",
				"Cache-Control":          "no-store",
				"X-Content-Type-Options": "nosniff",
			} {
				if got := response.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			contract.check(t, test.call.request(), response)
		})
	}
}

func TestBatchKeepsOrder(t *testing.T) {
	var queries []giftstats.Query
	for i := range 1000 {
		queries = append(queries, giftstats.Query{RoomID: "r", Account: fmt.Sprint(i)})
	}
	body, _ := json.Marshal(map[string]any{"queries": queries})
	batch := postBatch(string(body))
	response := send(newHandler(t, engine{}, document, io.Discard, nil), batch)
	openAPI(t).check(t, batch.request(), response)
	var got struct {
		Results           []struct{ Account string }
		Succeeded, Failed int
	}
	if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Succeeded != 1000 || got.Failed != 0 {
		t.Fatalf("%d succeeded, %d failed", got.Succeeded, got.Failed)
	}
	for i, result := range got.Results {
		if result.Account != fmt.Sprint(i) {
			t.Fatalf("result %d is for %s", i, result.Account)
		}
	}
}

// A result is matched by its position: the ids of an invalid query are cut to the lengths that are allowed.
func TestBatchCutsIDsOfInvalidQueries(t *testing.T) {
	long := "r" + strings.Repeat("房", 300_000)
	for _, test := range []struct {
		name          string
		query         giftstats.Query
		room, account string
		text          string
	}{
		{
			name: "room too long", query: giftstats.Query{RoomID: long, Account: "a"},
			room: "r" + strings.Repeat("房", 15), account: "a", text: "room_id has 900001 bytes; at most 48 are allowed",
		},
		{
			name: "account too long", query: giftstats.Query{RoomID: "r", Account: strings.Repeat("x", 33)},
			room: "r", account: strings.Repeat("x", 32), text: "account has 33 bytes; at most 32 are allowed",
		},
		{
			name: "as long as allowed", query: giftstats.Query{RoomID: strings.Repeat("房", 16), Account: ""},
			room: strings.Repeat("房", 16), account: "", text: "account is missing or empty",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"queries": []giftstats.Query{{RoomID: "r", Account: "a"}, test.query}})
			if err != nil {
				t.Fatal(err)
			}
			batch := postBatch(string(body))
			response := send(newHandler(t, engine{}, document, io.Discard, nil), batch)
			openAPI(t).check(t, batch.request(), response)
			var got struct {
				Results []struct {
					giftstats.Query
					Error problem.Details
				}
			}
			if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil || len(got.Results) != 2 {
				t.Fatalf("%v in %.300s", err, response.Body)
			}
			if want := (giftstats.Query{RoomID: test.room, Account: test.account}); got.Results[1].Query != want {
				t.Errorf("the second result is of %+v, want %+v", got.Results[1].Query, want)
			}
			if detail := got.Results[1].Error.Detail; !strings.HasPrefix(detail, test.text) {
				t.Errorf("detail %q, want %q", detail, test.text)
			}
		})
	}
}

func TestBasePath(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) { c.BasePath = "/prod" })
	for target, want := range map[string]int{
		"/prod" + oneAccount: 200,
		"/prod/healthz":      200,
		oneAccount:           404,
		"/prod":              404,
		"/prodx/healthz":     404,
		"/prod/prod/healthz": 404,
		"/prod//healthz":     404,
		"/other/healthz":     404,
	} {
		if response := send(h, get(target)); response.Code != want {
			t.Errorf("%s: %d, want %d", target, response.Code, want)
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, nil)
	for target, want := range map[string]int{"/healthz": 200, oneAccount: 200, "/nowhere": 404} {
		response := send(h, call{method: "HEAD", target: target})
		if response.Code != want {
			t.Errorf("HEAD %s: %d, want %d", target, response.Code, want)
		}
		if response.Body.Len() != 0 {
			t.Errorf("HEAD %s: body %q", target, response.Body)
		}
		if response.Header().Get("Content-Length") == "0" {
			t.Errorf("HEAD %s: Content-Length is that of an empty body", target)
		}
	}
}

func TestRequestID(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, nil)
	for _, test := range []struct {
		name, id string
		kept     bool
	}{
		{name: "printable", id: "abc-123=", kept: true},
		{name: "longest", id: strings.Repeat("x", 128), kept: true},
		{name: "none", id: ""},
		{name: "space", id: "with space"},
		{name: "line break", id: "line\nbreak"},
		{name: "too long", id: strings.Repeat("x", 129)},
		{name: "not ASCII", id: "é"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := send(h, get("/healthz").withHeader("X-Request-Id", test.id)).Header().Get("X-Request-Id")
			if got == "" || (got == test.id) != test.kept {
				t.Errorf("the response to %q has %q", test.id, got)
			}
		})
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, engine{}, document, &log, nil)
	send(h, get(oneAccount))
	send(h, get("/v1/gift-stats?room_id=r&account=panic").withHeader("X-Request-Id", "id-7"))
	send(h, postBatch(`{"queries":[{"room_id":"r","account":"unlucky"}]}`))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, wants := range [][]string{
		{`"msg":"secret read"`, `"secret_refreshes":1`, `"request_id":"`},
		{
			`"level":"INFO"`, `"msg":"request"`, `"request_id":"`, `"route":"/v1/gift-stats"`, `"status":200`, `"requests":1`,
			`"cold_start":true`, `"cold_starts":1`, `"room_id":"r"`, `"caller":"backoffice"`, `"account":"a"`,
		},
		{
			`"level":"ERROR"`, `"request_id":"id-7"`, `"cold_start":false`, `"errors":1`, `"code":"internal"`,
			"panic: bug", "goroutine", "setup_test.go",
		},
		{`"level":"WARN"`, `"msg":"query of a batch failed"`, `"request_id":"`, `"errors":1`, `"code":"internal"`, "cause"},
		{`"level":"INFO"`, `"status":200`},
	} {
		for _, want := range wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("line %d lacks %s: %s", i, want, lines[i])
			}
		}
	}
}

func TestLogHasNoAccountsAtLevelInfo(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	})
	send(h, get(oneAccount))
	if !strings.Contains(log.String(), `"room_id"`) || strings.Contains(log.String(), `"account"`) {
		t.Errorf("log = %s", log.String())
	}
}

func ExampleNew() {
	h, err := httpapi.New(newConfig(engine{}, document, io.Discard))
	if err != nil {
		fmt.Println(err)
		return
	}
	response := send(h, get("/v1/gift-stats?room_id=room_id&account=user1"))
	var stats giftstats.Stats
	json.Unmarshal(response.Body.Bytes(), &stats)
	fmt.Println(response.Code, stats.Account, "received", stats.TotalCoins, "coins")
	// Output: 200 user1 received 100 coins
}
