package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	fakeKey = "not-a-real-key"
	apiKey  = "not-a-real-api-key"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// engine gives 100 coins to everybody, or the error that it is set to.
type engine struct{ err error }

func (e engine) GiftCount(_ context.Context, query giftstats.Query) (giftstats.Stats, error) {
	switch {
	case query.Account == "panic":
		panic("bug with " + fakeKey[:3])
	case query.Account == "unlucky":
		return giftstats.Stats{}, &giftstats.Error{Code: giftstats.CodeInternal, Detail: "hidden", Err: errors.New("cause")}
	case e.err != nil:
		return giftstats.Stats{}, e.err
	}
	return giftstats.Stats{RoomID: query.RoomID, Account: query.Account, TotalCount: 2, TotalCoins: 100, GiftSenderCount: 1, UpstreamRequestID: "Id-1", FetchedAt: now}, nil
}

func (e engine) RoomStats(_ context.Context, roomID string) (giftstats.RoomStats, error) {
	messages := int64(3)
	return giftstats.RoomStats{RoomID: roomID, RoomTotals: giftstats.RoomTotals{TotalGiftCoins: 100, TotalMessages: &messages}, FetchedAt: now}, e.err
}

func (e engine) RoomInfo(context.Context, string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{}, e.err
}

type store func() ([]byte, error)

func (s store) Fetch(context.Context) ([]byte, error) { return s() }

func document() ([]byte, error) {
	hash := sha256.Sum256([]byte(apiKey))
	return json.Marshal(map[string]any{
		"sdk_app_id": 1400000000, "admin": "administrator", "secret_key": fakeKey, "api_keys": map[string]string{"backoffice": hex.EncodeToString(hash[:])},
		"webhook": map[string]string{"live_token": "xxxxyyyy", "trtc_key": "123654", "css_key": "somekey"},
	})
}

// newHandler serves an engine; change may alter the configuration.
func newHandler(e giftstats.Engine, s store, log io.Writer, change func(*httpapi.Config)) http.Handler {
	logger := slog.New(telemetry.Handler{Handler: slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})})
	config := httpapi.Config{
		Meter:   new(telemetry.Meter),
		Service: giftstats.NewService(e), Version: "v1.2.3", Now: time.Now, Logger: logger,
		Secrets:     secret.NewCache(secret.Options{Store: s, TTL: time.Hour, Now: time.Now, Logger: logger}),
		Auth:        httpapi.Auth{APIKey: true, UserSig: true},
		StreamEnded: func(context.Context, streamend.Event) error { return nil },
	}
	if change != nil {
		change(&config)
	}
	return httpapi.New(config)
}

func basic(account, sig string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+sig))
}

// sigOf signs for an account of the app.
func sigOf(t testing.TB, account, key string) string {
	t.Helper()
	sig, err := usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: 1400000000, Account: account, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// question is a request; without credentials of its own it comes with the api key.
type question struct {
	method, target, body string
	header               map[string]string
}

func (q question) request() *http.Request {
	if q.method == "" {
		q.method = http.MethodGet
	}
	r := httptest.NewRequest(q.method, q.target, strings.NewReader(q.body))
	r.Header.Set("Authorization", "Bearer "+apiKey)
	for name, value := range q.header {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	return r
}

func ask(h http.Handler, q question) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, q.request())
	return recorder
}

const one = "/v1/gift-stats?room_id=r&account=a"

func TestAnswers(t *testing.T) {
	h := newHandler(engine{}, document, io.Discard, nil)
	contract := openAPI(t)
	for _, test := range []struct {
		name string
		question
		want string
	}{
		{"gift stats", question{target: one}, `{"room_id":"r","account":"a","total_count":2,"total_coins":100,"gift_sender_count":1,"upstream_request_id":"Id-1","fetched_at":"2026-11-23T12:00:00Z"}`},
		{"escaped ids", question{target: "/v1/gift-stats?room_id=a%2Fb%20%26&account=%E6%88%BF"}, `{"room_id":"a/b &","account":"房","total_count":2,"total_coins":100,"gift_sender_count":1,"upstream_request_id":"Id-1","fetched_at":"2026-11-23T12:00:00Z"}`},
		{"own UserSig", question{target: "/v1/gift-stats?room_id=r", header: map[string]string{"Authorization": basic("host:1", sigOf(t, "host:1", fakeKey))}}, `"account":"host:1"`},
		{"own UserSig and account", question{target: "/v1/gift-stats?room_id=r&account=host", header: map[string]string{"Authorization": basic("host", sigOf(t, "host", fakeKey))}}, `"account":"host"`},
		{"scheme in another case", question{target: one, header: map[string]string{"Authorization": "bearer " + apiKey}}, `"account":"a"`},
		{"room stats", question{target: "/v1/room-stats?room_id=r"}, `{"room_id":"r","total_viewers":0,"total_gifts_sent":0,"total_gift_coins":100,"total_unique_gift_senders":0,"total_likes_received":0,"total_messages":3,"fetched_at":"2026-11-23T12:00:00Z"}`},
		{"health without credentials", question{target: "/healthz", header: map[string]string{"Authorization": ""}}, `{"status":"ok","version":"v1.2.3"}`},
		{"document without credentials", question{target: "/openapi.json", header: map[string]string{"Authorization": ""}}, `"openapi": "3.1.0"`},
		{"batch", question{method: "POST", target: "/v1/gift-stats", body: `{"queries":[{"room_id":"r","account":"b"},{"room_id":"r","account":""},{"room_id":"r","account":"unlucky"}]}`, header: map[string]string{"Content-Type": "application/json; charset=utf-8"}}, `"succeeded":1,"failed":2`},
		{"batch without a content type", question{method: "POST", target: "/v1/gift-stats", body: `{"queries":[{"room_id":"<r>","account":"b"}]}`}, `"room_id":"<r>"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(h, test.question)
			if answer.Code != 200 || !strings.Contains(answer.Body.String(), test.want) {
				t.Errorf("%d %s\nwant %s", answer.Code, answer.Body, test.want)
			}
			for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
				if got := answer.Header().Get(name); got != want {
					t.Errorf("%s is %q", name, got)
				}
			}
			contract.check(t, test.request(), answer)
		})
	}
}

func TestBatchKeepsOrder(t *testing.T) {
	var queries []giftstats.Query
	for i := range 1000 {
		queries = append(queries, giftstats.Query{RoomID: "r", Account: fmt.Sprint(i)})
	}
	body, _ := json.Marshal(map[string]any{"queries": queries})
	h := newHandler(engine{}, document, io.Discard, nil)
	q := question{method: "POST", target: "/v1/gift-stats", body: string(body)}
	answer := ask(h, q)
	openAPI(t).check(t, q.request(), answer)
	var got struct {
		Results           []struct{ Account string }
		Succeeded, Failed int
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || got.Succeeded != 1000 || got.Failed != 0 {
		t.Fatalf("%v: %d succeeded, %d failed", err, got.Succeeded, got.Failed)
	}
	for i, result := range got.Results {
		if result.Account != fmt.Sprint(i) {
			t.Fatalf("result %d is for %s", i, result.Account)
		}
	}
}

func TestRefusals(t *testing.T) {
	h := newHandler(engine{}, document, io.Discard, nil)
	contract := openAPI(t)
	credentials := func(value string) map[string]string { return map[string]string{"Authorization": value} }
	self := credentials(basic("host", sigOf(t, "host", fakeKey)))
	post := func(body string) question { return question{method: "POST", target: "/v1/gift-stats", body: body} }
	for _, test := range []struct {
		name string
		question
		code giftstats.Code
		text string
	}{
		{"no credentials", question{target: one, header: credentials("")}, "unauthenticated", "credentials are missing"},
		{"wrong key", question{target: one, header: credentials("Bearer wrong")}, "unauthenticated", "the api key is not known"},
		{"empty key", question{target: one, header: credentials("Bearer ")}, "unauthenticated", "the api key is not known"},
		{"the hash as key", question{target: one, header: credentials("Bearer " + hashOf(apiKey))}, "unauthenticated", "the api key is not known"},
		{"another scheme", question{target: one, header: credentials("Digest x")}, "unauthenticated", "use Bearer with an api key or Basic with account:usersig"},
		{"no base64", question{target: one, header: credentials("Basic %%%")}, "unauthenticated", "not base64 of account:usersig"},
		{"no colon", question{target: one, header: credentials("Basic aGVsbG8=")}, "unauthenticated", "not base64 of account:usersig"},
		{"no account", question{target: one, header: credentials(basic("", "x"))}, "unauthenticated", "hold no valid account"},
		{"UserSig of another account", question{target: one, header: credentials(basic("host", sigOf(t, "guest", fakeKey)))}, "unauthenticated", "not valid for this account"},
		{"UserSig of another key", question{target: one, header: credentials(basic("host", sigOf(t, "host", "other")))}, "unauthenticated", "not valid for this account"},
		{"UserSig for another's numbers", question{target: one, header: self}, "forbidden", "its own account's numbers only"},
		{"UserSig for a room", question{target: "/v1/room-stats?room_id=r", header: self}, "forbidden", "needs an api key"},
		{"UserSig for a batch", question{method: "POST", target: "/v1/gift-stats", body: "{}", header: self}, "forbidden", "needs an api key"},

		{"no room", question{target: "/v1/gift-stats?account=a"}, "invalid_request", "room_id is missing or empty"},
		{"no account given", question{target: "/v1/gift-stats?room_id=r"}, "invalid_request", "account is missing or empty"},
		{"room too long", question{target: "/v1/room-stats?room_id=" + strings.Repeat("x", 49)}, "invalid_request", "room_id has 49 bytes"},
		{"parameter twice", question{target: one + "&room_id=s"}, "invalid_request", "the parameter room_id stands there 2 times"},
		{"unknown parameter", question{target: one + "&user=x"}, "invalid_request", `the parameter "user" is not known; this path takes room_id and account`},
		{"broken escape", question{target: "/v1/gift-stats?room_id=%zz"}, "invalid_request", "not escaped as it should be"},
		{"room not UTF-8", question{target: "/v1/gift-stats?room_id=%ff&account=a"}, "invalid_request", "room_id is not valid UTF-8"},
		{"parameter on a batch", question{method: "POST", target: one, body: "{}"}, "invalid_request", "is not known"},
		{"empty body", post(""), "invalid_request", "the body is empty"},
		{"no JSON", post("room=r"), "invalid_request", "the body is no JSON: see byte 1"},
		{"cut JSON", post(`{"queries":[`), "invalid_request", "it ends in the middle"},
		{"more than JSON", post(`{"queries":[]} {}`), "invalid_request", "goes on after the JSON document"},
		{"an array", post(`[]`), "invalid_request", "the body must be an object, not a JSON array"},
		{"wrong type", post(`{"queries":{}}`), "invalid_request", "queries must be an array, not a JSON object"},
		{"wrong entry", post(`{"queries":[[]]}`), "invalid_request", "each of queries must be an object, not a JSON array"},
		{"wrong type inside", post(`{"queries":[{"room_id":7,"account":"a"}]}`), "invalid_request", "room_id must be a string, not a JSON number"},
		{"unknown field", post(`{"querys":[]}`), "invalid_request", `the field "querys" is not known`},
		{"body not UTF-8", post("{\"queries\":[{\"room_id\":\"\xff\"}]}"), "invalid_request", "the body is not valid UTF-8"},
		{"no queries", post(`{"queries":[]}`), "invalid_request", "queries has 0 entries; give 1 to 1000"},
		{"too many queries", post(`{"queries":[{}` + strings.Repeat(",{}", 1000) + `]}`), "invalid_request", "queries has 1001 entries"},
		{"too large", post(`{"queries":"` + strings.Repeat("x", 1<<20) + `"}`), "payload_too_large", "more than 1048576 bytes"},
		{"another content type", question{method: "POST", target: "/v1/gift-stats", body: "{}", header: map[string]string{"Content-Type": "text/plain"}}, "unsupported_media_type", "must be application/json"},
		{"content type that is none", question{method: "POST", target: "/v1/gift-stats", body: "{}", header: map[string]string{"Content-Type": ";"}}, "unsupported_media_type", "must be application/json"},

		{"no such path", question{target: "/v2/gift-stats"}, "not_found", "no such path"},
		{"root", question{target: "/"}, "not_found", "no such path"},
		{"trailing slash", question{target: "/healthz/"}, "not_found", "no such path"},
		{"doubled slash", question{target: "//healthz"}, "not_found", "no such path"},
		{"dots", question{target: "/v1/../healthz"}, "not_found", "no such path"},
		{"escaped slash", question{target: "/v1%2Fgift-stats"}, "not_found", "no such path"},
		{"escaped letter", question{target: "/v1/gift%2Dstats"}, "not_found", "no such path"},
		{"method", question{method: "DELETE", target: "/v1/gift-stats"}, "method_not_allowed", `does not take "DELETE"; it takes GET, POST, HEAD`},
		{"method of health", question{method: "POST", target: "/healthz"}, "method_not_allowed", "it takes GET, HEAD"},

		{"panic", question{target: "/v1/gift-stats?room_id=r&account=panic"}, "internal", "internal error; the log has the cause"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(h, test.question)
			problem := problemOf(t, answer)
			if problem.Code != test.code || !strings.Contains(problem.Detail, test.text) {
				t.Errorf("%d %s\nwant %s with %q", answer.Code, answer.Body, test.code, test.text)
			}
			if challenge := answer.Header().Values("WWW-Authenticate"); (len(challenge) == 2) != (answer.Code == 401) {
				t.Errorf("status %d with challenges %q", answer.Code, challenge)
			}
			if allow := answer.Header().Get("Allow"); (allow != "") != (answer.Code == 405) {
				t.Errorf("status %d with Allow %q", answer.Code, allow)
			}
			contract.check(t, test.request(), answer)
		})
	}
}

func hashOf(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

// problemOf wants a problem that is whole and agrees with its status line.
func problemOf(t *testing.T, answer *httptest.ResponseRecorder) problem.Details {
	t.Helper()
	var got problem.Details
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("no problem: %v in %s", err, answer.Body)
	}
	if got.Status != answer.Code || got.Title != http.StatusText(answer.Code) {
		t.Errorf("the problem disagrees with the status %d: %+v", answer.Code, got)
	}
	if got.RequestID == "" || got.RequestID != answer.Header().Get("X-Request-Id") {
		t.Errorf("request_id %q, X-Request-Id %q", got.RequestID, answer.Header().Get("X-Request-Id"))
	}
	return got
}

func TestFailuresOfTheEngine(t *testing.T) {
	contract := openAPI(t)
	for _, code := range giftstats.Codes() {
		if code == giftstats.CodeUnauthenticated || code == giftstats.CodeMethodNotAllowed {
			continue // have headers that only this package knows
		}
		failure := &giftstats.Error{Code: code, Detail: "detail", RetryAfter: 1500 * time.Millisecond, Err: errors.New("cause"),
			Upstream: &giftstats.Upstream{ErrorCode: 60007, ErrorInfo: "info", RequestID: "Id-2"}}
		h := newHandler(engine{failure}, document, io.Discard, nil)
		for _, target := range []string{one, "/v1/room-stats?room_id=r"} {
			q := question{target: target}
			answer := ask(h, q)
			problem := problemOf(t, answer)
			if problem.Code != code || problem.Upstream == nil || strings.Contains(answer.Body.String(), "cause") {
				t.Errorf("%s: %s", code, answer.Body)
			}
			wantAfter := map[int]string{429: "2", 503: "2"}[answer.Code]
			if got := answer.Header().Get("Retry-After"); got != wantAfter {
				t.Errorf("%s: Retry-After is %q, want %q", code, got, wantAfter)
			}
			if _, documented := contract.response(q.request(), answer.Code); documented {
				contract.check(t, q.request(), answer)
			}
		}
	}
}

func TestSecretUnavailable(t *testing.T) {
	down := func() ([]byte, error) { return nil, errors.New("store is down") }
	var log bytes.Buffer
	h := newHandler(engine{}, down, &log, nil)
	for _, header := range []map[string]string{nil, {"Authorization": basic("host", "x")}} {
		answer := ask(h, question{target: one, header: header})
		if problem := problemOf(t, answer); problem.Code != giftstats.CodeSecretUnavailable || answer.Header().Get("Retry-After") != "1" {
			t.Errorf("%s", answer.Body)
		}
	}
	if !strings.Contains(log.String(), "store is down") {
		t.Errorf("the log does not say why: %s", log.String())
	}
	if answer := ask(h, question{target: "/healthz"}); answer.Code != 200 {
		t.Errorf("health depends on the secret: %s", answer.Body)
	}
}

func TestAuthChoices(t *testing.T) {
	key, sig := question{target: one}, question{target: "/v1/gift-stats?room_id=r", header: map[string]string{"Authorization": basic("host", sigOf(t, "host", fakeKey))}}
	none := question{target: one, header: map[string]string{"Authorization": ""}}
	for _, test := range []struct {
		name           string
		auth           httpapi.Auth
		key, sig, none int
		challenges     int
	}{
		{"api-key", httpapi.Auth{APIKey: true}, 200, 401, 401, 1},
		{"usersig", httpapi.Auth{UserSig: true}, 401, 200, 401, 1},
		{"both", httpapi.Auth{APIKey: true, UserSig: true}, 200, 200, 401, 2},
		{"none", httpapi.Auth{}, 200, 400, 200, 0}, // with none, the account must be given
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHandler(engine{}, document, io.Discard, func(c *httpapi.Config) { c.Auth = test.auth })
			for _, pair := range []struct {
				question
				want int
			}{{key, test.key}, {sig, test.sig}, {none, test.none}} {
				answer := ask(h, pair.question)
				if answer.Code != pair.want {
					t.Errorf("%v: %d, want %d: %s", pair.header, answer.Code, pair.want, answer.Body)
				}
				if got := len(answer.Header().Values("WWW-Authenticate")); answer.Code == 401 && got != test.challenges {
					t.Errorf("%d challenges, want %d", got, test.challenges)
				}
			}
		})
	}
}

func TestTwoAuthorizationHeaders(t *testing.T) {
	r := question{target: one}.request()
	r.Header.Add("Authorization", "Bearer other")
	answer := httptest.NewRecorder()
	newHandler(engine{}, document, io.Discard, nil).ServeHTTP(answer, r)
	if problem := problemOf(t, answer); problem.Code != giftstats.CodeUnauthenticated || !strings.Contains(problem.Detail, "more than one") {
		t.Errorf("%s", answer.Body)
	}
}

func TestBasePath(t *testing.T) {
	h := newHandler(engine{}, document, io.Discard, func(c *httpapi.Config) { c.BasePath = "/prod" })
	for target, want := range map[string]int{
		"/prod" + one: 200, "/prod/healthz": 200, one: 404, "/prod": 404, "/prodx/healthz": 404, "/prod/prod/healthz": 404, "/prod//healthz": 404, "/other/healthz": 404,
	} {
		if answer := ask(h, question{target: target}); answer.Code != want {
			t.Errorf("%s: %d, want %d", target, answer.Code, want)
		}
	}
}

func TestHead(t *testing.T) {
	h := newHandler(engine{}, document, io.Discard, nil)
	for target, want := range map[string]int{"/healthz": 200, one: 200, "/nowhere": 404} {
		answer := ask(h, question{method: "HEAD", target: target})
		if answer.Code != want || answer.Body.Len() != 0 || answer.Header().Get("Content-Length") == "0" {
			t.Errorf("HEAD %s: %d with %d bytes", target, answer.Code, answer.Body.Len())
		}
	}
}

func TestRequestID(t *testing.T) {
	h := newHandler(engine{}, document, io.Discard, nil)
	for given, kept := range map[string]bool{"abc-123=": true, "": false, "with space": false, "line\nbreak": false, strings.Repeat("x", 129): false, "é": false} {
		got := ask(h, question{target: "/healthz", header: map[string]string{"X-Request-Id": given}}).Header().Get("X-Request-Id")
		if got == "" || (got == given) != kept {
			t.Errorf("given %q, answered with %q", given, got)
		}
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(engine{}, document, &log, nil)
	ask(h, question{target: one})
	ask(h, question{target: "/v1/gift-stats?room_id=r&account=panic", header: map[string]string{"X-Request-Id": "id-7"}})
	ask(h, question{method: "POST", target: "/v1/gift-stats", body: `{"queries":[{"room_id":"r","account":"unlucky"}]}`})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, wants := range [][]string{
		{`"msg":"secret read"`, `"secret_refreshes":1`, `"request_id":"`},
		{`"level":"INFO"`, `"msg":"request"`, `"request_id":"`, `"route":"/v1/gift-stats"`, `"status":200`, `"requests":1`, `"cold_start":true`, `"cold_starts":1`, `"room_id":"r"`, `"caller":"backoffice"`, `"account":"a"`},
		{`"level":"ERROR"`, `"request_id":"id-7"`, `"cold_start":false`, `"errors":1`, `"code":"internal"`, "panic: bug", "goroutine", "httpapi_test.go"},
		{`"level":"WARN"`, `"msg":"query of a batch failed"`, `"request_id":"`, `"errors":1`, `"code":"internal"`, "cause"},
		{`"level":"INFO"`, `"status":200`},
	} {
		for _, want := range wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("line %d lacks %s: %s", i, want, lines[i])
			}
		}
	}
	log.Reset()
	quiet := newHandler(engine{}, document, &log, func(c *httpapi.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	})
	if ask(quiet, question{target: one}); strings.Contains(log.String(), `"account"`) || !strings.Contains(log.String(), `"room_id"`) {
		t.Errorf("at info: %s", log.String())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestBodyThatBreaksOff(t *testing.T) {
	r := httptest.NewRequest("POST", "/v1/gift-stats", broken{})
	r.Header.Set("Authorization", "Bearer "+apiKey)
	answer := httptest.NewRecorder()
	newHandler(engine{}, document, io.Discard, nil).ServeHTTP(answer, r)
	if problem := problemOf(t, answer); problem.Code != giftstats.CodeInvalidRequest {
		t.Errorf("%s", answer.Body)
	}
}

func ExampleNew() {
	h := newHandler(engine{}, document, io.Discard, nil)
	fmt.Print(ask(h, question{target: "/v1/gift-stats?room_id=room_id&account=user1"}).Body)
	// Output: {"room_id":"room_id","account":"user1","total_count":2,"total_coins":100,"gift_sender_count":1,"upstream_request_id":"Id-1","fetched_at":"2026-11-23T12:00:00Z"}
}
