// Package local reads secrets from the environment and from files.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/giftstats/giftstats/pkg/secret"
)

// maxFile is more than any store takes.
const maxFile = 64 << 10

// Env is a secret in the named variable.
func Env(variable string) secret.Store { return env(variable) }

type env string

func (e env) Fetch(context.Context) ([]byte, error) {
	value := os.Getenv(string(e))
	if value == "" {
		return nil, fmt.Errorf("the variable %s, where GIFTSTATS_SECRET says the secret is, is not set or empty", string(e))
	}
	return []byte(value), nil
}

// File is a secret in the file at the given path, read anew each time.
func File(path string) secret.Store { return file(path) }

type file string

func (f file) Fetch(context.Context) ([]byte, error) {
	opened, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("the secret's file cannot be opened: %w", err)
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	var inPath *fs.PathError
	switch {
	case errors.As(err, &inPath):
		return nil, fmt.Errorf("the secret's file %s cannot be read: %w", string(f), inPath.Err)
	case err != nil:
		return nil, fmt.Errorf("the secret's file %s cannot be read: %w", string(f), err)
	case len(content) > maxFile:
		return nil, fmt.Errorf("the secret's file %s has more than %d bytes", string(f), maxFile)
	}
	return content, nil
}
