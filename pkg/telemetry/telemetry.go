// Package telemetry counts the upstream calls of each request or event for its one log line. The numbers in that line are the
// metrics. If a platform makes metrics from log lines, a handler of a sub-package marks them.
//
// The numbers have the same names everywhere: requests, errors, retries, cold_starts, upstream_ms, secret_refreshes,
// deliveries. If a number is missing from a line, it is unknown or zero.
package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Meter starts the count of each request or event of a process. The zero value is ready to use, and it is safe for concurrent
// use.
type Meter struct{ warm atomic.Bool }

// Begin starts a count. It covers the calls that are recorded with the returned context. The first count of a process is its
// cold start.
func (m *Meter) Begin(ctx context.Context) (context.Context, *Usage) {
	u := &Usage{cold: !m.warm.Swap(true)}
	return context.WithValue(ctx, usageKey{}, u), u
}

// Usage is the count of one request or event. It is safe for concurrent use.
type Usage struct {
	cold bool

	mu       sync.Mutex
	calls    int
	attempts int
	longest  time.Duration // the largest Took of a call
	last     Call
}

// Call is one call to upstream, with all of its attempts.
type Call struct {
	Attempts  int
	Took      time.Duration // sum of all attempts, without the waits between them
	Answered  bool          // whether the last attempt was answered with a code
	Code      int           // upstream's code in the last attempt
	RequestID string        // upstream's id of the last attempt; empty if there was no answer
}

type usageKey struct{}

// RecordCall adds a call to the count that ctx belongs to, if any. A call without attempts is not counted.
func RecordCall(ctx context.Context, call Call) {
	u, ok := ctx.Value(usageKey{}).(*Usage)
	if !ok || call.Attempts == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls++
	u.attempts += call.Attempts
	u.longest = max(u.longest, call.Took)
	u.last = call
}

// Attrs appends the numbers to the attributes of a log line. upstream_ms is the time of the slowest call. Upstream's own code and
// request id are present only if there was exactly one call and it was answered.
func (u *Usage) Attrs(attrs []slog.Attr) []slog.Attr {
	u.mu.Lock()
	defer u.mu.Unlock()
	attrs = append(attrs, slog.Int("requests", 1), slog.Bool("cold_start", u.cold))
	if u.cold {
		attrs = append(attrs, slog.Int("cold_starts", 1))
	}
	if u.calls == 0 {
		return attrs
	}
	attrs = append(attrs,
		slog.Float64("upstream_ms", Milliseconds(u.longest)),
		slog.Int("attempts", u.attempts),
		slog.Int("retries", u.attempts-u.calls),
	)
	if u.calls == 1 && u.last.Answered {
		attrs = append(attrs, slog.Int("upstream_code", u.last.Code))
	}
	if u.calls == 1 && u.last.RequestID != "" {
		attrs = append(attrs, slog.String("upstream_request_id", u.last.RequestID))
	}
	return attrs
}

// Milliseconds converts a duration for logging, with microsecond precision.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
