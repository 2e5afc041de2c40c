package streamend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// batchWorkers bounds the messages of one batch that are processed at once; the rate limit is shared.
const batchWorkers = 16

// Message carries an event: Body is the event, ID the carrier's id of the message.
type Message struct {
	ID     string
	Body   []byte
	SentAt time.Time // zero if the carrier does not tell
	Err    error     // why the message holds no event; such an error is permanent
	// Own says that the carrier brings only events of the customer's own. Then the event is one, whatever source it names: many may be
	// allowed to send such events, and what Tencent reports is believed more.
	Own bool
	// PutAside sends the message to a dead-letter queue, with the reason. It is called for a permanent failure; if it succeeds, the message
	// need not be delivered again. If it is nil, the carrier of the message does that itself.
	PutAside func(ctx context.Context, reason error) error
}

// loggedID returns the id for the log. The sender of an event may choose the id of its envelope, of any length and content.
func (m Message) loggedID() string {
	const longest = 128
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, m.ID[:min(len(m.ID), longest)])
}

// ProcessAll parses and processes the messages of one invocation concurrently. The errors are in the order of the messages; one message
// never fails another. A message that the deadline of ctx cuts off has an error, so that it is delivered again. A message that was put
// aside has none.
func (p *Processor) ProcessAll(ctx context.Context, messages []Message) []error {
	ctx, cancel := giftstats.WithMargin(ctx)
	defer cancel()
	defer p.config.WaitIdle(ctx)
	errs := make([]error, len(messages))
	var group errgroup.Group
	group.SetLimit(batchWorkers)
	for place, i := range fairOrder(messages) {
		ctx := withPlace(ctx, place)
		group.Go(func() error {
			errs[i] = p.putAside(ctx, messages[i], p.processMessage(ctx, messages[i]))
			return nil
		})
	}
	group.Wait()
	return errs
}

// fairOrder returns the order in which the messages begin, and get their share of the rate: by turns the next one, as they came, and the
// smallest one, by the number of accounts that its event names. So in a batch that does not fit into the time, large events do not use up
// the time of small ones; and small ones not that of a large one, because the batch begins with another message each time.
func fairOrder(messages []Message) []int {
	smallest, size := make([]int, len(messages)), make([]int, len(messages))
	for i, message := range messages {
		event, _ := decode(message.Body) // an event that cannot be decoded costs nothing
		smallest[i], size[i] = i, len(event.Accounts)
	}
	slices.SortStableFunc(smallest, func(a, b int) int { return cmp.Compare(size[a], size[b]) })
	order, ordered := make([]int, 0, len(messages)), make([]bool, len(messages))
	for came := range messages {
		for _, i := range []int{came, smallest[came]} {
			if !ordered[i] {
				order, ordered[i] = append(order, i), true
			}
		}
	}
	return order
}

// processMessage processes one message and logs one line about it. A panic becomes the error of this message.
func (p *Processor) processMessage(ctx context.Context, message Message) (err error) {
	ctx, usage := p.config.Meter.Begin(ctx)
	started := p.config.Now()
	var event Event
	defer func() {
		if panicked := recover(); panicked != nil {
			p.config.Logger.ErrorContext(ctx, "panic while an event was processed",
				"message_id", message.loggedID(), "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
			err = giftstats.Errorf(giftstats.CodeInternal, "processing the event panicked; the log has the stack")
		}
		p.log(ctx, message, event, usage, p.config.Now().Sub(started), err)
	}()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("no time left for this event: %w", err)
	}
	if message.Err != nil {
		return permanent.Error(message.Err)
	}
	if isSweep(message.Body) {
		return p.Sweep(ctx)
	}
	if event, err = Parse(message.Body, message.ID); err != nil {
		return err
	}
	if message.Own {
		event.Source = SourceDirect
	}
	if event.EndedAt == nil && event.ReportedAt == nil && !message.SentAt.IsZero() {
		event.ReportedAt = &message.SentAt
	}
	return p.Process(ctx, event)
}

// putAside sends a message that failed permanently to its dead-letter queue. It returns nil if the message is there; otherwise the message
// keeps its error, so that it is delivered again.
func (p *Processor) putAside(ctx context.Context, message Message, failure error) error {
	if message.PutAside == nil || !permanent.Is(failure) {
		return failure
	}
	if err := message.PutAside(ctx, failure); err != nil {
		p.config.Logger.WarnContext(ctx, "dead letter not sent; the event will be retried",
			"message_id", message.loggedID(), "errors", 1, "code", codeUndelivered, "error", err)
		return failure
	}
	return nil
}

// codeUndelivered is the code in the log of an event whose summary was not delivered. Other failures have the codes of the API.
const codeUndelivered giftstats.Code = "delivery_failed"

func (p *Processor) log(ctx context.Context, message Message, event Event, usage *telemetry.Usage, took time.Duration, err error) {
	level, text := slog.LevelInfo, "event processed"
	attrs := usage.Attrs([]slog.Attr{slog.String("message_id", message.loggedID()), slog.Float64("duration_ms", telemetry.Milliseconds(took))})
	if event.RoomID != "" { // the event could be decoded
		attrs = append(attrs, slog.String("event_id", event.EventID), slog.String("room_id", event.RoomID))
	}
	switch {
	case permanent.Is(err):
		level, text = slog.LevelError, "event failed permanently"
	case err != nil:
		level, text = slog.LevelWarn, "event failed, will be retried"
	}
	if err != nil {
		attrs = append(attrs, slog.Int("errors", 1), slog.String("code", string(code(err))), slog.Any("error", err))
	}
	p.config.Logger.LogAttrs(ctx, level, text, attrs...)
}

func code(err error) giftstats.Code {
	var known *giftstats.Error
	switch {
	case errors.As(err, &known):
		return known.Code
	case errors.Is(err, errUndelivered):
		return codeUndelivered
	case permanent.Is(err):
		return giftstats.CodeInvalidRequest
	default:
		return giftstats.AsError(err).Code
	}
}
