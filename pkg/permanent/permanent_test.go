package permanent_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/pkg/permanent"
)

func TestIs(t *testing.T) {
	down := errors.New("down")
	gone := permanent.Error(errors.New("gone"))
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{name: "nil", err: nil, want: false},
		{name: "unmarked", err: down, want: false},
		{name: "marked", err: gone, want: true},
		{name: "marked inside", err: fmt.Errorf("deliver: %w", gone), want: true},
		{name: "marked around an unmarked one", err: permanent.Error(fmt.Errorf("deliver: %w", down)), want: true},
		{name: "marked around a mixture", err: permanent.Error(errors.Join(gone, down)), want: true},
		{name: "all parts marked", err: errors.Join(gone, gone), want: true},
		{name: "one part marked", err: errors.Join(gone, down), want: false},
		{name: "a mixture inside", err: fmt.Errorf("deliver: %w", errors.Join(gone, down)), want: false},
		{name: "a sentinel beside it", err: fmt.Errorf("%w: %w", down, gone), want: false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := permanent.Is(test.err); got != test.want {
				t.Errorf("Is(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}

func TestErrorKeepsItsCause(t *testing.T) {
	if err := permanent.Error(nil); err != nil {
		t.Errorf("Error(nil) = %v, want nil", err)
	}
	cause := errors.New("gone")
	err := permanent.Error(cause)
	if err.Error() != "gone" {
		t.Errorf("text is %q, want the cause's", err)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause cannot be found with errors.Is")
	}
}

func ExampleIs() {
	fmt.Println(permanent.Is(fmt.Errorf("deliver: %w", permanent.Error(errors.New("410 Gone")))))
	fmt.Println(permanent.Is(errors.New("503 Service Unavailable")))
	// Output:
	// true
	// false
}
