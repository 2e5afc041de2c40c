package giftstats_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestErrorKeepsCodeAndCause(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("ask: %w", &giftstats.Error{Code: giftstats.CodeUpstreamUnavailable, Detail: "no answer", Err: cause})
	if !errors.Is(err, giftstats.CodeUpstreamUnavailable) || !errors.Is(err, cause) {
		t.Errorf("errors.Is finds neither code nor cause in %v", err)
	}
	for _, code := range giftstats.Codes() {
		if got := errors.Is(err, code); got != (code == giftstats.CodeUpstreamUnavailable) {
			t.Errorf("errors.Is(err, %s) = %v", code, got)
		}
	}
	if got, want := err.Error(), "ask: upstream_unavailable: no answer: connection refused"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestErrorf(t *testing.T) {
	err := giftstats.Errorf(giftstats.CodeForbidden, "the app is %d", 7)
	if got, want := err.Error(), "forbidden: the app is 7"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if want := (giftstats.Error{Code: giftstats.CodeForbidden, Detail: "the app is 7"}); *err != want {
		t.Errorf("Errorf = %+v, want %+v", *err, want)
	}
}

func TestAsError(t *testing.T) {
	own := giftstats.Errorf(giftstats.CodeRoomNotFound, "gone")
	for _, test := range []struct {
		name string
		err  error
		want giftstats.Code
	}{
		{name: "own error", err: fmt.Errorf("wrapped: %w", own), want: giftstats.CodeRoomNotFound},
		{name: "deadline", err: fmt.Errorf("wrapped: %w", context.DeadlineExceeded), want: giftstats.CodeUpstreamTimeout},
		{name: "cancelled", err: context.Canceled, want: giftstats.CodeUpstreamTimeout},
		{name: "unknown error", err: errors.New("nil pointer"), want: giftstats.CodeInternal},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := giftstats.AsError(test.err); got.Code != test.want || !errors.Is(got, test.want) {
				t.Errorf("AsError = %v, want %s", got, test.want)
			}
		})
	}
}
