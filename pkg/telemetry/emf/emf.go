// Package emf marks numbers in log lines as CloudWatch metrics, in the Embedded Metric Format. Lambda sends its log to CloudWatch,
// so the function itself sends nothing.
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

// Namespace is the namespace of the metrics. Their dimension is function, which every line must have; errors are also counted by
// function and code.
const Namespace = "giftstats"

// metrics maps each number that becomes a metric to its definition in the metadata.
var metrics = map[string]string{
	"requests":           `{"Name":"requests","Unit":"Count"}`,
	"errors":             `{"Name":"errors","Unit":"Count"}`,
	"retries":            `{"Name":"retries","Unit":"Count"}`,
	"cold_starts":        `{"Name":"cold_starts","Unit":"Count"}`,
	"secret_refreshes":   `{"Name":"secret_refreshes","Unit":"Count"}`,
	"deliveries":         `{"Name":"deliveries","Unit":"Count"}`,
	"upstream_ms":        `{"Name":"upstream_ms","Unit":"Milliseconds"}`,
	"gifts":              `{"Name":"gifts","Unit":"Count"}`,
	"gifts_lost":         `{"Name":"gifts_lost","Unit":"Count"}`,
	"snapshots":          `{"Name":"snapshots","Unit":"Count"}`,
	"sweep_lag_s":        `{"Name":"sweep_lag_s","Unit":"Seconds"}`,
	"missed_ends":        `{"Name":"missed_ends","Unit":"Count"}`,
	"rate_shared_errors": `{"Name":"rate_shared_errors","Unit":"Count"}`,
	"unattributed_coins": `{"Name":"unattributed_coins","Unit":"Count"}`,
}

// Handler adds the metadata to lines that contain metrics. The wrapped handler must write JSON.
type Handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h Handler) Handle(ctx context.Context, record slog.Record) error {
	found := make([]string, 0, 8) // room for all of them
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

// metadata builds the JSON as text because every request logs it, and only the time and the selection of constants vary.
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
