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

// line is what is logged with the numbers of a request that asked the given questions.
func line(meter *telemetry.Meter, questions ...telemetry.Question) string {
	var out bytes.Buffer
	ctx, usage := meter.Begin(telemetry.WithRequestID(context.Background(), "r-1"))
	var asking sync.WaitGroup
	for _, question := range questions {
		asking.Go(func() { telemetry.Asked(ctx, question) })
	}
	asking.Wait()
	slog.New(telemetry.Handler{Handler: slog.NewTextHandler(&out, nil)}).LogAttrs(ctx, slog.LevelInfo, "request", usage.Attrs(nil)...)
	_, line, _ := strings.Cut(strings.TrimSpace(out.String()), "msg=request ")
	return line
}

func TestLines(t *testing.T) {
	var meter telemetry.Meter
	for _, test := range []struct {
		name      string
		questions []telemetry.Question
		want      string
	}{
		{"the first of a process", nil, "requests=1 cold_start=true cold_starts=1 request_id=r-1"},
		{"no question", nil, "requests=1 cold_start=false request_id=r-1"},
		{
			"one, with a repeat", []telemetry.Question{{Attempts: 2, Took: 1234567 * time.Nanosecond, Answered: true, Code: 60008, RequestID: "Id-1"}},
			"requests=1 cold_start=false upstream_ms=1.234 attempts=2 retries=1 upstream_code=60008 upstream_request_id=Id-1 request_id=r-1",
		},
		{
			"one, without an answer", []telemetry.Question{{Attempts: 1, Took: time.Second}},
			"requests=1 cold_start=false upstream_ms=1000 attempts=1 retries=0 request_id=r-1",
		},
		{
			"several", []telemetry.Question{{Attempts: 1, Took: time.Second, Answered: true, RequestID: "Id-1"}, {Attempts: 3, Took: time.Millisecond, Answered: true, RequestID: "Id-2"}},
			"requests=1 cold_start=false upstream_ms=1000 attempts=4 retries=2 request_id=r-1",
		},
		{"one that was never sent", []telemetry.Question{{}}, "requests=1 cold_start=false request_id=r-1"},
	} {
		if got := line(&meter, test.questions...); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestHandlerKeepsTheRequestID(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(telemetry.Handler{Handler: slog.NewTextHandler(&out, nil)})
	logger.With("function", "api").InfoContext(telemetry.WithRequestID(t.Context(), "r-1"), "with")
	logger.InfoContext(telemetry.WithRequestID(t.Context(), ""), "without")
	telemetry.Asked(t.Context(), telemetry.Question{Attempts: 1}) // belongs to nothing: not counted, and no panic
	if got := out.String(); strings.Count(got, "request_id") != 1 || !strings.Contains(got, "msg=with function=api request_id=r-1") {
		t.Error(got)
	}
}

func ExampleMeter() {
	meter := new(telemetry.Meter)
	ctx, usage := meter.Begin(context.Background())
	telemetry.Asked(ctx, telemetry.Question{Attempts: 1, Took: 40 * time.Millisecond, Answered: true, RequestID: "Id-1"})
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	logger.LogAttrs(ctx, slog.LevelInfo, "request", usage.Attrs(nil)...)
	// Output: level=INFO msg=request requests=1 cold_start=true cold_starts=1 upstream_ms=40 attempts=1 retries=0 upstream_code=0 upstream_request_id=Id-1
}

func withoutTime(_ []string, attr slog.Attr) slog.Attr {
	if attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}
