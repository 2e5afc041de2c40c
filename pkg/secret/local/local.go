// Package local reads secrets from environment variables and from files, for local use and for containers that mount secrets as files.
//
// White space around a secret is removed, because editors end files with a line break. Errors name the variable or the file, and contain
// nothing of its content.
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

// Env returns a store that reads the secret from the named variable each time.
func Env(variable string) secret.Store { return env(variable) }

type env string

func (e env) Fetch(context.Context) ([]byte, error) {
	value := bytes.TrimSpace([]byte(os.Getenv(string(e))))
	if len(value) == 0 {
		return nil, fmt.Errorf("%s named by GIFTSTATS_SECRET is missing or empty", e.describe())
	}
	return value, nil
}

// describe shows the variable's name only if it looks like one. The name may be the secret itself, put after env:// by mistake.
func (e env) describe() string {
	if strings.Trim(string(e), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" {
		return "the variable " + string(e)
	}
	return "the variable"
}

// File returns a store that reads the secret from the file at the given path each time. The file may be a named pipe, which can be read
// only once.
func File(path string) secret.Store { return file(path) }

type file string

// Fetch may have to wait for the writer of a pipe, or for a network file system. It returns the error of ctx if that ends first.
func (f file) Fetch(ctx context.Context) ([]byte, error) {
	content, err := f.fetch(ctx)
	content = bytes.TrimSpace(content)
	if err == nil && len(content) == 0 {
		err = errors.New("the file is empty")
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
