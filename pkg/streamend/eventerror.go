package streamend

import "errors"

// EventError is the error of an invocation whose events failed. Lambda and SCF show the name of its type to operators as errorType, so
// the name must stay the same.
type EventError struct{ cause error }

// Failed returns an EventError with all of errs, or nil if all of them are nil.
func Failed(errs ...error) error {
	if cause := errors.Join(errs...); cause != nil {
		return &EventError{cause}
	}
	return nil
}

func (e *EventError) Error() string { return e.cause.Error() }

// Unwrap returns the causes.
func (e *EventError) Unwrap() error { return e.cause }
