package secret

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

const (
	fetchTimeout      = 3 * time.Second // for one read of the store
	firstRetryDelay   = time.Second     // after a failed first read
	refreshRetryDelay = 5 * time.Second // after a failed refresh, unless the TTL is shorter
	rereadInterval    = 5 * time.Second // between two reads that refused signatures cause
	maxIdleWait       = time.Second     // how long a slow store may delay the end of an invocation
	// replacedLimit is how long a document is used after the store has replaced it by an invalid one. The old one may hold a key
	// that was to be revoked.
	replacedLimit = 15 * time.Minute
)

// Config configures a [Cache]. All fields but KeyDefaults are required.
type Config struct {
	Store       Store
	KeyDefaults KeyDefaults
	TTL         time.Duration // how long a document is used before it is read again
	Now         func() time.Time
	Logger      *slog.Logger
}

func (c Config) check() error {
	switch {
	case c.Store == nil:
		return errors.New("secret: Config.Store is required")
	case c.TTL <= 0:
		return errors.New("secret: Config.TTL must be positive")
	case c.Now == nil || c.Logger == nil:
		return errors.New("secret: Config.Now and Config.Logger are required")
	}
	return nil
}

// Cache shares one secret document in a process. All methods may be called from several goroutines.
//
// When the TTL of a document has passed, the document stays in use while it is read again, and also if the store cannot be read. If
// the store holds an invalid document instead, the old one stays in use for 15 minutes. Concurrent callers share one read. The same
// stored bytes give the same *Document, so two versions have different pointers.
type Cache struct {
	config Config

	mu       sync.Mutex
	document *Document // nil until a read succeeds
	digest   [sha256.Size]byte
	replaced time.Time // when the store was first seen to hold an invalid document instead; zero if it does not
	nextRead time.Time // the time from which the store may be read again
	failure  error     // the error of the last read, while document is nil
	rereadAt time.Time // when a refused signature last caused a read
	current  *read     // the read in progress, or nil
}

// read is one read of the store. Its document and err are set before done is closed.
type read struct {
	done     chan struct{}
	document *Document
	err      error
}

// NewCache returns a Cache. It reads nothing yet.
func NewCache(config Config) (*Cache, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	return &Cache{config: config}, nil
}

// Get returns the document. Its error has the code secret_unavailable.
func (c *Cache) Get(ctx context.Context) (*Document, error) {
	c.mu.Lock()
	now := c.config.Now()
	c.expire(now)
	if c.document != nil {
		defer c.mu.Unlock()
		if !now.Before(c.nextRead) && c.current == nil {
			c.start(ctx)
		}
		return c.document, nil
	}
	joined := c.current
	if joined == nil && c.failure != nil && now.Before(c.nextRead) {
		defer c.mu.Unlock()
		return nil, c.failure
	}
	if joined == nil {
		joined = c.start(ctx)
		c.mu.Unlock()
		return joined.wait(ctx)
	}
	c.mu.Unlock()
	document, err := joined.wait(ctx)
	if err == nil || ctx.Err() != nil {
		return document, err
	}
	// That read started before this call. It may have failed only because the process was frozen in between.
	return c.joinOrStart(ctx).wait(ctx)
}

// expire drops a document that the store has replaced by an invalid one too long ago; the caller must hold the lock.
func (c *Cache) expire(now time.Time) {
	if c.document != nil && !c.replaced.IsZero() && now.Sub(c.replaced) >= replacedLimit {
		c.document, c.nextRead = nil, now
	}
}

// Reread is called when the upstream refuses a signature made with the given document. It returns the document to use from now on, and
// whether a call with it is worth trying. That is false only if the document is the refused one and the store was read for this reason
// less than five seconds ago.
func (c *Cache) Reread(ctx context.Context, refused *Document) (document *Document, retry bool) {
	c.mu.Lock()
	joined := c.current
	now := c.config.Now()
	switch {
	case c.document != nil && c.document != refused:
		defer c.mu.Unlock()
		return c.document, true
	case joined == nil && !c.rereadAt.IsZero() && now.Sub(c.rereadAt) < rereadInterval:
		defer c.mu.Unlock()
		return refused, false
	case joined == nil:
		c.rereadAt = now
		joined = c.start(ctx)
	}
	c.mu.Unlock()
	if document, err := joined.wait(ctx); err == nil {
		return document, true
	}
	return refused, true // the upstream may accept a new signature even while the store is down
}

// WaitIdle waits until no read is in progress, ctx is done, or a second has passed. An invocation calls it before it ends, because the
// process may be frozen then, and a read in progress with it.
func (c *Cache) WaitIdle(ctx context.Context) {
	c.mu.Lock()
	current := c.current
	c.mu.Unlock()
	if current == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxIdleWait)
	defer cancel()
	select {
	case <-current.done:
	case <-ctx.Done():
	}
}

func (c *Cache) joinOrStart(ctx context.Context) *read {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		return c.current
	}
	return c.start(ctx)
}

// start starts a read; the caller must hold the lock. The read continues if the request that caused it is canceled, because others may
// wait for it. It ends at that request's deadline, because the process may be frozen then.
func (c *Cache) start(ctx context.Context) *read {
	deadline := time.Now().Add(fetchTimeout)
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		deadline = own
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	r := &read{done: make(chan struct{})}
	c.current = r
	go func() {
		defer cancel()
		started := c.config.Now()
		raw, err := c.fetch(ctx)
		c.finish(ctx, r, c.config.Now().Sub(started), raw, err)
	}()
	return r
}

func (c *Cache) fetch(ctx context.Context) (raw []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the secret store's client panicked: %v", p)
		}
	}()
	return c.config.Store.Fetch(ctx)
}

// finish stores the result of a read in the cache and wakes the goroutines that wait for it.
func (c *Cache) finish(ctx context.Context, r *read, took time.Duration, raw []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(r.done)
	c.current = nil
	now := c.config.Now()
	digest, invalid := sha256.Sum256(bytes.TrimSpace(raw)), false
	if err == nil && (c.document == nil || digest != c.digest) {
		r.document, err = ParseDocument(raw, c.config.KeyDefaults)
		invalid = err != nil
	}
	switch {
	case err == nil:
		if r.document != nil {
			c.document, c.digest = r.document, digest
		}
		r.document = c.document
		c.failure, c.replaced, c.nextRead = nil, time.Time{}, now.Add(c.config.TTL)
		c.config.Logger.InfoContext(ctx, "secret read", "secret_refreshes", 1, "duration_ms", telemetry.Milliseconds(took))
	case c.document != nil:
		r.err = err
		c.nextRead = now.Add(min(refreshRetryDelay, c.config.TTL))
		c.keptDocument(ctx, now, invalid, err)
	default:
		r.err = unavailable(err)
		c.failure, c.nextRead = r.err, now.Add(firstRetryDelay)
	}
}

// keptDocument logs that a read has failed and the older document stays in use; the caller must hold the lock. An invalid document is an
// error that rings the alarm for secret_unavailable: what was changed, such as a revoked key, is not in force.
func (c *Cache) keptDocument(ctx context.Context, now time.Time, invalid bool, err error) {
	if !invalid {
		c.config.Logger.WarnContext(ctx, "secret refresh failed; using the cached one", "error", err)
		return
	}
	if c.replaced.IsZero() {
		c.replaced = now
	}
	left := max(0, replacedLimit-now.Sub(c.replaced))
	c.config.Logger.ErrorContext(ctx, "stored secret is invalid; using the older one",
		"code", string(giftstats.CodeSecretUnavailable), "errors", 1, "error", err, "usable_s", int(left.Seconds()))
}

func (r *read) wait(ctx context.Context) (*Document, error) {
	select {
	case <-r.done:
		return r.document, r.err
	case <-ctx.Done():
		return nil, unavailable(errors.Join(errors.New("no answer from the secret store yet"), ctx.Err()))
	}
}

func unavailable(err error) error {
	return &giftstats.Error{
		Code:       giftstats.CodeSecretUnavailable,
		Detail:     "the app's secret is unavailable; the log has the reason",
		RetryAfter: firstRetryDelay,
		Err:        err,
	}
}
