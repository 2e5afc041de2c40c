// Package retry decides how long a client waits between two attempts, and whether another attempt is worth waiting for.
//
// Waits grow exponentially with full jitter. A server that sends Retry-After is given at least that time.
package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	maxWait    = 10 * time.Second      // a longer Retry-After is left to the caller, who knows what else there is to do
	minAttempt = 50 * time.Millisecond // an attempt with less time than this would only run into the deadline
	maxAfter   = time.Minute           // bound of Retry-After, so that a wrong header cannot keep callers away for years
)

// Backoff waits between the attempts of an operation.
type Backoff struct {
	// First is the upper bound of the wait after the first attempt. It doubles with every further attempt.
	First time.Duration
	// Jitter picks the wait, from 0 up to the given bound. The default picks evenly at random, which is "full jitter".
	//
	// Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
	Jitter func(bound time.Duration) time.Duration
}

// Wait waits before the attempt that follows the given one (1 is the first) and reports true. It reports false, at once, if
// the wait would be too long or if another attempt that takes as long as the last would not fit before the deadline of ctx;
// and as soon as ctx is done. retryAfter is the server's Retry-After, or 0 if there is none.
func (b Backoff) Wait(ctx context.Context, attempt int, retryAfter, lastTook time.Duration) bool {
	delay := max(retryAfter, b.jitter(min(b.First<<min(attempt-1, 10), maxWait)))
	if delay > maxWait {
		return false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay+max(minAttempt, lastTook) {
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b Backoff) jitter(bound time.Duration) time.Duration {
	if b.Jitter != nil {
		return b.Jitter(bound)
	}
	return rand.N(bound + 1)
}

// After returns what the header Retry-After asks for, as seconds or as a date, and at most a minute. It returns 0 if the header
// is missing, malformed, or in the past.
//
// Source: RFC 9110, section 10.2.3.
func After(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxAfter)
	}
	return 0
}
