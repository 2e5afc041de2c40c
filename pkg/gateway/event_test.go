package gateway_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/gateway"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestBodies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		isBase64   bool
		want       string
	}{
		{"text", "房 {}", false, "房 {}"},
		{"empty", "", true, ""},
		{"bytes", "AP/+", true, "\x00\xff\xfe"},
		{"looks like base64", "AP/+", false, "AP/+"},
	} {
		body, err := gateway.DecodeBody(test.text, test.isBase64)
		if err != nil || string(body) != test.want {
			t.Errorf("%s: DecodeBody = %q, %v", test.name, body, err)
		}
	}
	_, err := gateway.DecodeBody("not base64!", true)
	if !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("DecodeBody of what is no base64: %v", err)
	}
	if text, isBase64 := (gateway.Response{Body: []byte("\x00\xff\xfe")}).Text(); text != "AP/+" || !isBase64 {
		t.Errorf("Text of bytes = %q, %v", text, isBase64)
	}
	if text, isBase64 := (gateway.Response{Body: []byte("房")}).Text(); text != "房" || isBase64 {
		t.Errorf("Text of text = %q, %v", text, isBase64)
	}
}

func TestJoined(t *testing.T) {
	t.Parallel()
	got := gateway.Response{Header: http.Header{"Www-Authenticate": {"Bearer", "Basic"}, "A": {"1"}}}.Joined()
	if want := "map[A:1 Www-Authenticate:Bearer, Basic]"; fmt.Sprint(got) != want {
		t.Errorf("Joined = %v, want %s", got, want)
	}
}

func TestLastAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		values []string
		want   string
	}{
		{"one", []string{"192.0.2.1"}, "192.0.2.1"},
		{"spoofed first", []string{"10.0.0.1, 192.0.2.1"}, "192.0.2.1"},
		{"two headers", []string{"10.0.0.1", "10.0.0.2,192.0.2.1"}, "192.0.2.1"},
		{"port", []string{"10.0.0.1, 192.0.2.1:443"}, "192.0.2.1"},
		{"IPv6", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 in brackets", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv6 with port", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"none", nil, ""},
		{"no address", []string{"192.0.2.1, unknown"}, ""},
		{"ends in a comma", []string{"192.0.2.1,"}, ""},
	} {
		if got := gateway.LastAddress(test.values); got != test.want {
			t.Errorf("%s: LastAddress(%q) = %q, want %q", test.name, test.values, got, test.want)
		}
	}
}

func TestUnrecognized(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		"":     "invalid_request: the payload is empty; send a request",
		"{":    "invalid_request: the payload is not JSON; send a request",
		"null": "invalid_request: the payload is no HTTP event; send a request",
	} {
		if got := gateway.Unrecognized([]byte(payload), "send a request").Error(); got != want {
			t.Errorf("%q: %q, want %q", payload, got, want)
		}
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := gateway.NewServer(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil)))
	got := server.Refuse(t.Context(), giftstats.Invalid("no event"), "")
	if got.Status != 400 || !strings.Contains(string(got.Body), `"code":"invalid_request"`) || len(got.Header.Values("X-Request-Id")) != 0 {
		t.Errorf("response = %+v %s", got, got.Body)
	}
	if !strings.Contains(log.String(), `level=WARN msg="event refused" request_id="" error="invalid_request: no event"`) {
		t.Errorf("log = %s", log.String())
	}
}

// Whatever the bytes: they come back from the text.
func FuzzText(f *testing.F) {
	f.Add([]byte("text"))
	f.Add([]byte{0xff, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		text, isBase64 := gateway.Response{Body: body}.Text()
		back, err := gateway.DecodeBody(text, isBase64)
		if err != nil || !bytes.Equal(back, body) || !utf8.ValidString(text) {
			t.Errorf("%q became %q (base64: %v) and %q, %v", body, text, isBase64, back, err)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	f.Add("AP/+")
	f.Add("!")
	f.Fuzz(func(t *testing.T, text string) {
		body, err := gateway.DecodeBody(text, true)
		if err == nil && base64.StdEncoding.DecodedLen(len(text)) < len(body) || err != nil && !errors.Is(err, giftstats.CodeInvalidRequest) {
			t.Errorf("DecodeBody(%q) = %q, %v", text, body, err)
		}
	})
}

func FuzzLastAddress(f *testing.F) {
	f.Add("10.0.0.1, 192.0.2.1:443")
	f.Add("[::1%eth0]")
	f.Fuzz(func(t *testing.T, value string) {
		if got := gateway.LastAddress([]string{value}); got != "" && !netip.MustParseAddr(got).IsValid() {
			t.Errorf("LastAddress(%q) = %q", value, got)
		}
	})
}

// Whatever the path: the handler can name it again.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/a%2Fb", "/100%", "//", "*", "/a?b#c", "/\x00"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r := seen(t, gateway.Request{Method: "GET", Path: path})
		if !strings.HasPrefix(r.URL.Path, "/") || !strings.HasPrefix(r.URL.EscapedPath(), "/") {
			t.Errorf("%q became %q, %q", path, r.URL.Path, r.URL.EscapedPath())
		}
	})
}

func ExampleProblem() {
	response := gateway.Problem(giftstats.Invalid("room_id is missing"), "r-1")
	fmt.Println(response.Status, response.Header.Get("Content-Type"))
	fmt.Println(string(response.Body))
	// Output:
	// 400 application/problem+json
	// {"type":"about:blank","title":"Bad Request","status":400,"detail":"room_id is missing","code":"invalid_request","retryable":false,"request_id":"r-1"}
}

func ExampleLastAddress() {
	header := http.Header{"X-Forwarded-For": {"10.0.0.1, 192.0.2.1:50123"}} // the client wrote 10.0.0.1 itself
	fmt.Println(gateway.LastAddress(header.Values("X-Forwarded-For")))
	// Output: 192.0.2.1
}
