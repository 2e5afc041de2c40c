// Package secret holds the secret document of an app: where it is stored ([Store]), what it contains ([Document]), and how a process
// shares it ([Cache]).
//
// Nothing in this package prints a secret, however it is formatted or logged.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Redacted is a string that prints as [redacted]: with every verb of fmt, and in JSON, text encoders and slog. Only Reveal returns it.
type Redacted struct {
	value *string // a pointer, because fmt prints an unexported string field of a nested struct
}

// Redact returns value as a string that is not printed.
func Redact(value string) Redacted { return Redacted{&value} }

// Reveal returns the string itself.
func (r Redacted) Reveal() string {
	if r.value == nil {
		return ""
	}
	return *r.value
}

// Empty reports whether the string is empty.
func (r Redacted) Empty() bool { return r.Reveal() == "" }

// Format writes [redacted] for every verb.
func (r Redacted) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText returns [redacted]; encoding/json uses it, too.
func (r Redacted) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted].
func (r Redacted) LogValue() slog.Value { return slog.StringValue(redacted) }
