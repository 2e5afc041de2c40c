package streamend_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// Lambda and SCF show the type of an error as errorType. That of several joined errors was joinError, a name of the standard library.
func TestErrorTypeIsTheSameForEveryFailure(t *testing.T) {
	failure := errors.New("down")
	for name, errs := range map[string][]error{
		"one":         {failure},
		"several":     {failure, errors.New("down, too")},
		"one of two":  {nil, failure},
		"joined":      {errors.Join(failure, failure)},
		"wrapped":     {fmt.Errorf("event e-1: %w", failure)},
		"permanent":   {permanent.Error(failure)},
		"with a code": {giftstats.Errorf(giftstats.CodeInternal, "down")},
	} {
		if got := reflect.TypeOf(streamend.Failed(errs...)).String(); got != "*streamend.EventError" {
			t.Errorf("%s: operators would see the errorType of %s, want EventError", name, got)
		}
	}
	if err := streamend.Failed(nil, nil); err != nil {
		t.Errorf("without a failure: %v", err)
	}
}
