package scfcontext_test

import (
	"context"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/cloud/scfcontext"
)

func TestWithoutZeroDeadline(t *testing.T) {
	type key struct{}
	parent := context.WithValue(t.Context(), key{}, "value")
	zero, cancel := context.WithDeadline(parent, time.Unix(0, 0))
	defer cancel()
	got := scfcontext.WithoutZeroDeadline(zero)
	if deadline, ok := got.Deadline(); ok {
		t.Errorf("the deadline %v remains", deadline)
	}
	if err := got.Err(); err != nil {
		t.Errorf("the context is done: %v", err)
	}
	if got.Value(key{}) != "value" {
		t.Error("the values of the context are lost")
	}

	later, cancel := context.WithTimeout(parent, time.Hour)
	defer cancel()
	for name, ctx := range map[string]context.Context{"another deadline": later, "no deadline": parent} {
		if scfcontext.WithoutZeroDeadline(ctx) != ctx {
			t.Errorf("a context with %s is changed", name)
		}
	}
}
