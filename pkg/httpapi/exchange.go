package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// exchange is one request and its response. It is the response's writer, and collects the fields of the log line.
type exchange struct {
	http.ResponseWriter
	request *http.Request
	api     *api
	cancel  context.CancelFunc // ends what limit started
	usage   *telemetry.Usage
	started time.Time
	gifts   int    // recorded
	id      string // of the request
	route   string // the path without the base path; empty if it is unknown
	roomID  string
	eventID string           // of a stream end
	caller  string           // the name of the API key
	account string           // of the query, or of the UserSig; logged at level debug only
	status  int              // 0 until the response starts
	failure *giftstats.Error // nil if the request succeeded
}

func (a *api) newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{ResponseWriter: w, api: a, started: a.config.Now(), id: requestID(r), cancel: func() {}}
	ctx, usage := a.config.Meter.Begin(telemetry.WithRequestID(r.Context(), x.id))
	x.usage = usage
	x.request = r.WithContext(ctx)
	header := w.Header()
	header.Set("X-Request-Id", x.id)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	return x
}

// requestID returns the id in the request's header, or a new one if that has other characters than printable ASCII.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 128 {
		return rand.Text()
	}
	for _, b := range []byte(id) {
		if b <= ' ' || b > '~' {
			return rand.Text()
		}
	}
	return id
}

func (x *exchange) context() context.Context { return x.request.Context() }

// limit bounds the time of the whole exchange, also of what delays the response after it was written.
func (x *exchange) limit(most time.Duration) {
	ctx, cancel := context.WithTimeout(x.context(), most)
	x.request, x.cancel = x.request.WithContext(ctx), cancel
}

// WriteHeader starts the response and records its status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
		x.ResponseWriter.WriteHeader(status)
	}
}

// fail answers with err as a problem. Its cause is only logged. If the response has already started, fail only logs.
func (x *exchange) fail(err error) {
	x.failure = giftstats.AsError(err)
	if x.status == 0 {
		x.writeProblem(x.failure)
	}
}

// finish logs the request. As a deferred function it also turns a panic into an internal error.
func (x *exchange) finish() {
	if p := recover(); p != nil {
		x.fail(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
	level := slog.LevelInfo
	if x.failure != nil && problem.Status(x.failure.Code) >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	x.api.config.Logger.LogAttrs(x.context(), level, "request", x.attributes()...)
}

// attributes returns the fields of the log line. Empty ones are left out.
func (x *exchange) attributes() []slog.Attr {
	attributes := append(make([]slog.Attr, 0, 24), // enough for all of them
		slog.String("method", method(x.request)),
		slog.String("route", x.route),
		slog.Int("status", x.status),
		slog.Float64("duration_ms", telemetry.Milliseconds(x.api.config.Now().Sub(x.started))),
	)
	attributes = x.usage.Attrs(attributes)
	if x.gifts > 0 {
		attributes = append(attributes, slog.Int("gifts", x.gifts))
	}
	attributes = appendRoom(attributes, x.roomID)
	if x.eventID != "" {
		attributes = append(attributes, slog.String("event_id", x.eventID))
	}
	if x.caller != "" {
		attributes = append(attributes, slog.String("caller", x.caller))
	}
	if giftstats.ValidateAccount(x.account) == nil && x.api.config.Logger.Enabled(x.context(), slog.LevelDebug) {
		attributes = append(attributes, slog.String("account", x.account))
	}
	if x.failure != nil {
		attributes = append(attributes,
			slog.Int("errors", 1), slog.String("code", string(x.failure.Code)), slog.String("error", x.failure.Error()))
	}
	return attributes
}

// appendRoom adds the id of a room if it is valid. Anything else may be of any length, and each of its bytes may take six in the line.
func appendRoom(attributes []slog.Attr, roomID string) []slog.Attr {
	if giftstats.ValidateRoomID(roomID) != nil {
		return attributes
	}
	return append(attributes, slog.String("room_id", roomID))
}

// method returns the method of a request, which may be any word, for the log.
func method(r *http.Request) string {
	const longest = 16
	return r.Method[:min(len(r.Method), longest)]
}
