package gateway_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
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

func TestDecodeBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		isBase64   bool
		want       string
	}{
		{name: "text", text: "房 {}", want: "房 {}"},
		{name: "empty", isBase64: true},
		{name: "bytes", text: "AP/+", isBase64: true, want: "\x00\xff\xfe"},
		{name: "text that looks like base64", text: "AP/+", want: "AP/+"},
	} {
		body, err := gateway.DecodeBody(test.text, test.isBase64)
		if err != nil || string(body) != test.want {
			t.Errorf("%s: DecodeBody = %q, %v, want %q", test.name, body, err, test.want)
		}
	}
	_, err := gateway.DecodeBody("not base64!", true)
	if !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("DecodeBody of invalid base64: %v", err)
	}
	if text, isBase64 := (gateway.Response{Body: []byte("\x00\xff\xfe")}).EncodeBody(); text != "AP/+" || !isBase64 {
		t.Errorf("EncodeBody of bytes = %q, %v", text, isBase64)
	}
	if text, isBase64 := (gateway.Response{Body: []byte("房")}).EncodeBody(); text != "房" || isBase64 {
		t.Errorf("EncodeBody of text = %q, %v", text, isBase64)
	}
}

func TestJoinedHeader(t *testing.T) {
	t.Parallel()
	got := gateway.Response{Header: http.Header{"Www-Authenticate": {"Bearer", "Basic"}, "A": {"1"}}}.JoinedHeader()
	if want := "map[A:1 Www-Authenticate:Bearer, Basic]"; fmt.Sprint(got) != want {
		t.Errorf("JoinedHeader = %v, want %s", got, want)
	}
}

func TestLastAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		values []string
		want   string
	}{
		{name: "one", values: []string{"192.0.2.1"}, want: "192.0.2.1"},
		{name: "spoofed first", values: []string{"10.0.0.1, 192.0.2.1"}, want: "192.0.2.1"},
		{name: "two headers", values: []string{"10.0.0.1", "10.0.0.2,192.0.2.1"}, want: "192.0.2.1"},
		{name: "port", values: []string{"10.0.0.1, 192.0.2.1:443"}, want: "192.0.2.1"},
		{name: "IPv6", values: []string{"2001:db8::1"}, want: "2001:db8::1"},
		{name: "IPv6 in brackets", values: []string{"[2001:db8::1]"}, want: "2001:db8::1"},
		{name: "IPv6 with port", values: []string{"[2001:db8::1]:443"}, want: "2001:db8::1"},
		{name: "no header", values: nil, want: ""},
		{name: "last element is not an address", values: []string{"192.0.2.1, unknown"}, want: ""},
		{name: "ends with a comma", values: []string{"192.0.2.1,"}, want: ""},
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
		"null": "invalid_request: the payload is not an HTTP event; send a request",
	} {
		if got := gateway.Unrecognized([]byte(payload), "send a request").Error(); got != want {
			t.Errorf("%q: %q, want %q", payload, got, want)
		}
	}
}

func TestRefusedEventIsLoggedAndAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := newServer(t, http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil)))
	got := server.Refuse(t.Context(), giftstats.Invalid("no event"), "")
	if got.Status != 400 {
		t.Errorf("status = %d, want 400", got.Status)
	}
	if !strings.Contains(string(got.Body), `"code":"invalid_request"`) {
		t.Errorf("body = %s, want the code invalid_request", got.Body)
	}
	if ids := got.Header.Values("X-Request-Id"); len(ids) != 0 {
		t.Errorf("request ids %q, want none", ids)
	}
	if !strings.Contains(log.String(), `level=WARN msg="event refused" request_id="" error="invalid_request: no event"`) {
		t.Errorf("log = %s", log.String())
	}
}

// Every body survives encoding and decoding.
func FuzzEncodeBody(f *testing.F) {
	f.Add([]byte("text"))
	f.Add([]byte{0xff, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		text, isBase64 := gateway.Response{Body: body}.EncodeBody()
		if !utf8.ValidString(text) {
			t.Errorf("EncodeBody of %q = %q, which is not UTF-8", body, text)
		}
		decoded, err := gateway.DecodeBody(text, isBase64)
		if err != nil || !bytes.Equal(decoded, body) {
			t.Errorf("%q became %q (base64: %v) and %q, %v", body, text, isBase64, decoded, err)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	f.Add("AP/+")
	f.Add("!")
	f.Fuzz(func(t *testing.T, text string) {
		body, err := gateway.DecodeBody(text, true)
		if err != nil && !errors.Is(err, giftstats.CodeInvalidRequest) {
			t.Errorf("DecodeBody(%q) = %v, want invalid_request", text, err)
		}
		if most := base64.StdEncoding.DecodedLen(len(text)); len(body) > most {
			t.Errorf("DecodeBody(%q) = %q, want at most %d bytes", text, body, most)
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

// Every path, valid or not, reaches the handler as a path that begins with a slash.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/a%2Fb", "/100%", "//", "*", "/a?b#c", "/\x00"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r := received(t, gateway.Request{Method: "GET", Path: path})
		for _, got := range []string{r.URL.Path, r.URL.EscapedPath()} {
			if !strings.HasPrefix(got, "/") {
				t.Errorf("%q became %q", path, got)
			}
		}
	})
}

func ExampleProblem() {
	response := gateway.Problem(giftstats.Invalid("room_id is missing"), "r-1")
	var body bytes.Buffer
	if err := json.Indent(&body, response.Body, "", "  "); err != nil {
		fmt.Println(err)
	}
	fmt.Println(response.Status, response.Header.Get("Content-Type"))
	fmt.Println(&body)
	// Output:
	// 400 application/problem+json
	// {
	//   "type": "about:blank",
	//   "title": "Bad Request",
	//   "status": 400,
	//   "detail": "room_id is missing",
	//   "code": "invalid_request",
	//   "retryable": false,
	//   "request_id": "r-1"
	// }
}

func ExampleLastAddress() {
	header := http.Header{"X-Forwarded-For": {"10.0.0.1, 192.0.2.1:50123"}} // the client itself sent 10.0.0.1
	fmt.Println(gateway.LastAddress(header.Values("X-Forwarded-For")))
	// Output: 192.0.2.1
}
