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
	fetchTimeout = 3 * time.Second // one read of the store
	failedFirst  = time.Second     // how long a failed first read is not repeated
	failedAgain  = 5 * time.Second // how long a failed re-read is not repeated, when the time-to-live is not shorter
	forcedEvery  = 5 * time.Second // a refused signature causes at most one re-read in this time
	settleFor    = time.Second     // the most that a slow store may hold up the end of an invocation
)

// Options of a [Cache].
type Options struct {
	Store  Store
	Bare   Bare
	TTL    time.Duration // how long a document is used before it is read again
	Now    func() time.Time
	Logger *slog.Logger
}

// Cache shares one secret document between everything in a process.
//
// A document whose time is up goes on being used while it is read again, and stays in use when that fails. Concurrent
// readers share one read. The same stored bytes give the same *Document, so its address tells versions apart. All methods
// may be called from several goroutines.
type Cache struct {
	options Options

	mu       sync.Mutex
	document *Document // nil before the first success
	digest   [sha256.Size]byte
	readAt   time.Time // from when the document is read again
	failure  error     // of the last read, while there is no document
	forcedAt time.Time // when a refused signature last caused a read
	flight   *flight   // the read that is under way, if any
}

// flight is one read of the store; its fields may be looked at once done is closed.
type flight struct {
	done     chan struct{}
	document *Document
	err      error
}

// NewCache reads nothing yet.
func NewCache(options Options) *Cache { return &Cache{options: options} }

// Get returns the document. Its error has the code secret_unavailable.
func (c *Cache) Get(ctx context.Context) (*Document, error) {
	c.mu.Lock()
	now := c.options.Now()
	if c.document != nil {
		defer c.mu.Unlock()
		if !now.Before(c.readAt) && c.flight == nil {
			c.start(ctx)
		}
		return c.document, nil
	}
	joined := c.flight
	if joined == nil && c.failure != nil && now.Before(c.readAt) {
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
	// That read began before this call, perhaps before the process was frozen for a while: its failure says little.
	return c.joinOrStart(ctx).wait(ctx)
}

// Reread answers a signature that upstream refused although it was made with the given document. It returns the document to
// go on with, and whether that is worth another try: true unless it is the refused one and the store was read for this
// reason less than five seconds ago.
func (c *Cache) Reread(ctx context.Context, refused *Document) (document *Document, again bool) {
	c.mu.Lock()
	flight := c.flight
	now := c.options.Now()
	switch {
	case c.document != refused:
		defer c.mu.Unlock()
		return c.document, true
	case flight == nil && !c.forcedAt.IsZero() && now.Sub(c.forcedAt) < forcedEvery:
		defer c.mu.Unlock()
		return refused, false
	case flight == nil:
		c.forcedAt = now
		flight = c.start(ctx)
	}
	c.mu.Unlock()
	if document, err := flight.wait(ctx); err == nil {
		return document, true
	}
	return refused, true // that the store is down need not keep a new signature from being accepted
}

// Settle waits until no read is under way, ctx is done, or a second has passed. An invocation calls it before it ends, because
// a read that goes on alongside it would be frozen with the process.
func (c *Cache) Settle(ctx context.Context) {
	c.mu.Lock()
	flight := c.flight
	c.mu.Unlock()
	if flight == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	select {
	case <-flight.done:
	case <-ctx.Done():
	}
}

func (c *Cache) joinOrStart(ctx context.Context) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight != nil {
		return c.flight
	}
	return c.start(ctx)
}

// start begins a read; the caller holds the lock. The read outlives the cancellation of the request that caused it, since
// others may wait for it, but not that request's deadline, since the process may be frozen then.
func (c *Cache) start(ctx context.Context) *flight {
	deadline := time.Now().Add(fetchTimeout)
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		deadline = own
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	f := &flight{done: make(chan struct{})}
	c.flight = f
	go func() {
		defer cancel()
		begun := c.options.Now()
		raw, err := c.fetch(ctx)
		c.land(ctx, f, c.options.Now().Sub(begun), raw, err)
	}()
	return f
}

func (c *Cache) fetch(ctx context.Context) (raw []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the secret store's client panicked: %v", p)
		}
	}()
	return c.options.Store.Fetch(ctx)
}

// land takes the outcome of a read into the cache and wakes those who wait for it.
func (c *Cache) land(ctx context.Context, f *flight, took time.Duration, raw []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	c.flight = nil
	now := c.options.Now()
	digest := sha256.Sum256(bytes.TrimSpace(raw))
	if err == nil && (c.document == nil || digest != c.digest) {
		f.document, err = ParseDocument(raw, c.options.Bare)
	}
	switch {
	case err == nil:
		if f.document != nil {
			c.document, c.digest = f.document, digest
		}
		f.document = c.document
		c.failure, c.readAt = nil, now.Add(c.options.TTL)
		c.options.Logger.InfoContext(ctx, "secret read", "secret_refreshes", 1, "duration_ms", telemetry.Milliseconds(took))
	case c.document != nil:
		f.err = err
		c.readAt = now.Add(min(failedAgain, c.options.TTL))
		c.options.Logger.WarnContext(ctx, "the secret could not be read again; the one read before stays in use", "error", err)
	default:
		f.err = unavailable(err)
		c.failure, c.readAt = f.err, now.Add(failedFirst)
	}
}

func (f *flight) wait(ctx context.Context) (*Document, error) {
	select {
	case <-f.done:
		return f.document, f.err
	case <-ctx.Done():
		return nil, unavailable(errors.Join(errors.New("the secret store had not answered"), ctx.Err()))
	}
}

func unavailable(err error) error {
	return &giftstats.Error{
		Code:       giftstats.CodeSecretUnavailable,
		Detail:     "the app's secret could not be read; the log says why",
		RetryAfter: failedFirst,
		Err:        err,
	}
}
