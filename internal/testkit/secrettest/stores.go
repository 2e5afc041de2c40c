package secrettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/secret"
)

// Values for tests of stores. No error may repeat one of them.
const (
	Value      = "not-a-real-key-value-of-the-secret"
	CloudKey   = "not-a-real-key-of-the-cloud"
	CloudToken = "not-a-real-token-of-the-cloud"
)

// WantError checks that the text of an error has all parts, and that it contains none of the values above.
func WantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	for _, hidden := range []string{Value, Value[:20], CloudKey, CloudToken} {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, hidden) {
			t.Errorf("error %q contains %q", text, hidden)
		}
	}
}

// WantNothingWritten checks that run writes nothing to the standard log and to os.Stderr. Clients of clouds must not log by themselves.
// A test that calls it cannot be parallel, because it replaces os.Stderr.
func WantNothingWritten(t *testing.T, run func()) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	defer func(stderr *os.File) { os.Stderr = stderr }(os.Stderr)
	os.Stderr = file
	run()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	written, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(written) > 0 {
		t.Errorf("written to stderr: %s", written)
	}
	if logged.Len() > 0 {
		t.Errorf("logged: %s", &logged)
	}
}

// CheckFetch checks that a store returns Value, with one call for each Fetch, also from several goroutines.
func CheckFetch(t *testing.T, store secret.Store, calls func() int) {
	t.Helper()
	fetch := func() {
		if got, err := store.Fetch(t.Context()); err != nil || string(got) != Value {
			t.Errorf("Fetch = %q, %v", got, err)
		}
	}
	fetch()
	if got := calls(); got != 1 {
		t.Errorf("one Fetch makes %d calls", got)
	}
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(fetch)
	}
	readers.Wait()
	if got := calls(); got != 9 {
		t.Errorf("9 times Fetch make %d calls", got)
	}
}

// CheckContext checks that a store whose server does not answer returns the error of the context.
func CheckContext(t *testing.T, store secret.Store) {
	t.Helper()
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := store.Fetch(short)
	WantError(t, err, "no answer in time", "a function in a VPC needs")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v is not DeadlineExceeded", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Fetch(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v is not Canceled", err)
	}
}

// ClosedURL returns the URL of a server that has been closed.
func ClosedURL() string {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}
