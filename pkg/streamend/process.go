package streamend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Config of a [Processor]. All fields but Ledger and Settle are required.
type Config struct {
	Service   *giftstats.Service
	Rate      float64 // calls to Tencent per second that the limiter of Service allows
	Receivers []delivery.Receiver
	Ledger    *ledger.Ledger // nil: nothing is remembered
	// Settle is how long after an end its summary waits for the room's totals, if the first report lacks them, and for gifts that were
	// sent in the last moments. It never waits if zero.
	Settle   time.Duration
	WaitIdle func(context.Context) // waits for what an invocation must not leave behind: secret.Cache.WaitIdle
	Meter    *telemetry.Meter
	Now      func() time.Time
	Logger   *slog.Logger
}

// Processor turns events into delivered summaries. It may be used from several goroutines.
type Processor struct {
	config Config
	budget *budget
}

// NewProcessor returns a Processor, or an error that names the fields that are missing.
func NewProcessor(config Config) (*Processor, error) {
	var missing []error
	for _, field := range []struct {
		name    string
		present bool
	}{
		{name: "Service", present: config.Service != nil},
		{name: "Rate", present: config.Rate > 0},
		{name: "Receivers", present: len(config.Receivers) > 0},
		{name: "WaitIdle", present: config.WaitIdle != nil},
		{name: "Meter", present: config.Meter != nil},
		{name: "Now", present: config.Now != nil},
		{name: "Logger", present: config.Logger != nil},
	} {
		if !field.present {
			missing = append(missing, fmt.Errorf("streamend: Config.%s is missing", field.name))
		}
	}
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	return &Processor{config, newBudget(config.Rate)}, nil
}

var errUndelivered = errors.New("deliver")

// Process delivers the summary of the stream that an event ended. A nil error means that every receiver has taken it. A permanent
// error means that no retry can help. After any other error the event must be processed again.
//
// With a ledger, the summary is made and stored once, no matter what reports the end and how often. It is delivered to the receivers that
// have not accepted it yet. Without one, every call makes a new summary.
func (p *Processor) Process(ctx context.Context, event Event) error {
	_, err := p.Deliver(ctx, event)
	return err
}

// Deliver does what Process does, and returns the summary. The summary is nil if it could not be made. If there is an error, too, not
// every receiver has taken it, or the ledger could not record that.
func (p *Processor) Deliver(ctx context.Context, event Event) ([]byte, error) {
	if p.config.Ledger != nil {
		body, err := p.processRemembered(ctx, event)
		return body, wrap(event, err)
	}
	summary, err := p.summarize(ctx, event)
	if err != nil {
		return nil, wrap(event, err)
	}
	body, err := json.Marshal(summary)
	if err != nil {
		return nil, wrap(event, permanent.Error(fmt.Errorf("encode the summary: %w", err)))
	}
	return body, wrap(event, p.deliver(ctx, summary, body, p.config.Receivers, func(string) error { return nil }))
}

func wrap(event Event, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("event %s: %w", event.EventID, err)
}

// deliver sends a summary to the receivers, and calls taken for each that has it. The error is permanent if none of the others will
// ever take it.
func (p *Processor) deliver(ctx context.Context, summary Summary, body []byte, to []delivery.Receiver, taken func(string) error) error {
	message := delivery.Message{ID: summary.Data.EventID, Type: summary.Type, At: summary.Timestamp, Body: body}
	delivered := 0
	var failures []error
	for i, err := range delivery.ToAll(ctx, to, message) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		delivered++
		if err := taken(to[i].Name); err != nil {
			p.config.Logger.WarnContext(ctx, "delivery not recorded; the summary may be delivered again",
				"event_id", summary.Data.EventID, "errors", 1, "code", giftstats.AsError(err).Code, "error", err)
		}
	}
	if delivered > 0 {
		p.config.Logger.InfoContext(ctx, "stream summary delivered", p.deliveredAttrs(summary, delivered)...)
	}
	err := errors.Join(failures...)
	switch {
	case err == nil:
		return nil
	case permanent.Is(err):
		return permanent.Error(fmt.Errorf("%w: %w", errUndelivered, err))
	}
	return fmt.Errorf("%w: %w", errUndelivered, err)
}

func (p *Processor) deliveredAttrs(summary Summary, delivered int) []any {
	data := summary.Data
	attrs := []any{
		"deliveries", delivered, "event_id", data.EventID, "room_id", data.RoomID, "source", data.Source, "complete", data.Complete,
	}
	if data.Reconciled != nil {
		attrs = append(attrs, "reconciled", *data.Reconciled)
	}
	if data.Unattributed != nil {
		attrs = append(attrs, "unattributed_coins", data.Unattributed.TotalCoins)
	}
	return attrs
}

// summarize makes the summary of an event from what the event and Tencent say.
func (p *Processor) summarize(ctx context.Context, event Event) (Summary, error) {
	known := evidence{
		roomID: event.RoomID, accounts: event.Accounts, owner: event.owner(), unsigned: event.owner() != "",
		hasTotals: event.RoomTotals != nil, now: p.timestamp(),
	}
	if event.EndedAt != nil {
		known.endedAt = *event.EndedAt
	}
	var started time.Time
	known, started, err := p.ask(ctx, known, time.Time{})
	if err != nil {
		return Summary{}, err
	}
	if event.RoomTotals != nil {
		known.totals, known.totalsFrom = event.RoomTotals, FromWebhook
	}
	return known.summary(Data{
		EventID: event.EventID, EndedAt: event.EndedAt, StartedAt: pointer(started), Reason: event.Reason, Source: event.Source,
	}), nil
}

// summary completes data with the numbers.
func (e evidence) summary(data Data) Summary {
	data.RoomID, data.Room, data.RoomFrom, data.Accounts = e.roomID, e.totals, FromNone, e.earnings()
	data.Complete = data.Room != nil && len(data.Accounts) > 0
	for _, earning := range data.Accounts {
		data.Complete = data.Complete && earning.Problem == nil
	}
	if e.totals != nil {
		data.RoomFrom = e.totalsFrom
		rest := difference(e.totals, data.Accounts)
		reconciled := rest == ledger.Sum{}
		data.Reconciled = &reconciled
		if !reconciled {
			data.Unattributed = &rest
		}
	}
	return Summary{Type: SummaryType, Timestamp: e.now, Data: data}
}

func (p *Processor) timestamp() time.Time { return p.config.Now().UTC().Truncate(time.Millisecond) }

func pointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
