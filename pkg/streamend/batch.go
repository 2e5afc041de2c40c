package streamend

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// batchWorkers bounds the messages of one batch that are processed at once; the rate limit is shared.
const batchWorkers = 16

// Message is what brings an event: its body is the event, its id what the carrier calls it.
type Message struct {
	ID   string
	Body []byte
	Err  error // why there is no event in it; then it is final
}

// ProcessAll parses and processes the messages of one invocation, side by side. The errors are in the order of the messages;
// one never fails another. What the deadline of ctx leaves undone has an error, so that it comes again.
func (p *Processor) ProcessAll(ctx context.Context, messages []Message) []error {
	ctx, cancel := giftstats.WithMargin(ctx)
	defer cancel()
	defer p.config.Settle(ctx)
	errs := make([]error, len(messages))
	giftstats.Spread(len(messages), batchWorkers, func(i int) { errs[i] = p.processMessage(ctx, messages[i]) })
	return errs
}

// processMessage processes one message and logs why it failed. A panic stays with it.
func (p *Processor) processMessage(ctx context.Context, message Message) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			p.config.Logger.ErrorContext(ctx, "panic while an event was processed", "message_id", message.ID, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
			err = errors.New("internal: processing the event panicked; the log has the stack")
		}
		switch {
		case IsFinal(err):
			p.config.Logger.ErrorContext(ctx, "event given up: no repeat can help", "message_id", message.ID, "error", err)
		case err != nil:
			p.config.Logger.WarnContext(ctx, "event failed: it has to come again", "message_id", message.ID, "error", err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("no time was left for this event: %w", err)
	}
	if message.Err != nil {
		return &Final{message.Err}
	}
	event, err := Parse(message.Body, message.ID)
	if err != nil {
		return err
	}
	return p.Process(ctx, event)
}
