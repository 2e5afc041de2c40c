// Package emf marks the numbers of log lines as metrics of CloudWatch: in the Embedded Metric Format a log line is also a
// data point. Lambda's log goes to CloudWatch as it is, so that nothing has to be sent.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package emf

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
)

// Namespace of the metrics. Their dimension is function, which each line must have; errors are also there by function and code.
const Namespace = "giftstats"

// units are those of the numbers that become metrics.
var units = map[string]string{
	"requests":         "Count",
	"errors":           "Count",
	"retries":          "Count",
	"cold_starts":      "Count",
	"secret_refreshes": "Count",
	"deliveries":       "Count",
	"upstream_ms":      "Milliseconds",
}

// Handler adds the metadata to the lines that hold such numbers. The handler inside must write JSON.
type Handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h Handler) Handle(ctx context.Context, record slog.Record) error {
	var metrics []string
	hasCode := false
	record.Attrs(func(attr slog.Attr) bool {
		if unit, ok := units[attr.Key]; ok {
			metrics = append(metrics, `{"Name":"`+attr.Key+`","Unit":"`+unit+`"}`)
		}
		hasCode = hasCode || attr.Key == "code"
		return true
	})
	if len(metrics) > 0 {
		record.AddAttrs(slog.Any("_aws", metadata(record.Time.UnixMilli(), metrics, hasCode)))
	}
	return h.Handler.Handle(ctx, record)
}

// metadata is put together as text, since it is on the way of every request: all parts of it are constant but the time.
func metadata(milliseconds int64, metrics []string, hasCode bool) json.RawMessage {
	text := `{"Timestamp":` + strconv.FormatInt(milliseconds, 10) +
		`,"CloudWatchMetrics":[{"Namespace":"` + Namespace + `","Dimensions":[["function"]],"Metrics":[` + strings.Join(metrics, ",") + `]}`
	if hasCode {
		text += `,{"Namespace":"` + Namespace + `","Dimensions":[["function","code"]],"Metrics":[{"Name":"errors","Unit":"Count"}]}`
	}
	return json.RawMessage(text + `]}`)
}

// WithAttrs implements slog.Handler.
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return Handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h Handler) WithGroup(name string) slog.Handler { return Handler{h.Handler.WithGroup(name)} }
