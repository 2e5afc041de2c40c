// Package telemetry counts what each request or event took, and gives it to the log: one line tells the whole story, and the
// numbers in it are the metrics. Where a platform makes metrics from log lines, a handler of a sub-package marks them.
//
// The numbers have the same names everywhere: requests, errors, retries, cold_starts, upstream_ms, secret_refreshes,
// deliveries. A number that is not in a line is not known or is zero.
package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Meter begins the count of each request or event of a process. The zero value is ready; it may be used from several
// goroutines.
type Meter struct{ warm atomic.Bool }

// Begin starts counting; what is done with the context it returns is counted. The first one of a process is its cold start.
func (m *Meter) Begin(ctx context.Context) (context.Context, *Usage) {
	u := &Usage{cold: !m.warm.Swap(true)}
	return context.WithValue(ctx, usageKey{}, u), u
}

// Usage is what one request or event took. Its methods may be called from several goroutines.
type Usage struct {
	cold bool

	mu        sync.Mutex
	questions int
	attempts  int
	longest   time.Duration // that upstream took over one question
	last      Question
}

// Question is one question to upstream, with all of its attempts.
type Question struct {
	Attempts  int
	Took      time.Duration // the attempts added up, without the waits between them
	Answered  bool          // whether the last attempt brought a code
	Code      int           // upstream's, of the last attempt
	RequestID string        // upstream's, of the last attempt; empty when there was no answer
}

type usageKey struct{}

// Asked counts a question to upstream for the request or event that ctx belongs to, if it belongs to one.
func Asked(ctx context.Context, question Question) {
	u, ok := ctx.Value(usageKey{}).(*Usage)
	if !ok || question.Attempts == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.questions++
	u.attempts += question.Attempts
	u.longest = max(u.longest, question.Took)
	u.last = question
}

// Attrs adds to a line what there is to say. upstream_ms is the longest that upstream took over one question; upstream's own
// code and id are there when there was only one question, and an answer to it.
func (u *Usage) Attrs(attrs []slog.Attr) []slog.Attr {
	u.mu.Lock()
	defer u.mu.Unlock()
	attrs = append(attrs, slog.Int("requests", 1), slog.Bool("cold_start", u.cold))
	if u.cold {
		attrs = append(attrs, slog.Int("cold_starts", 1))
	}
	if u.questions == 0 {
		return attrs
	}
	attrs = append(attrs, slog.Float64("upstream_ms", Milliseconds(u.longest)), slog.Int("attempts", u.attempts), slog.Int("retries", u.attempts-u.questions))
	if u.questions == 1 && u.last.Answered {
		attrs = append(attrs, slog.Int("upstream_code", u.last.Code))
	}
	if u.questions == 1 && u.last.RequestID != "" {
		attrs = append(attrs, slog.String("upstream_request_id", u.last.RequestID))
	}
	return attrs
}

// Milliseconds is how durations are logged: with three places, that is, to the microsecond.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
