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

// DecodeBody returns the bytes of a body that an event carries as text. If the text is not valid base64 although the event says
// so, the error has the code invalid_request.
func DecodeBody(text string, isBase64 bool) ([]byte, error) {
	if !isBase64 {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, &giftstats.Error{
			Code:   giftstats.CodeInvalidRequest,
			Detail: "the body of the event is not valid base64, although isBase64Encoded is true",
			Err:    err,
		}
	}
	return body, nil
}

// EncodeBody returns the body as text for the JSON of a gateway. A body that is not valid UTF-8 is encoded as base64, because a
// JSON string cannot carry it.
func (r Response) EncodeBody() (text string, isBase64 bool) {
	if utf8.Valid(r.Body) {
		return string(r.Body), false
	}
	return base64.StdEncoding.EncodeToString(r.Body), true
}

// JoinedHeader returns the headers with one value each, for gateways that accept only one. The values of a repeated header are
// joined with commas. RFC 9110, section 5.3 gives this the same meaning for every header except Set-Cookie.
func (r Response) JoinedHeader() map[string]string {
	joined := make(map[string]string, len(r.Header))
	for name, values := range r.Header {
		joined[name] = strings.Join(values, ", ")
	}
	return joined
}

// LastAddress returns the last IP address of a header like X-Forwarded-For, without its port. The nearest proxy appended it.
// Earlier addresses are not trustworthy, because clients can send the header too. If the last element is not an IP address,
// LastAddress returns "".
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

// Unrecognized returns the invalid_request error for a payload that is not an HTTP event. The text expected names the events
// that the function accepts.
func Unrecognized(payload []byte, expected string) error {
	switch {
	case len(payload) == 0:
		return giftstats.Invalid("the payload is empty; %s", expected)
	case !json.Valid(payload):
		return giftstats.Invalid("the payload is not JSON; %s", expected)
	default:
		return giftstats.Invalid("the payload is not an HTTP event; %s", expected)
	}
}

// Problem returns the RFC 9457 response for err.
func Problem(err error, requestID string) Response {
	details := problem.Of(err, requestID)
	body, _ := json.Marshal(details) // strings, numbers and booleans cannot fail
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
