package liveengine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

const (
	firstBackoff  = 100 * time.Millisecond
	stopFor       = time.Minute // no call is made for this long after 70050
	maxAnswer     = 1 << 20     // bytes read of an answer
	commandPrefix = "/v4/live_engine_http_srv/"
)

// call makes one call of a command. It retries while that can help and the deadline of ctx leaves time.
//
// Callers name A, the type of the answer, as in call[giftCountAnswer](…); the compiler infers P, which is always *A. The constraint
// states what A alone cannot: *A implements answer, whose methods have pointer receivers because decoding sets the fields. Every
// attempt decodes into a new A, so that nothing of a failed answer is left in the next one.
func call[A any, P interface {
	*A
	answer
}](ctx context.Context, c *Client, command string, request any) (*A, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request of %s: %w", command, err)
	}
	signedAgain := false
	var record telemetry.Call
	defer func() { telemetry.RecordCall(ctx, record) }()
	for attempt := 1; ; attempt++ {
		signed, trial, err := c.turn(ctx)
		if err != nil {
			return nil, err
		}
		answer := P(new(A))
		took, fault := c.send(ctx, outgoing{command, body, signed, trial}, answer)
		record = addAttempt(record, took, answer.head())
		c.logAttempt(ctx, command, attempt, took, answer.head(), fault)
		switch {
		case fault == nil:
			return answer, nil
		case ctx.Err() != nil:
			return nil, giftstats.AsError(ctx.Err())
		case !signedAgain && trial == nil && c.mayRenew(ctx, signed, fault):
			signedAgain = true
			attempt-- // the attempt with the new signature does not count
		case fault.repeat == later && attempt < c.config.Attempts && c.backoff.Wait(ctx, attempt, fault.RetryAfter, took):
			// try again
		case ctx.Err() != nil:
			return nil, giftstats.AsError(ctx.Err())
		default:
			return nil, fault.Error
		}
	}
}

// mayRenew reports whether a new signature may help against the fault.
func (c *Client) mayRenew(ctx context.Context, signed *signature, fault *fault) bool {
	return fault.repeat == signOrHold || fault.repeat == signAgain && c.signing.renew(ctx, signed)
}

// addAttempt adds an attempt to the record of its call.
func addAttempt(record telemetry.Call, took time.Duration, head *envelope) telemetry.Call {
	record.Attempts++
	record.Took += took
	record.Answered, record.Code, record.RequestID = head.ErrorCode.Known, int(head.ErrorCode.Value), head.RequestID
	return record
}

func (c *Client) logAttempt(ctx context.Context, command string, attempt int, took time.Duration, head *envelope, fault *fault) {
	if !c.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	text := "upstream call"
	attrs := []slog.Attr{
		slog.String("command", command),
		slog.Int("attempt", attempt),
		slog.Float64("upstream_ms", telemetry.Milliseconds(took)),
		slog.String("upstream_request_id", head.RequestID),
	}
	if fault != nil {
		text = "upstream call failed"
		attrs = append(attrs, slog.Any("error", fault.Error))
	}
	c.config.Logger.LogAttrs(ctx, slog.LevelDebug, text, attrs...)
}
