package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// refusal is a call that gets a problem.
type refusal struct {
	name string
	call call
	code giftstats.Code
	text string // part of the problem's detail
}

// checkRefusals checks the refusals of a handler without a ledger.
func checkRefusals(t *testing.T, refusals []refusal) {
	t.Helper()
	checkRefusalsOf(t, newHandler(t, engine{}, document, io.Discard, nil), refusals)
}

func checkRefusalsOf(t *testing.T, h http.Handler, refusals []refusal) {
	t.Helper()
	contract := openAPI(t)
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, test.call)
			got := problemIn(t, response)
			if got.Code != test.code || !strings.Contains(got.Detail, test.text) {
				t.Errorf("%d %s\nwant %s with %q", response.Code, response.Body, test.code, test.text)
			}
			if challenges := response.Header().Values("WWW-Authenticate"); (len(challenges) == 2) != (response.Code == 401) {
				t.Errorf("status %d with challenges %q", response.Code, challenges)
			}
			if allow := response.Header().Get("Allow"); (allow != "") != (response.Code == 405) {
				t.Errorf("status %d with Allow %q", response.Code, allow)
			}
			contract.check(t, test.call.request(), response)
		})
	}
}

func TestUnauthenticated(t *testing.T) {
	const code = giftstats.CodeUnauthenticated
	checkRefusals(t, []refusal{
		{name: "no credentials", call: getAs("", oneAccount), code: code, text: "missing credentials"},
		{name: "wrong key", call: getAs("Bearer wrong", oneAccount), code: code, text: "unknown API key"},
		{name: "empty key", call: getAs("Bearer ", oneAccount), code: code, text: "unknown API key"},
		{name: "the hash as key", call: getAs("Bearer "+hashOf(apiKey), oneAccount), code: code, text: "unknown API key"},
		{
			name: "unsupported scheme", call: getAs("Digest x", oneAccount), code: code,
			text: "unsupported authorization scheme; use Bearer with an API key or Basic with account:usersig",
		},
		{name: "not base64", call: getAs("Basic %%%", oneAccount), code: code, text: "must be account:usersig in base64"},
		{name: "no colon", call: getAs("Basic aGVsbG8=", oneAccount), code: code, text: "must be account:usersig in base64"},
		{name: "no account", call: getAs(basic("", "x"), oneAccount), code: code, text: "invalid account"},
		{
			name: "UserSig of another account", call: getAs(basic("host", sigOf(t, "guest", fakeKey)), oneAccount), code: code,
			text: "not valid for this account",
		},
		{
			name: "UserSig of another key", call: getAs(basic("host", sigOf(t, "host", "other")), oneAccount), code: code,
			text: "not valid for this account",
		},
	})
}

func TestForbidden(t *testing.T) {
	const code = giftstats.CodeForbidden
	self := basic("host", sigOf(t, "host", fakeKey))
	checkRefusals(t, []refusal{
		{name: "UserSig for another account", call: getAs(self, oneAccount), code: code, text: "gives access only to its own account"},
		{name: "UserSig for a room", call: getAs(self, "/v1/room-stats?room_id=r"), code: code, text: "needs an API key"},
		{name: "UserSig for a batch", call: postBatch("{}").withHeader("Authorization", self), code: code, text: "needs an API key"},
	})
}

func TestInvalidParameters(t *testing.T) {
	const code = giftstats.CodeInvalidRequest
	checkRefusals(t, []refusal{
		{name: "no room", call: get("/v1/gift-stats?account=a"), code: code, text: "room_id is missing or empty"},
		{name: "no account", call: get("/v1/gift-stats?room_id=r"), code: code, text: "account is missing or empty"},
		{
			name: "room too long", call: get("/v1/room-stats?room_id=" + strings.Repeat("x", 49)), code: code,
			text: "room_id has 49 bytes",
		},
		{
			name: "parameter twice", call: get(oneAccount + "&room_id=s"), code: code,
			text: "parameter room_id appears 2 times; give it once",
		},
		{
			name: "unknown parameter", call: get(oneAccount + "&user=x"), code: code,
			text: `unknown parameter "user"; use room_id, account`,
		},
		{name: "wrong escape", call: get("/v1/gift-stats?room_id=%zz"), code: code, text: "invalid query string"},
		{
			name: "room not UTF-8", call: get("/v1/gift-stats?room_id=%ff&account=a"), code: code,
			text: "room_id is not valid UTF-8",
		},
		{
			name: "parameter of a batch", call: call{method: "POST", target: "/v1/gift-stats?room_id=r", body: "{}"}, code: code,
			text: `unknown parameter "room_id"; this call has no parameters`,
		},
	})
}

func TestInvalidBodies(t *testing.T) {
	const code = giftstats.CodeInvalidRequest
	checkRefusals(t, []refusal{
		{name: "empty", call: postBatch(""), code: code, text: "the body is empty"},
		{name: "not JSON", call: postBatch("room=r"), code: code, text: "invalid JSON at byte 1"},
		{name: "incomplete JSON", call: postBatch(`{"queries":[`), code: code, text: "invalid JSON: unexpected end of the body"},
		{name: "more than JSON", call: postBatch(`{"queries":[]} {}`), code: code, text: "has data after the JSON object"},
		{name: "an array", call: postBatch(`[]`), code: code, text: "the body has a JSON array in place of an object"},
		{name: "wrong type", call: postBatch(`{"queries":{}}`), code: code, text: "queries has a JSON object in place of an array"},
		{
			name: "entry of the wrong type", call: postBatch(`{"queries":[[]]}`), code: code,
			text: "queries[0] has a JSON array in place of an object",
		},
		{
			name: "field of the wrong type", call: postBatch(`{"queries":[{"room_id":7,"account":"a"}]}`), code: code,
			text: "queries[0].room_id has a JSON number in place of a string",
		},
		{name: "unknown field", call: postBatch(`{"querys":[]}`), code: code, text: `unknown field "querys"; use queries`},
		{
			name: "unknown field of the fourth entry", code: code,
			call: postBatch(`{"queries":[{},{},{},{"room_id":"r","acount":"a"}]}`),
			text: `unknown field "queries[3].acount"; use room_id, account (names are case-sensitive)`,
		},
		{
			name: "field in another case", call: postBatch(`{"Queries":[{"room_id":"r","account":"a"}]}`), code: code,
			text: `unknown field "Queries"; use queries (names are case-sensitive)`,
		},
		{
			name: "field of an entry in another case", call: postBatch(`{"queries":[{"room_id":"r","account":"a","ACCOUNT":"b"}]}`), code: code,
			text: `unknown field "queries[0].ACCOUNT"`,
		},
		{
			name: "two accounts, of which the last would win", call: postBatch(`{"queries":[{"room_id":"r","account":"a","account":"b"}]}`),
			code: code, text: "queries[0].account appears more than once",
		},
		{
			name: "two lists, which would be merged", code: code, text: "queries appears more than once",
			call: postBatch(`{"queries":[{"room_id":"r","account":"a"}],"queries":[{"room_id":"s"}]}`),
		},
		{
			name: "null account, which would be a missing one", call: postBatch(`{"queries":[{"room_id":"r","account":null}]}`), code: code,
			text: "queries[0].account has null in place of a string",
		},
		{
			name: "null entry, which would be an empty one", call: postBatch(`{"queries":[null]}`), code: code,
			text: "queries[0] has null in place of an object",
		},
		{name: "null body", call: postBatch(`null`), code: code, text: "the body has null in place of an object"},
		{name: "not UTF-8", call: postBatch("{\"queries\":[{\"room_id\":\"\xff\"}]}"), code: code, text: "the body is not valid UTF-8"},
		{name: "no queries", call: postBatch(`{"queries":[]}`), code: code, text: "queries has 0 entries; give 1 to 1000"},
		{
			name: "too many queries", call: postBatch(`{"queries":[{}` + strings.Repeat(",{}", 1000) + `]}`), code: code,
			text: "queries has 1001 entries",
		},
		{
			name: "too large", call: postBatch(`{"queries":"` + strings.Repeat("x", 1<<20) + `"}`),
			code: giftstats.CodePayloadTooLarge, text: "larger than 1048576 bytes",
		},
		{
			name: "another content type", call: postBatch("{}").withHeader("Content-Type", "text/plain"),
			code: giftstats.CodeUnsupportedMediaType, text: "must be application/json",
		},
		{
			name: "invalid content type", call: postBatch("{}").withHeader("Content-Type", ";"),
			code: giftstats.CodeUnsupportedMediaType, text: "must be application/json",
		},
	})
}

// Each of these would be an answer as large as the request, or six times as large.
func TestAnswersDoNotRepeatLongNames(t *testing.T) {
	const most = 1 << 10
	h := newHandler(t, engine{}, document, io.Discard, nil)
	long := strings.Repeat("\x01", 20) + strings.Repeat("x", 900_000)
	quoted, err := json.Marshal(long)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		body string
	}{
		{name: "unknown field", body: fmt.Sprintf(`{%s:1}`, quoted)},
		{name: "unknown field of an entry", body: fmt.Sprintf(`{"queries":[{%s:1}]}`, quoted)},
		{name: "field of the wrong type in an unknown one", body: fmt.Sprintf(`{%s:{"a":[]}}`, quoted)},
		{name: "invalid query", body: fmt.Sprintf(`{"queries":[{"room_id":%s,"account":"a"}]}`, quoted)},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, postBatch(test.body))
			if size := response.Body.Len(); size > most {
				t.Errorf("the answer has %d bytes, want at most %d: %.300s", size, most, response.Body)
			}
		})
	}
}

func TestUnknownRoutes(t *testing.T) {
	const code, text = giftstats.CodeNotFound, "unknown path; see /openapi.json"
	checkRefusals(t, []refusal{
		{name: "unknown path", call: get("/v2/gift-stats"), code: code, text: text},
		{name: "root", call: get("/"), code: code, text: text},
		{name: "trailing slash", call: get("/healthz/"), code: code, text: text},
		{name: "double slash", call: get("//healthz"), code: code, text: text},
		{name: "dots", call: get("/v1/../healthz"), code: code, text: text},
		{name: "escaped slash", call: get("/v1%2Fgift-stats"), code: code, text: text},
		{name: "escaped letter", call: get("/v1/gift%2Dstats"), code: code, text: text},
		{
			name: "method", call: call{method: http.MethodDelete, target: "/v1/gift-stats"},
			code: giftstats.CodeMethodNotAllowed, text: `method "DELETE" is not allowed; use GET, POST, HEAD`,
		},
		{
			name: "method of /healthz", call: call{method: http.MethodPost, target: "/healthz"},
			code: giftstats.CodeMethodNotAllowed, text: "use GET, HEAD",
		},
	})
}

func TestPanicIsAnInternalError(t *testing.T) {
	checkRefusals(t, []refusal{{
		name: "engine", call: get("/v1/gift-stats?room_id=r&account=panic"),
		code: giftstats.CodeInternal, text: "internal error; the log has the cause",
	}})
}

func TestEngineFailures(t *testing.T) {
	contract := openAPI(t)
	for _, code := range giftstats.Codes() {
		if code == giftstats.CodeUnauthenticated || code == giftstats.CodeMethodNotAllowed {
			continue // need headers that an engine cannot set
		}
		failure := &giftstats.Error{
			Code: code, Detail: "detail", RetryAfter: 1500 * time.Millisecond, Err: errors.New("cause"),
			Upstream: &giftstats.Upstream{ErrorCode: 60007, ErrorInfo: "info", RequestID: "Id-2"},
		}
		h := newHandler(t, engine{failure}, document, io.Discard, nil)
		for _, target := range []string{oneAccount, "/v1/room-stats?room_id=r"} {
			t.Run(string(code)+" "+target, func(t *testing.T) {
				response := send(h, get(target))
				got := problemIn(t, response)
				if got.Code != code {
					t.Errorf("code %s", got.Code)
				}
				if got.Upstream == nil {
					t.Errorf("no upstream in %s", response.Body)
				}
				if strings.Contains(response.Body.String(), "cause") {
					t.Errorf("the response shows the cause: %s", response.Body)
				}
				wantAfter := map[int]string{429: "2", 503: "2"}[response.Code]
				if code == giftstats.CodeUpstreamCredentials {
					wantAfter = "2" // with a RetryAfter it is temporary
				}
				if got.Retryable != failure.Retryable() {
					t.Errorf("retryable is %v", got.Retryable)
				}
				if after := response.Header().Get("Retry-After"); after != wantAfter {
					t.Errorf("Retry-After is %q, want %q", after, wantAfter)
				}
				request := get(target).request()
				if _, documented := contract.response(request, response.Code); documented {
					contract.check(t, request, response)
				}
			})
		}
	}
}

func TestSecretUnavailable(t *testing.T) {
	down := func() ([]byte, error) { return nil, errors.New("store is down") }
	var log bytes.Buffer
	h := newHandler(t, engine{}, down, &log, nil)
	for _, c := range []call{get(oneAccount), getAs(basic("host", "x"), oneAccount)} {
		response := send(h, c)
		if got := problemIn(t, response); got.Code != giftstats.CodeSecretUnavailable {
			t.Errorf("code %s", got.Code)
		}
		if after := response.Header().Get("Retry-After"); after != "1" {
			t.Errorf("Retry-After is %q", after)
		}
	}
	if !strings.Contains(log.String(), "store is down") {
		t.Errorf("the log does not have the cause: %s", log.String())
	}
	if response := send(h, get("/healthz")); response.Code != 200 {
		t.Errorf("/healthz depends on the secret: %s", response.Body)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestBodyEndsEarly(t *testing.T) {
	r := httptest.NewRequest("POST", "/v1/gift-stats", brokenBody{})
	r.Header.Set("Authorization", "Bearer "+apiKey)
	response := httptest.NewRecorder()
	newHandler(t, engine{}, document, io.Discard, nil).ServeHTTP(response, r)
	if got := problemIn(t, response); got.Code != giftstats.CodeInvalidRequest {
		t.Errorf("%s", response.Body)
	}
}
