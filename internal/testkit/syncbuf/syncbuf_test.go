package syncbuf_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
)

func TestWaitFor(t *testing.T) {
	var buffer syncbuf.Buffer
	go func() {
		for i := range 3 {
			fmt.Fprintf(&buffer, "line %d\n", i)
		}
	}()
	if err := buffer.WaitFor(t.Context(), "line 2"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := buffer.WaitFor(ctx, "line 3"); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitFor of a text that is never written = %v, want context canceled", err)
	}
}
