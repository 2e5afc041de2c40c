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
	stopFor       = time.Minute // no call is made for this long after 70050
	maxAnswer     = 1 << 20     // bytes read of an answer
	maxErrorInfo  = 512         // bytes kept of Tencent's error text
	commandPrefix = "/v4/live_engine_http_srv/"
)

// signature signs calls. It is kept with the document that it was made from.
type signature struct {
	document *secret.Document
	usersig  string
	query    string // the query string for both, encoded once
}

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
	signed, err := c.sign(ctx)
	if err != nil {
		return nil, err
	}
	signedAgain := false
	var record telemetry.Call
	defer func() { telemetry.RecordCall(ctx, record) }()
	for attempt := 1; ; attempt++ {
		answer := P(new(A))
		fault := c.waitTurn(ctx)
		var took time.Duration
		if fault == nil {
			started := c.config.Now()
			fault = c.attempt(ctx, command, signed, body, answer)
			took = c.config.Now().Sub(started)
			record = addAttempt(record, took, answer.head())
			c.logAttempt(ctx, command, attempt, took, answer.head(), fault)
		}
		switch {
		case fault == nil:
			return answer, nil
		case ctx.Err() != nil:
			return nil, giftstats.AsError(ctx.Err())
		case fault.repeat == signAgain && !signedAgain:
			if signed, signedAgain, err = c.signAgain(ctx, signed); err != nil {
				return nil, err
			}
			if !signedAgain {
				return nil, fault.Error
			}
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

// addAttempt adds an attempt to the record of its call.
func addAttempt(record telemetry.Call, took time.Duration, head *envelope) telemetry.Call {
	record.Attempts++
	record.Took += took
	record.Answered, record.Code, record.RequestID = head.ErrorCode.Known, int(head.ErrorCode.Value), head.RequestID
	return record
}

// sign returns a signature made with the current secret.
func (c *Client) sign(ctx context.Context) (*signature, error) {
	document, err := c.config.Secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	return c.signWith(document)
}

func (c *Client) signWith(document *secret.Document) (*signature, error) {
	sig, err := c.signer.Sign(usersig.Identity{
		SDKAppID: document.SDKAppID,
		Account:  document.Admin,
		Key:      document.SecretKey.Reveal(),
	})
	if err != nil {
		return nil, err
	}
	if last := c.signed.Load(); last != nil && last.document == document && last.usersig == sig {
		return last, nil
	}
	signed := &signature{document: document, usersig: sig, query: query(document, sig)}
	c.signed.Store(signed)
	return signed, nil
}

// signAgain replaces a signature that was refused, after reading the secret again. It reports false if the new signature would
// be refused as well: the secret was read a moment ago, and the signature is still the same.
func (c *Client) signAgain(ctx context.Context, refused *signature) (*signature, bool, error) {
	document, reread := c.config.Secrets.Reread(ctx, refused.document)
	if reread {
		c.signer.Forget(refused.usersig)
	}
	signed, err := c.signWith(document)
	if err != nil {
		return nil, false, err
	}
	return signed, reread || signed.usersig != refused.usersig, nil
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
