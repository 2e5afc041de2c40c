// Package leaks fails the tests of a package if a goroutine is left when all of them are done.
//
// goleak gives goroutines that are about to end less than half a second, which is not enough on a busy machine. Here they have twenty
// times as long. What ends by itself only after that is a leak.
package leaks

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

const searches = 20

// Main runs the tests of a package, looks for goroutines that are left, and ends the process. TestMain calls it. The functions
// given are called before the end.
func Main(m *testing.M, atEnd ...func()) {
	code := m.Run()
	if code == 0 {
		if err := left(searches); err != nil {
			fmt.Fprintf(os.Stderr, "the tests succeeded, but left goroutines: %v\n", err)
			code = 1
		}
	}
	for _, do := range atEnd {
		do()
	}
	os.Exit(code)
}

// left returns an error that shows the goroutines which are left after a number of searches.
func left(searches int) error {
	var err error
	for range searches {
		if err = goleak.Find(); err == nil {
			return nil
		}
	}
	return err
}
