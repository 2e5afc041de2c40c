package httpapi

import (
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

// exchange is one request and its answer: it is the writer of the answer, and keeps what the log line needs.
type exchange struct {
	http.ResponseWriter
	request *http.Request
	api     *api
	usage   *telemetry.Usage
	begun   time.Time
	id      string
	route   string
	roomID  string
	eventID string // of a stream that has ended
	caller  string // who holds the api key
	account string // whose UserSig or query it is; logged at debug only
	status  int    // 0: nothing written yet
	problem *giftstats.Error
}

func (a *api) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{ResponseWriter: w, api: a, begun: a.config.Now(), id: requestID(r)}
	ctx, usage := a.config.Meter.Begin(telemetry.WithRequestID(r.Context(), x.id))
	x.usage = usage
	x.request = r.WithContext(ctx)
	header := w.Header()
	header.Set("X-Request-Id", x.id)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	return x
}

// requestID is the id that came with the request, if it is fit to be printed, else a new one.
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

// WriteHeader remembers the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
		x.ResponseWriter.WriteHeader(status)
	}
}

// fail answers with the problem that err is. The cause of err goes to the log only.
func (x *exchange) fail(err error) {
	x.problem = giftstats.AsError(err)
	if x.status != 0 {
		return // the answer has begun: all that is left is to log
	}
	writeProblem(x, x.request, err, x.id)
}

// finish turns a panic into an internal error, and logs the request. It is deferred.
func (x *exchange) finish() {
	if p := recover(); p != nil {
		x.fail(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
	level := slog.LevelInfo
	attributes := append(make([]slog.Attr, 0, 24), // all that there can be
		slog.String("method", x.request.Method),
		slog.String("route", x.route),
		slog.Int("status", x.status),
		slog.Float64("duration_ms", telemetry.Milliseconds(x.api.config.Now().Sub(x.begun))),
	)
	attributes = x.usage.Attrs(attributes)
	if x.roomID != "" {
		attributes = append(attributes, slog.String("room_id", x.roomID))
	}
	if x.eventID != "" {
		attributes = append(attributes, slog.String("event_id", x.eventID))
	}
	if x.caller != "" {
		attributes = append(attributes, slog.String("caller", x.caller))
	}
	if x.account != "" && x.api.config.Logger.Enabled(x.request.Context(), slog.LevelDebug) {
		attributes = append(attributes, slog.String("account", x.account))
	}
	if x.problem != nil {
		attributes = append(attributes, slog.Int("errors", 1), slog.String("code", string(x.problem.Code)), slog.String("error", x.problem.Error()))
		if problem.Status(x.problem.Code) >= 500 {
			level = slog.LevelError
		}
	}
	x.api.config.Logger.LogAttrs(x.request.Context(), level, "request", attributes...)
}
