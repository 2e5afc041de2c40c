package httpapi_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/console"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
)

// The page needs no credentials: it has nothing to hide, and asks for a key itself.
func TestConsole(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, engine{}, document, &log, func(c *httpapi.Config) { c.Console, c.BasePath = true, "/prod" })
	for _, file := range console.Files() {
		response := send(h, getAs("", "/prod"+file.Path))
		if response.Code != http.StatusOK {
			t.Errorf("%s: status %d, want 200: %s", file.Path, response.Code, response.Body)
		}
		if got := response.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; ") {
			t.Errorf("%s: Content-Security-Policy is %q", file.Path, got)
		}
		if !strings.Contains(log.String(), `"route":"`+file.Path+`","status":200`) {
			t.Errorf("%s: no log line in %s", file.Path, &log)
		}
		post := send(h, call{method: http.MethodPost, target: "/prod" + file.Path})
		if got := post.Header().Get("Allow"); post.Code != http.StatusMethodNotAllowed || got != "GET, HEAD" {
			t.Errorf("POST %s: status %d, Allow %q; want 405 and GET, HEAD", file.Path, post.Code, got)
		}
		head := send(h, call{method: http.MethodHead, target: "/prod" + file.Path})
		if head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: status %d, %d bytes; want 200 and none", file.Path, head.Code, head.Body.Len())
		}
	}
}

func TestConsoleMatchesTheContract(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) { c.Console = true })
	contract := openAPI(t)
	page := get("/")
	response := send(h, page)
	contract.check(t, page.request(), response)
	again := send(h, page.withHeader("If-None-Match", response.Header().Get("ETag")))
	if _, described := contract.response(page.request(), again.Code); again.Code != http.StatusNotModified || !described {
		t.Errorf("the second request has the status %d, described %v; want 304", again.Code, described)
	}
}

func TestConsoleIsOffByDefault(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, nil)
	for _, file := range console.Files() {
		if got := problemIn(t, send(h, get(file.Path))); got.Code != giftstats.CodeNotFound {
			t.Errorf("%s: code %s, want not_found", file.Path, got.Code)
		}
	}
}
