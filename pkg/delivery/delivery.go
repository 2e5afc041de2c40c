// Package delivery is where summaries go: to the log, to an HTTPS endpoint, and, in the sub-packages, to queues and buses of
// the clouds.
//
// A delivery is made at least once. A repeat carries the same id, so that receivers can tell.
package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Message is what is delivered. Body is JSON.
type Message struct {
	ID   string // the same for every delivery of the same message
	Type string
	At   time.Time
	Body []byte
}

// Deliverer delivers messages. It returns nil only when the receiver has accepted the message. An error is permanent, in the
// sense of package permanent, when no retry of the delivery can succeed.
type Deliverer interface {
	Deliver(ctx context.Context, message Message) error
}

// All delivers to each of the receivers, side by side; it succeeds when all of them do.
func All(receivers ...Deliverer) Deliverer {
	if len(receivers) == 1 {
		return receivers[0]
	}
	return all(receivers)
}

type all []Deliverer

func (a all) Deliver(ctx context.Context, message Message) error {
	errs := make([]error, len(a))
	var running sync.WaitGroup
	for i, receiver := range a {
		running.Go(func() { errs[i] = receiver.Deliver(ctx, message) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// Log delivers into one log line each, at the level info: the logger must not leave that level out.
func Log(logger *slog.Logger) Deliverer { return toLog{logger} }

type toLog struct{ logger *slog.Logger }

func (l toLog) Deliver(ctx context.Context, message Message) error {
	l.logger.LogAttrs(ctx, slog.LevelInfo, message.Type, slog.String("event_id", message.ID), slog.Any("summary", json.RawMessage(message.Body)))
	return nil
}
