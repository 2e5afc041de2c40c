// Package syncbuf has a buffer that tests read while a program or a logger writes to it.
package syncbuf

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
)

// Buffer is like bytes.Buffer, for use from several goroutines. The zero value is an empty buffer.
type Buffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed by the next Write; nil if nobody watches
}

// Write appends data. It never fails.
func (b *Buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return b.text.Write(data)
}

// String returns everything written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Watch returns everything written so far, and a channel that is closed when more is written.
func (b *Buffer) Watch() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.text.String(), b.changed
}

// WaitFor waits until the buffer contains text. It returns an error if ctx is done before that.
func (b *Buffer) WaitFor(ctx context.Context, text string) error {
	for {
		written, changed := b.Watch()
		if strings.Contains(written, text) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %q: %w; written so far:\n%s", text, ctx.Err(), written)
		}
	}
}
