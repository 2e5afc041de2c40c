// Package local reads secrets from the environment and from files, for a person's own machine and for containers that mount
// secrets as files.
//
// White space around a secret is no part of it: editors end files with a line break. Errors name the variable or the file,
// and hold nothing of what is in it.
package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/giftstats/giftstats/pkg/secret"
)

// Env is a secret in the named variable, read anew each time.
func Env(variable string) secret.Store { return env(variable) }

type env string

func (e env) Fetch(context.Context) ([]byte, error) {
	value := bytes.TrimSpace([]byte(os.Getenv(string(e))))
	if len(value) == 0 {
		return nil, fmt.Errorf("%s, where GIFTSTATS_SECRET says the secret is, is not set or empty", e.called())
	}
	return value, nil
}

// called gives the variable's name when it looks like one. Somebody may have written the secret itself behind env://, and it
// would be in the log then.
func (e env) called() string {
	if strings.Trim(string(e), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" {
		return "the variable " + string(e)
	}
	return "the variable"
}

// File is a secret in the file at the given path, read anew each time. It may be a named pipe, which has one reader and
// is empty afterwards.
func File(path string) secret.Store { return file(path) }

type file string

// Fetch waits in a pipe for its writer, and on a network's file system for the network, no longer than ctx allows.
func (f file) Fetch(ctx context.Context) ([]byte, error) {
	content, err := f.fetch(ctx)
	content = bytes.TrimSpace(content)
	if err == nil && len(content) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret's file %s: %w", string(f), err)
	}
	return content, nil
}

func (f file) fetch(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type result struct {
		content []byte
		err     error
	}
	done := make(chan result, 1)
	go func() {
		content, err := read(string(f))
		done <- result{content, err}
	}()
	select {
	case r := <-done:
		return r.content, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
