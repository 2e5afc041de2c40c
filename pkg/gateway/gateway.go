// Package gateway serves HTTP requests that reach a function as events with an http.Handler.
//
// The sub-packages, one for each cloud, convert an event to a [Request], and a [Response] to the JSON that the cloud's gateway
// expects. This package holds what all of them share: the *http.Request that the handler receives, the recorder of what it
// writes, and the responses to payloads that are not HTTP requests. Serving never returns an error: a panic and a refused event
// become a [Response] with a problem.
package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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

// RequestIDHeader carries the gateway's request id to the handler. A header of this name that a client sends is removed.
const RequestIDHeader = "X-Request-Id"

// Request is an HTTP request as a gateway describes it.
type Request struct {
	Method    string
	Path      string // as sent, still escaped
	RawQuery  string // escaped, without the question mark
	Host      string // if empty, the Host header is used
	RemoteIP  string // the client's address as the gateway reports it; empty if it reports none
	RequestID string // the gateway's id of the request; empty if it has none
	Header    http.Header
	Body      []byte
}

// Response is what the handler wrote.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Config configures a [Server].
type Config struct {
	Handler http.Handler // required
	Logger  *slog.Logger // logs panics and refused events; nil means slog.Default()
}

// Server serves requests with a handler. Its methods may be called from several goroutines.
type Server struct {
	handler http.Handler
	logger  *slog.Logger
}

// New returns a Server for config. It fails if the handler is missing.
func New(config Config) (*Server, error) {
	if config.Handler == nil {
		return nil, errors.New("gateway: the handler is missing")
	}
	server := &Server{handler: config.Handler, logger: config.Logger}
	if server.logger == nil {
		server.logger = slog.Default()
	}
	return server, nil
}

// Serve runs the handler. The handler's context ends shortly before that of the invocation, so that there is time to respond.
// A panic becomes a problem with the code internal; its text and stack are only logged.
func (s *Server) Serve(ctx context.Context, request Request) (response Response) {
	ctx, cancel := giftstats.WithMargin(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.logger.ErrorContext(ctx, "handler panicked",
				"request_id", request.RequestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			response = Problem(fmt.Errorf("panic: %v", p), request.RequestID)
		}
	}()
	recorder := &recorder{method: request.Method, header: http.Header{}}
	s.handler.ServeHTTP(recorder, request.http(ctx))
	return recorder.response()
}

// Refuse logs an event that the handler cannot serve, and returns the problem for err.
func (s *Server) Refuse(ctx context.Context, err error, requestID string) Response {
	s.logger.WarnContext(ctx, "event refused", "request_id", requestID, "error", err)
	return Problem(err, requestID)
}

// http returns the request as the server of net/http would pass it to a handler.
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
	header.Del("Content-Length") // in an event it may be the length of the base64 text
	if len(r.Body) > 0 {
		header.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	header.Del(RequestIDHeader)
	if r.RequestID != "" {
		header.Set(RequestIDHeader, r.RequestID)
	}
	return request.WithContext(ctx)
}

// target returns the URL with the decoded path and, where the two differ, the path as sent: /a%2Fb is one segment. A path with
// invalid escapes is taken literally.
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
