package gateway

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
)

// recorder stores what a handler writes. It follows the rules of [http.ResponseWriter].
type recorder struct {
	method string
	header http.Header // the handler may change it at any time
	sent   http.Header // copy of header at the time the status was written
	status int         // 0 until it is written
	body   bytes.Buffer
}

// Header returns the headers. Changes after WriteHeader have no effect.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader sets the status once. Informational statuses (1xx) are ignored, because no gateway forwards them.
func (r *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status)) // same panic as in net/http
	}
	if r.status != 0 || status < 200 {
		return
	}
	r.status = status
	r.sent = r.header.Clone()
}

// Write appends to the body. Without an earlier WriteHeader, the status is 200.
func (r *recorder) Write(part []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	switch {
	case r.status == http.StatusNoContent, r.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case r.method == http.MethodHead:
		return len(part), nil
	}
	return r.body.Write(part)
}

// response returns what was recorded, without the headers that describe a connection: the gateway has a connection of its own
// with the client, and computes the length itself.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func (r *recorder) response() Response {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	for _, name := range []string{"Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding"} {
		r.sent.Del(name)
	}
	if _, set := r.sent["Content-Type"]; !set && r.body.Len() > 0 {
		r.sent.Set("Content-Type", http.DetectContentType(r.body.Bytes()))
	}
	maps.DeleteFunc(r.sent, func(_ string, values []string) bool { return len(values) == 0 })
	return Response{Status: r.status, Header: r.sent, Body: r.body.Bytes()}
}
