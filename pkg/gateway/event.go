package gateway

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// DecodeBody gives the bytes of a body that an event holds as text.
func DecodeBody(text string, isBase64 bool) ([]byte, error) {
	if !isBase64 {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the event says that its body is base64, and it is not", Err: err}
	}
	return body, nil
}

// Text gives the body as the text that an answer holds: base64 when it is not UTF-8, because JSON cannot carry it otherwise.
func (r Response) Text() (text string, isBase64 bool) {
	if utf8.Valid(r.Body) {
		return string(r.Body), false
	}
	return base64.StdEncoding.EncodeToString(r.Body), true
}

// Joined gives the headers with one value each, for gateways that take no more: repeated ones are joined with commas, which
// means the same (RFC 9110, section 5.3) for all but Set-Cookie.
func (r Response) Joined() map[string]string {
	joined := make(map[string]string, len(r.Header))
	for name, values := range r.Header {
		joined[name] = strings.Join(values, ", ")
	}
	return joined
}

// LastAddress gives the last IP address of a header like X-Forwarded-For, without a port: the one that the nearest proxy
// appended. Those before it can be anything, since clients may send the header too. Empty when it is no address.
func LastAddress(values []string) string {
	list := strings.Join(values, ",")
	last := strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
	if withPort, err := netip.ParseAddrPort(last); err == nil {
		return withPort.Addr().String()
	}
	address, err := netip.ParseAddr(strings.Trim(last, "[]"))
	if err != nil {
		return ""
	}
	return address.String()
}

// Unrecognized is the invalid_request error for a payload that is no HTTP event; expected says what would be one.
func Unrecognized(payload []byte, expected string) error {
	switch {
	case len(payload) == 0:
		return giftstats.Invalid("the payload is empty; %s", expected)
	case !json.Valid(payload):
		return giftstats.Invalid("the payload is not JSON; %s", expected)
	default:
		return giftstats.Invalid("the payload is no HTTP event; %s", expected)
	}
}

// Problem is err as an RFC 9457 answer.
func Problem(err error, requestID string) Response {
	details := problem.Of(err, requestID)
	body, _ := json.Marshal(details) // strings and numbers: cannot fail
	header := http.Header{
		"Cache-Control":          {"no-store"},
		"Content-Type":           {problem.ContentType},
		"X-Content-Type-Options": {"nosniff"},
	}
	if requestID != "" {
		header.Set(RequestIDHeader, requestID)
	}
	return Response{Status: details.Status, Header: header, Body: body}
}
