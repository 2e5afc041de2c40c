package liveengine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/telemetry"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	firstBackoff  = 100 * time.Millisecond
	stopFor       = time.Minute // after 70050
	maxAnswer     = 1 << 20     // bytes read of an answer
	maxErrorInfo  = 512         // bytes kept of Tencent's error text
	commandPrefix = "/v4/live_engine_http_srv/"
)

// signature is what signs a call, and the document that it was made from.
type signature struct {
	document *secret.Document
	usersig  string
	query    string // with both, made once
}

// call makes one call of a command and repeats it while that can help and the deadline of ctx leaves room.
func call[A any, P interface {
	*A
	answer
}](ctx context.Context, c *Client, command string, request any) (*A, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request of %s: %w", command, err)
	}
	signed, err := c.sign(ctx)
	if err != nil {
		return nil, err
	}
	resigned := false
	var asked telemetry.Question
	defer func() { telemetry.Asked(ctx, asked) }()
	for attempt := 1; ; attempt++ {
		answer := P(new(A))
		fault := c.turn(ctx)
		var took time.Duration
		if fault == nil {
			started := c.config.Now()
			fault = c.attempt(ctx, command, signed, body, answer)
			took = c.config.Now().Sub(started)
			asked = count(asked, took, answer.head())
			c.logAttempt(ctx, command, attempt, took, answer.head(), fault)
		}
		switch {
		case fault == nil:
			return answer, nil
		case ctx.Err() != nil:
			return nil, giftstats.AsError(ctx.Err())
		case fault.repeat == resign && !resigned:
			if signed, resigned, err = c.resign(ctx, signed); err != nil {
				return nil, err
			}
			if !resigned {
				return nil, fault.Error
			}
			attempt--
		case fault.repeat == later && attempt < c.config.Attempts:
			if !c.backoff.Wait(ctx, attempt, fault.RetryAfter, took) {
				return nil, outcome(ctx, fault)
			}
		default:
			return nil, fault.Error
		}
	}
}

// count adds an attempt to the question it belongs to.
func count(asked telemetry.Question, took time.Duration, head *envelope) telemetry.Question {
	asked.Attempts++
	asked.Took += took
	asked.Answered, asked.Code, asked.RequestID = head.ErrorCode.Known, int(head.ErrorCode.Value), head.RequestID
	return asked
}

// outcome is what a call that ends after a fault returns: when the context is done, its error.
func outcome(ctx context.Context, fault *fault) error {
	if err := ctx.Err(); err != nil {
		return giftstats.AsError(err)
	}
	return fault.Error
}

// sign gets the document and a signature for it.
func (c *Client) sign(ctx context.Context) (*signature, error) {
	document, err := c.config.Secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	return c.signWith(document)
}

func (c *Client) signWith(document *secret.Document) (*signature, error) {
	sig, err := c.signer.Sign(usersig.Identity{SDKAppID: document.SDKAppID, Account: document.Admin, Key: document.SecretKey.Reveal()})
	if err != nil {
		return nil, err
	}
	if last := c.signed.Load(); last != nil && last.document == document && last.usersig == sig {
		return last, nil
	}
	signed := &signature{document, sig, query(document, sig)}
	c.signed.Store(signed)
	return signed, nil
}

// resign replaces a signature that was refused. It reports false when there is no reason to hope that another one would be
// accepted: the secret was read and signed with anew only just now, and is the same.
func (c *Client) resign(ctx context.Context, refused *signature) (*signature, bool, error) {
	document, again := c.config.Secrets.Reread(ctx, refused.document)
	if again {
		c.signer.Forget(refused.usersig)
	}
	signed, err := c.signWith(document)
	if err != nil {
		return nil, false, err
	}
	return signed, again || signed.usersig != refused.usersig, nil
}

func (c *Client) logAttempt(ctx context.Context, command string, attempt int, took time.Duration, head *envelope, fault *fault) {
	if !c.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	if fault == nil {
		c.config.Logger.DebugContext(ctx, "upstream call", "command", command, "attempt", attempt, "upstream_ms", telemetry.Milliseconds(took), "upstream_request_id", head.RequestID)
		return
	}
	c.config.Logger.DebugContext(ctx, "upstream call failed", "command", command, "attempt", attempt, "upstream_ms", telemetry.Milliseconds(took), "upstream_request_id", head.RequestID, "error", fault.Error)
}
