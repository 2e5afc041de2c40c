// Package permanent marks errors that a retry cannot fix: the same operation will fail the same way every time.
package permanent

// Error marks err as permanent. Its text does not change. Error(nil) is nil.
func Error(err error) error {
	if err == nil {
		return nil
	}
	return &permanent{err}
}

type permanent struct{ error }

// Unwrap returns the cause.
func (p *permanent) Unwrap() error { return p.error }

// Is reports whether err is marked as permanent. An error that wraps several others, such as one of [errors.Join], is
// permanent only if all of them are: as long as one of them is not, a retry may still make progress.
func Is(err error) bool {
	switch wrapped := err.(type) {
	case *permanent:
		return true
	case interface{ Unwrap() error }:
		return Is(wrapped.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range wrapped.Unwrap() {
			if !Is(one) {
				return false
			}
		}
		return true
	}
	return false
}
