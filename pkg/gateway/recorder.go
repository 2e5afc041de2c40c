package gateway

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
)

// recorder keeps what a handler writes, by the rules of [http.ResponseWriter].
type recorder struct {
	method string
	header http.Header // the handler's, to change as it likes
	sent   http.Header // a copy of header, taken when the status was written
	status int         // 0: not written yet
	body   bytes.Buffer
}

// Header returns the headers; changes after WriteHeader are without effect.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader sets the status once. Informational ones (1xx) are passed over: no gateway carries them.
func (r *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status)) // as net/http does
	}
	if r.status != 0 || status < 200 {
		return
	}
	r.status = status
	r.sent = r.header.Clone()
}

// Write adds to the body, with an implicit 200.
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

// response is what was recorded. What describes a connection is left out: the gateway has its own with the client, and
// works out the length itself.
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
