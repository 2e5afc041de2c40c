// Package secret holds the secret document of an app: where it is kept ([Store]), what it says ([Document]), and how it is
// shared by everything in a process ([Cache]).
//
// Nothing in here prints a secret, however it is formatted or logged.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Text is a string that is never printed: every verb of fmt, JSON, text encoders and slog show [redacted]. Only Reveal gives
// it out.
type Text struct {
	value *string // a pointer, because fmt prints the unexported strings of a struct that it meets inside another one
}

// NewText hides value.
func NewText(value string) Text { return Text{&value} }

// Reveal gives the string itself.
func (t Text) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Empty reports whether there is nothing to hide.
func (t Text) Empty() bool { return t.Reveal() == "" }

// Format writes [redacted] for every verb.
func (t Text) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText gives [redacted], also to encoding/json.
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [redacted].
func (t Text) LogValue() slog.Value { return slog.StringValue(redacted) }
