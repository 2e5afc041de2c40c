package emf_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/telemetry/emf"
)

// entry is a log line as the specification defines it. Everything that the metadata names must be a member of the line.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type entry struct {
	Time time.Time
	AWS  *struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// read returns the metrics of a line by their dimensions. It checks the line against the specification.
func read(t *testing.T, raw []byte) map[string][]string {
	t.Helper()
	var line entry
	var members map[string]any
	if err := json.Unmarshal(raw, &line); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if err := json.Unmarshal(raw, &members); err != nil || line.AWS == nil {
		return nil
	}
	if line.AWS.Timestamp != line.Time.UnixMilli() {
		t.Errorf("timestamp is %d in a line of %s", line.AWS.Timestamp, line.Time)
	}
	found := map[string][]string{}
	for _, set := range line.AWS.CloudWatchMetrics {
		if set.Namespace != "giftstats" || len(set.Dimensions) != 1 {
			t.Errorf("namespace %s with dimensions %v", set.Namespace, set.Dimensions)
		}
		key := ""
		for _, dimension := range set.Dimensions[0] {
			if value, ok := members[dimension].(string); !ok || value == "" {
				t.Errorf("the dimension %s is not a string in %s", dimension, raw)
			}
			key += "/" + dimension
		}
		for _, metric := range set.Metrics {
			if _, ok := members[metric.Name].(float64); !ok {
				t.Errorf("the metric %s is not a number in %s", metric.Name, raw)
			}
			found[key] = append(found[key], metric.Name+" "+metric.Unit)
		}
	}
	return found
}

func TestMetricsInTheLine(t *testing.T) {
	for _, test := range []struct {
		name  string
		attrs []any
		want  map[string][]string
	}{
		{name: "no metric", attrs: []any{"room_id", "r", "attempts", 1}},
		{
			name:  "a request",
			attrs: []any{"requests", 1, "route", "/v1/gift-stats", "upstream_ms", 40.5, "retries", 0},
			want:  map[string][]string{"/function": {"requests Count", "upstream_ms Milliseconds", "retries Count"}},
		},
		{
			name:  "a failure",
			attrs: []any{"requests", 1, "errors", 1, "code", "internal"},
			want:  map[string][]string{"/function": {"requests Count", "errors Count"}, "/function/code": {"errors Count"}},
		},
		{
			name:  "a delivery",
			attrs: []any{"deliveries", 1, "secret_refreshes", 1, "cold_starts", 1},
			want:  map[string][]string{"/function": {"deliveries Count", "secret_refreshes Count", "cold_starts Count"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			slog.New(emf.Handler{Handler: slog.NewJSONHandler(&out, nil)}).With("function", "api").Info(test.name, test.attrs...)
			got := read(t, out.Bytes())
			if len(got) != len(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			for dimensions, want := range test.want {
				if !slices.Equal(got[dimensions], want) {
					t.Errorf("%s: got %q, want %q", dimensions, got[dimensions], want)
				}
			}
		})
	}
}
