package httpapi_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
)

const (
	page      = "https://app.example.com"
	localPage = "http://localhost:5173"
)

// corsMethods are the methods that pages may use, by route.
var corsMethods = map[string]string{
	"/v1/gift-stats":  "GET, POST, HEAD",
	"/v1/room-stats":  "GET, HEAD",
	"/v1/streams":     "GET, HEAD",
	"/v1/top-senders": "GET, HEAD",
	"/v1/stream-ends": "POST",
	"/healthz":        "GET, HEAD",
	"/openapi.json":   "GET, HEAD",
}

// notListed are values of Origin that are close to a listed one, or stand for more than one page.
var notListed = map[string]string{
	"another page": "https://evil.example", "another scheme": "http://app.example.com", "another port": "https://app.example.com:8443",
	"subdomain": "https://x.app.example.com", "longer host": "https://app.example.com.evil.example", "upper case": "https://APP.example.com",
	"trailing slash": page + "/", "null": "null", "everyone": "*", "two": page + " " + localPage, "list": page + "," + localPage, "none": "",
}

func withPages(c *httpapi.Config) { c.CORSOrigins = []string{page, localPage} }

// preflight is the question of a browser whether a page may send a request with the method to target. It has no credentials.
func preflight(origin, method, target string) call {
	return call{method: http.MethodOptions, target: target, header: map[string]string{
		"Authorization": "", "Origin": origin, "Access-Control-Request-Method": method,
		"Access-Control-Request-Headers": "authorization,content-type",
	}}
}

// from is a call that a page sends.
func from(origin string, c call) call {
	header := map[string]string{"Origin": origin}
	maps.Copy(header, c.header)
	c.header = header
	return c
}

// corsHeaders returns the CORS headers of a response.
func corsHeaders(header http.Header) map[string]string {
	found := map[string]string{}
	for name, values := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			found[name] = strings.Join(values, "; ")
		}
	}
	return found
}

func TestPreflight(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withPages)
	for route, methods := range corsMethods {
		for _, origin := range []string{page, localPage} {
			for _, method := range []string{"GET", "POST", "DELETE"} { // of these, the browser allows the listed ones
				response := send(h, preflight(origin, method, route+"?room_id=r"))
				want := map[string]string{
					"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": methods,
					"Access-Control-Allow-Headers": "Accept, Authorization, Cache-Control, Content-Type", "Access-Control-Max-Age": "7200",
				}
				if got := corsHeaders(response.Header()); response.Code != http.StatusNoContent || !maps.Equal(got, want) {
					t.Errorf("%s from %s for %s: %d %v, want 204 %v", route, origin, method, response.Code, got, want)
				}
				if response.Body.Len() > 0 || response.Header().Get("Content-Length") != "" {
					t.Errorf("%s: the response to a preflight has a body or its length: %v %s", route, response.Header(), response.Body)
				}
				if vary := response.Header().Get("Vary"); vary != "Origin" {
					t.Errorf("%s: Vary is %q, want Origin", route, vary)
				}
			}
		}
	}
}

func TestPreflightOfAPageThatIsNotListed(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withPages)
	for name, origin := range notListed {
		for route := range corsMethods {
			response := send(h, preflight(origin, "GET", route))
			if got := corsHeaders(response.Header()); len(got) > 0 {
				t.Errorf("%s: the response to %s has %v", name, route, got)
			}
			if got := problemIn(t, response); got.Code != giftstats.CodeMethodNotAllowed {
				t.Errorf("%s: %s answers %s, want method_not_allowed", name, route, got.Code)
			}
			if vary := response.Header().Get("Vary"); vary != "Origin" {
				t.Errorf("%s: Vary of %s is %q, want Origin", name, route, vary)
			}
		}
	}
}

// A page can read all answers, errors included.
func TestResponsesToPages(t *testing.T) {
	self := basic("host", sigOf(t, "host", fakeKey))
	want := map[string]string{
		"Access-Control-Allow-Origin":   page,
		"Access-Control-Expose-Headers": "Age, Allow, Link, Retry-After, WWW-Authenticate, X-Request-Id",
	}
	limited := &giftstats.Error{Code: giftstats.CodeRateLimited, Detail: "detail"}
	for _, test := range []struct {
		name    string
		call    call
		failure error
		status  int
		vary    string
	}{
		{name: "own numbers", call: getAs(self, "/v1/gift-stats?room_id=r"), status: 200, vary: "Origin"},
		{name: "HEAD", call: call{method: "HEAD", target: oneAccount}, status: 200, vary: "Origin"},
		{name: "batch", call: postBatch(`{"queries":[{"room_id":"r","account":"a"}]}`), status: 200, vary: "Origin"},
		{name: "streams", call: getAs(self, "/v1/streams"), status: 200, vary: "Origin; Accept"},
		{name: "console", call: get("/"), status: 200, vary: "Origin; Accept-Encoding"},
		{name: "health", call: get("/healthz"), status: 200, vary: "Origin"},
		{name: "contract", call: get("/openapi.json"), status: 200, vary: "Origin"},
		{name: "no credentials", call: getAs("", oneAccount), status: 401, vary: "Origin"},
		{name: "forbidden", call: getAs(self, "/v1/room-stats?room_id=r"), status: 403, vary: "Origin"},
		{name: "invalid", call: get("/v1/gift-stats"), status: 400, vary: "Origin"},
		{name: "unknown path", call: get("/v1/nothing"), status: 404, vary: "Origin"},
		{name: "wrong method", call: call{method: "DELETE", target: "/v1/gift-stats"}, status: 405, vary: "Origin"},
		{name: "rate limit", call: get(oneAccount), failure: limited, status: 429, vary: "Origin"},
		{name: "panic", call: get("/v1/gift-stats?room_id=r&account=panic"), status: 500, vary: "Origin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHandler(t, engine{test.failure}, document, io.Discard, func(c *httpapi.Config) {
				withPages(c)
				withLedger(newLedger(t))(c)
				c.Console = true
			})
			response := send(h, from(page, test.call))
			if response.Code != test.status {
				t.Fatalf("status %d, want %d: %s", response.Code, test.status, response.Body)
			}
			if got := corsHeaders(response.Header()); !maps.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			for name, origin := range notListed {
				response := send(h, from(origin, test.call))
				if got := corsHeaders(response.Header()); response.Code != test.status || len(got) > 0 {
					t.Errorf("%s: %d with %v, want %d without CORS headers", name, response.Code, got, test.status)
				}
				if vary := strings.Join(response.Header().Values("Vary"), "; "); vary != test.vary {
					t.Errorf("%s: Vary is %q, want %q", name, vary, test.vary)
				}
			}
		})
	}
}

// Two headers Origin come from no browser.
func TestTwoOrigins(t *testing.T) {
	r := preflight(page, "GET", oneAccount).request()
	r.Header.Add("Origin", localPage)
	response := sendRequest(newHandler(t, engine{}, document, io.Discard, withPages), r)
	if got := corsHeaders(response.Header()); len(got) > 0 {
		t.Errorf("the response has %v", got)
	}
}

// An OPTIONS request that no browser would send as a preflight is one with a wrong method.
func TestOptionsWithoutPreflight(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withPages)
	response := send(h, from(page, call{method: http.MethodOptions, target: "/v1/gift-stats"}))
	if got := problemIn(t, response); got.Code != giftstats.CodeMethodNotAllowed {
		t.Errorf("code %s, want method_not_allowed", got.Code)
	}
}

func TestNoCORSForWebhooks(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
		withPages(c)
		c.BasePath = "/prod"
	})
	for _, kind := range []string{"live", "trtc", "css", "other"} {
		target := "/prod/v1/webhooks/" + kind
		for _, c := range []call{preflight(page, "POST", target), from(page, call{method: "POST", target: target, body: "{}"})} {
			response := send(h, c)
			if got := corsHeaders(response.Header()); response.Code < 400 || len(got) > 0 {
				t.Errorf("%s %s: %d with %v, want a refusal without CORS headers", c.method, target, response.Code, got)
			}
		}
	}
}

func TestPreflightUnderABasePath(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
		withPages(c)
		c.BasePath = "/prod"
	})
	for target, want := range map[string]int{"/prod/v1/gift-stats": 204, "/v1/gift-stats": 404, "/prod/v1/nothing": 404} {
		if response := send(h, preflight(page, "GET", target)); response.Code != want {
			t.Errorf("%s: %d, want %d", target, response.Code, want)
		}
	}
}

// Without the setting, responses are as if there were no CORS.
func TestNoCORSByDefault(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, nil)
	for _, c := range []call{
		preflight(page, "GET", oneAccount), from(page, get(oneAccount)), from(page, getAs("", oneAccount)), from(page, get("/v1/nothing")),
	} {
		with, without := send(h, c), send(h, from("", c))
		ignored := []string{"X-Request-Id"}
		for _, name := range slices.Sorted(maps.Keys(with.Header())) {
			if got, want := with.Header()[name], without.Header()[name]; !slices.Contains(ignored, name) && !slices.Equal(got, want) {
				t.Errorf("%s %s: with Origin, %s is %q, else %q", c.method, c.target, name, got, want)
			}
		}
		if with.Code != without.Code || with.Header().Get("Vary") != "" || len(corsHeaders(with.Header())) > 0 {
			t.Errorf("%s %s: %d %v, want %d without Vary", c.method, c.target, with.Code, with.Header(), without.Code)
		}
	}
	if response := send(h, preflight(page, "GET", oneAccount)); response.Code != http.StatusMethodNotAllowed {
		t.Errorf("OPTIONS answers %d, want 405", response.Code)
	}
}

func TestNewRefusesOriginsThatNeverMatch(t *testing.T) {
	for _, origin := range []string{"*", "null", "", "app.example.com", page + "/", "http://app.example.com"} {
		config := newConfig(engine{}, document, io.Discard)
		config.CORSOrigins = []string{page, origin}
		if _, err := httpapi.New(config); err == nil || !strings.Contains(err.Error(), "an entry of Config.CORSOrigins must") {
			t.Errorf("%q: error %v", origin, err)
		}
	}
}

// Without credentials of our own, the browser may add what the gateway accepts to the POST requests of any page. It lets a page send them
// without a preflight if they have no Content-Type. GET requests only read, and the page cannot see the response.
func TestPagesOfOthersCannotPostWithoutCredentials(t *testing.T) {
	open := func(c *httpapi.Config) {
		withPages(c)
		c.Auth = httpapi.Auth{Open: true}
	}
	read, end := call{target: "/v1/room-stats?room_id=r"}, call{method: "POST", target: "/v1/stream-ends", body: `{"room_id":"r"}`}
	batch := call{method: "POST", target: "/v1/gift-stats", body: `{"queries":[{"room_id":"r","account":"a"}]}`}
	for _, test := range []struct {
		name   string
		change func(*httpapi.Config)
		call   call
		want   int
	}{
		{name: "no page", change: open, call: end, want: 202},
		{name: "a listed page", change: open, call: from(page, end), want: 202},
		{name: "a page beside the API", change: open, call: from("https://example.com", end), want: 202},
		{name: "another page", change: open, call: from("https://evil.example", end), want: 403},
		{name: "a batch of another page", change: open, call: from("https://evil.example", batch), want: 403},
		{name: "a file", change: open, call: from("null", end), want: 403},
		{name: "another page reads", change: open, call: from("https://evil.example", read), want: 200},
		{name: "another page that has a key", change: withPages, call: from("https://evil.example", end), want: 202},
	} {
		if response := send(newHandler(t, engine{}, document, io.Discard, test.change), test.call); response.Code != test.want {
			t.Errorf("%s: status %d, want %d: %s", test.name, response.Code, test.want, response.Body)
		}
	}
}
