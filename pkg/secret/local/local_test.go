package local_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/secret/local"
)

const value = "not-a-real-key"

func TestEnv(t *testing.T) {
	for _, test := range []struct {
		name, variable, content string
		want                    string // the secret, or else part of the error
		failed                  bool
	}{
		{name: "key", variable: "TEST_SECRET", content: value, want: value},
		{name: "white space around", variable: "TEST_SECRET", content: " " + value + "\n", want: value},
		{name: "document", variable: "TEST_SECRET", content: "{\n}\n", want: "{\n}"},
		{name: "name in small letters", variable: "test_secret", content: value, want: value},
		{
			name:     "empty",
			variable: "TEST_SECRET",
			want:     "the variable TEST_SECRET named by GIFTSTATS_SECRET is missing or empty",
			failed:   true,
		},
		{
			name:     "only white space",
			variable: "TEST_SECRET",
			content:  " \r\n\t",
			want:     "the variable TEST_SECRET named by",
			failed:   true,
		},
		{name: "the secret itself for a name", variable: value, want: "the variable named by GIFTSTATS_SECRET", failed: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(test.variable, test.content)
			got, err := local.Env(test.variable).Fetch(t.Context())
			if test.failed {
				wantError(t, err, test.want)
			} else if err != nil || string(got) != test.want {
				t.Errorf("Fetch = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func wantError(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), value) {
		t.Errorf("error %v, want %q", err, part)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, content string
		want          string // the secret, or else part of the error
		failed        bool
	}{
		{name: "key", content: value, want: value},
		{name: "line break", content: value + "\n", want: value},
		{name: "largest", content: strings.Repeat("x", 64<<10), want: strings.Repeat("x", 64<<10)},
		{name: "too large", content: strings.Repeat("x", 64<<10+1), want: "larger than 65536 bytes", failed: true},
		{name: "empty", want: "the file is empty", failed: true},
		{name: "only white space", content: "\n\n", want: "the file is empty", failed: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := local.File(path).Fetch(t.Context())
			if test.failed {
				wantError(t, err, "read the secret's file "+path+": "+test.want)
			} else if err != nil || string(got) != test.want {
				t.Errorf("Fetch = %d bytes, %v, want %d", len(got), err, len(test.want))
			}
		})
	}
}

func TestFileIsReadAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	store := local.File(path)
	for _, content := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Fetch(t.Context()); err != nil || string(got) != content {
			t.Errorf("Fetch = %q, %v, want %q", got, err, content)
		}
	}
}

func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := local.File(missing).Fetch(t.Context())
	wantError(t, err, "read the secret's file "+missing+": no such file")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v is not ErrNotExist", err)
	}
	_, err = local.File(t.TempDir()).Fetch(t.Context())
	wantError(t, err, "not a regular file or named pipe")
	_, err = local.File(os.DevNull).Fetch(t.Context())
	wantError(t, err, "not a regular file or named pipe")
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := local.File(path).Fetch(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v is not Canceled", err)
	}
}

func ExampleFile() {
	directory, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "secret")
	if err := os.WriteFile(path, []byte("not-a-real-key\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	raw, err := local.File(path).Fetch(context.Background())
	fmt.Printf("%q %v\n", raw, err)
	// Output: "not-a-real-key" <nil>
}

func ExampleEnv() {
	_, err := local.Env("GIFTSTATS_EXAMPLE_NOT_SET").Fetch(context.Background())
	fmt.Println(err)
	// Output: the variable GIFTSTATS_EXAMPLE_NOT_SET named by GIFTSTATS_SECRET is missing or empty
}
