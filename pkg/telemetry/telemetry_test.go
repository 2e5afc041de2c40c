package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/telemetry"
)

// line returns the log line of a request that made the given calls.
func line(meter *telemetry.Meter, calls ...telemetry.Call) string {
	var out bytes.Buffer
	ctx, usage := meter.Begin(telemetry.WithRequestID(context.Background(), "r-1"))
	var running sync.WaitGroup
	for _, call := range calls {
		running.Go(func() { telemetry.RecordCall(ctx, call) })
	}
	running.Wait()
	logger := slog.New(telemetry.Handler{Handler: slog.NewTextHandler(&out, nil)})
	logger.LogAttrs(ctx, slog.LevelInfo, "request", usage.Attrs(nil)...)
	_, line, _ := strings.Cut(strings.TrimSpace(out.String()), "msg=request ")
	return line
}

func TestNumbersInTheLine(t *testing.T) {
	var meter telemetry.Meter
	for _, test := range []struct {
		name  string
		calls []telemetry.Call
		want  string
	}{
		{name: "the first of a process", want: "requests=1 cold_start=true cold_starts=1 request_id=r-1"},
		{name: "no call", want: "requests=1 cold_start=false request_id=r-1"},
		{
			name:  "one call, with a retry",
			calls: []telemetry.Call{{Attempts: 2, Took: 1234567 * time.Nanosecond, Answered: true, Code: 60008, RequestID: "Id-1"}},
			want: "requests=1 cold_start=false upstream_ms=1.234 attempts=2 retries=1 upstream_code=60008 upstream_request_id=Id-1 " +
				"request_id=r-1",
		},
		{
			name:  "one call, without an answer",
			calls: []telemetry.Call{{Attempts: 1, Took: time.Second}},
			want:  "requests=1 cold_start=false upstream_ms=1000 attempts=1 retries=0 request_id=r-1",
		},
		{
			name: "several calls",
			calls: []telemetry.Call{
				{Attempts: 1, Took: time.Second, Answered: true, RequestID: "Id-1"},
				{Attempts: 3, Took: time.Millisecond, Answered: true, RequestID: "Id-2"},
			},
			want: "requests=1 cold_start=false upstream_ms=1000 attempts=4 retries=2 request_id=r-1",
		},
		{
			name:  "a call that was never sent",
			calls: []telemetry.Call{{}},
			want:  "requests=1 cold_start=false request_id=r-1",
		},
	} {
		if got := line(&meter, test.calls...); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestHandlerKeepsTheRequestID(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(telemetry.Handler{Handler: slog.NewTextHandler(&out, nil)})
	logger.With("function", "api").InfoContext(telemetry.WithRequestID(t.Context(), "r-1"), "with")
	logger.InfoContext(telemetry.WithRequestID(t.Context(), ""), "without")
	telemetry.RecordCall(t.Context(), telemetry.Call{Attempts: 1}) // no Meter began this context: not counted, and no panic
	if got := out.String(); strings.Count(got, "request_id") != 1 || !strings.Contains(got, "msg=with function=api request_id=r-1") {
		t.Error(got)
	}
}

func ExampleMeter() {
	meter := new(telemetry.Meter)
	meter.Begin(context.Background()) // the cold start
	ctx, usage := meter.Begin(context.Background())
	telemetry.RecordCall(ctx, telemetry.Call{Attempts: 1, Took: 40 * time.Millisecond, Answered: true, RequestID: "Id-1"})
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	logger.LogAttrs(ctx, slog.LevelInfo, "request", usage.Attrs(nil)...)
	// Output:
	// level=INFO msg=request requests=1 cold_start=false upstream_ms=40 attempts=1 retries=0 upstream_code=0 upstream_request_id=Id-1
}

func withoutTime(_ []string, attr slog.Attr) slog.Attr {
	if attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}
