// Package gateway runs an http.Handler on HTTP requests that reach a function as events.
//
// The sub-packages, one for each cloud, turn an event into a [Request], and a [Response] into what the cloud's gateway
// takes for an answer. Here is what is the same for all of them: the *http.Request that the handler sees, the recording of
// what it writes, and the answers to what is no request at all. Nothing here fails: whatever happens is a [Response].
package gateway

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// RequestIDHeader carries the gateway's request id to the handler. What a client sends under this name never arrives.
const RequestIDHeader = "X-Request-Id"

// Request is an HTTP request as a gateway describes it.
type Request struct {
	Method    string
	Path      string // as sent, still escaped
	RawQuery  string // escaped, without the question mark
	Host      string // empty: the Host header
	RemoteIP  string // of the client, by the gateway's own word; empty when it does not say
	RequestID string // the gateway's; empty when there is none
	Header    http.Header
	Body      []byte
}

// Response is the handler's answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Server serves requests with a handler. Its methods may be called from several goroutines.
type Server struct {
	handler http.Handler
	logger  *slog.Logger
}

// NewServer serves with handler, which must not be nil. Panics and refused events are logged to logger, or to
// slog.Default() when it is nil.
func NewServer(handler http.Handler, logger *slog.Logger) *Server {
	if handler == nil {
		panic("gateway: the handler is nil")
	}
	if logger == nil {
		logger = slog.Default()
	}
	return &Server{handler: handler, logger: logger}
}

// Serve runs the handler. Its context ends a little before that of the invocation, so that it can still answer. A panic
// becomes an internal problem; its text and stack go to the log only.
func (s *Server) Serve(ctx context.Context, request Request) (response Response) {
	ctx, cancel := giftstats.WithMargin(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.logger.ErrorContext(ctx, "the handler panicked", "request_id", request.RequestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			response = Problem(fmt.Errorf("panic: %v", p), request.RequestID)
		}
	}()
	recorder := &recorder{method: request.Method, header: http.Header{}}
	s.handler.ServeHTTP(recorder, request.http(ctx))
	return recorder.response()
}

// Refuse answers an event that the handler cannot serve with the problem that err is, and logs it.
func (s *Server) Refuse(ctx context.Context, err error, requestID string) Response {
	s.logger.WarnContext(ctx, "event refused", "request_id", requestID, "error", err)
	return Problem(err, requestID)
}

// http is the request as net/http's own server would give it to a handler.
func (r Request) http(ctx context.Context) *http.Request {
	header := r.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	target := target(r.Path, r.RawQuery)
	request := &http.Request{
		Method:        r.Method,
		URL:           target,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Host:          cmp.Or(r.Host, header.Get("Host")),
		RequestURI:    target.RequestURI(),
		ContentLength: int64(len(r.Body)),
		Body:          http.NoBody,
	}
	if r.RemoteIP != "" {
		request.RemoteAddr = net.JoinHostPort(r.RemoteIP, "0")
	}
	if len(r.Body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
	}
	header.Del("Host")
	header.Del("Transfer-Encoding")
	header.Del("Content-Length") // in an event it may be that of the base64 text
	if len(r.Body) > 0 {
		header.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	header.Del(RequestIDHeader)
	if r.RequestID != "" {
		header.Set(RequestIDHeader, r.RequestID)
	}
	return request.WithContext(ctx)
}

// target keeps both the decoded path and, where the two differ, the path as sent: /a%2Fb is one segment. A path that is not
// escaped as it should be is taken literally.
func target(path, rawQuery string) *url.URL {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return &url.URL{Path: path, RawQuery: rawQuery}
	}
	target := &url.URL{Path: decoded, RawQuery: rawQuery}
	if target.EscapedPath() != path {
		target.RawPath = path
	}
	return target
}
