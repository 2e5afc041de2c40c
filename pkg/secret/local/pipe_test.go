//go:build unix

package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/giftstats/giftstats/pkg/secret/local"
)

func pipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileMayBeAPipe(t *testing.T) {
	t.Parallel()
	path := pipe(t)
	go os.WriteFile(path, []byte(value+"\n"), 0) // waits for the reader
	if got, err := local.File(path).Fetch(t.Context()); err != nil || string(got) != value {
		t.Errorf("Fetch = %q, %v", got, err)
	}
}

// endsWhenAwaited is a context whose deadline passes when somebody waits for it, and not before.
type endsWhenAwaited struct {
	context.Context
	once sync.Once
	done chan struct{}
}

func (c *endsWhenAwaited) Done() <-chan struct{} {
	c.once.Do(func() { close(c.done) })
	return c.done
}

func (c *endsWhenAwaited) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestPipeWithoutWriter(t *testing.T) {
	t.Parallel()
	path := pipe(t)
	ctx := &endsWhenAwaited{Context: t.Context(), done: make(chan struct{})}
	if _, err := local.File(path).Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v is not DeadlineExceeded", err)
	}
	writer, err := os.OpenFile(path, os.O_WRONLY, 0) // lets the reader that still waits end
	if err != nil {
		t.Fatal(err)
	}
	writer.Close()
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
	_, err := local.File(path).Fetch(t.Context())
	wantError(t, err, "permission denied")
}
