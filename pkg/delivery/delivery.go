// Package delivery sends summaries to their receivers: the log, an HTTPS endpoint, and, in the sub-packages, queues and event
// buses of the clouds.
//
// Every message is delivered at least once. A repeated delivery has the same id, so receivers can recognize it.
package delivery

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"
)

// Message is one message to deliver.
type Message struct {
	ID   string // the same for every delivery of this message
	Type string
	At   time.Time
	Body []byte // JSON
}

// Deliverer delivers messages. It returns nil only when the receiver has accepted the message. An error is permanent, in the
// sense of package permanent, when no retry of the delivery can succeed.
type Deliverer interface {
	Deliver(ctx context.Context, message Message) error
}

// Receiver is a Deliverer with a name that stays the same as long as its address does. The name must not hold a secret.
type Receiver struct {
	Name string
	Deliverer
}

// ToAll delivers to all receivers concurrently. The errors are in the order of the receivers.
func ToAll(ctx context.Context, receivers []Receiver, message Message) []error {
	errs := make([]error, len(receivers))
	var running sync.WaitGroup
	for i, receiver := range receivers {
		running.Go(func() { errs[i] = receiver.Deliver(ctx, message) })
	}
	running.Wait()
	return errs
}

// Log returns a Deliverer that writes each message as one log line at the level info. The logger must have that level enabled, or
// the messages are lost.
func Log(logger *slog.Logger) Deliverer { return logLines{logger} }

type logLines struct{ logger *slog.Logger }

func (l logLines) Deliver(ctx context.Context, message Message) error {
	l.logger.LogAttrs(ctx, slog.LevelInfo, message.Type,
		slog.String("event_id", message.ID),
		slog.Any("summary", json.RawMessage(message.Body)),
	)
	return nil
}
