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

// metrics are the numbers that become metrics, in the words of the metadata.
var metrics = map[string]string{
	"requests":         `{"Name":"requests","Unit":"Count"}`,
	"errors":           `{"Name":"errors","Unit":"Count"}`,
	"retries":          `{"Name":"retries","Unit":"Count"}`,
	"cold_starts":      `{"Name":"cold_starts","Unit":"Count"}`,
	"secret_refreshes": `{"Name":"secret_refreshes","Unit":"Count"}`,
	"deliveries":       `{"Name":"deliveries","Unit":"Count"}`,
	"upstream_ms":      `{"Name":"upstream_ms","Unit":"Milliseconds"}`,
}

// Handler adds the metadata to the lines that hold such numbers. The handler inside must write JSON.
type Handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h Handler) Handle(ctx context.Context, record slog.Record) error {
	found := make([]string, 0, 8) // more than there are
	hasCode := false
	record.Attrs(func(attr slog.Attr) bool {
		if metric, ok := metrics[attr.Key]; ok {
			found = append(found, metric)
		}
		hasCode = hasCode || attr.Key == "code"
		return true
	})
	if len(found) > 0 {
		record.AddAttrs(slog.Any("_aws", metadata(record.Time.UnixMilli(), found, hasCode)))
	}
	return h.Handler.Handle(ctx, record)
}

// metadata is put together as text, since it is on the way of every request: all parts of it are constant but the time.
func metadata(milliseconds int64, found []string, hasCode bool) json.RawMessage {
	text := `{"Timestamp":` + strconv.FormatInt(milliseconds, 10) +
		`,"CloudWatchMetrics":[{"Namespace":"` + Namespace + `","Dimensions":[["function"]],"Metrics":[` + strings.Join(found, ",") + `]}`
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
