package giftstats

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code is the stable name of one kind of failure. It is an error itself, so that errors.Is(err, CodeRoomNotFound) asks for
// the kind of any error of this project.
type Code string

// The codes that callers see.
const (
	CodeInvalidRequest          Code = "invalid_request"           // missing, malformed or over-long field
	CodeUnauthenticated         Code = "unauthenticated"           // no credentials, or wrong ones
	CodeForbidden               Code = "forbidden"                 // right credentials for the wrong thing
	CodeNotFound                Code = "not_found"                 // no such route
	CodeMethodNotAllowed        Code = "method_not_allowed"        // a route, but not with this method
	CodePayloadTooLarge         Code = "payload_too_large"         // body over its limit
	CodeUnsupportedMediaType    Code = "unsupported_media_type"    // body is not JSON by its own word
	CodeRoomNotFound            Code = "room_not_found"            // never created, or dissolved already
	CodeAccountNotFound         Code = "account_not_found"         // not imported into the app
	CodeRateLimited             Code = "rate_limited"              // upstream's limits, or our own limiter
	CodeUpstreamRejected        Code = "upstream_rejected"         // upstream calls the request invalid although we checked it
	CodeUpstreamCredentials     Code = "upstream_credentials"      // signature, key, identifier, admin rights
	CodeUpstreamConfig          Code = "upstream_config"           // wrong region host, IP not allowed, feature not enabled
	CodeUpstreamSuspended       Code = "upstream_suspended"        // app disabled, arrears, trial quota used up
	CodeUpstreamInvalidResponse Code = "upstream_invalid_response" // not JSON, wrong shape, missing totals
	CodeUpstreamUnavailable     Code = "upstream_unavailable"      // network, 5xx, "server error, try again"
	CodeSecretUnavailable       Code = "secret_unavailable"        // store unreachable or document invalid, and no older one
	CodeLedgerUnavailable       Code = "ledger_unavailable"        // ledger unreachable, and the answer needs it
	CodeUpstreamTimeout         Code = "upstream_timeout"          // the deadline passed
	CodeInternal                Code = "internal"                  // anything else
)

// Codes returns all codes, in the order of the constants.
func Codes() []Code {
	return []Code{
		CodeInvalidRequest, CodeUnauthenticated, CodeForbidden, CodeNotFound, CodeMethodNotAllowed, CodePayloadTooLarge,
		CodeUnsupportedMediaType, CodeRoomNotFound, CodeAccountNotFound, CodeRateLimited, CodeUpstreamRejected,
		CodeUpstreamCredentials, CodeUpstreamConfig, CodeUpstreamSuspended, CodeUpstreamInvalidResponse,
		CodeUpstreamUnavailable, CodeSecretUnavailable, CodeLedgerUnavailable, CodeUpstreamTimeout, CodeInternal,
	}
}

func (c Code) Error() string { return string(c) }

// Retryable reports whether the same request may succeed later, although neither the caller nor an operator changes anything.
// An unknown code is retryable, like an internal error.
func (c Code) Retryable() bool {
	switch c {
	case CodeInvalidRequest, CodeUnauthenticated, CodeForbidden, CodeNotFound, CodeMethodNotAllowed, CodePayloadTooLarge,
		CodeUnsupportedMediaType, CodeRoomNotFound, CodeAccountNotFound, CodeUpstreamRejected,
		CodeUpstreamCredentials, CodeUpstreamConfig, CodeUpstreamSuspended:
		return false
	default:
		return true
	}
}

// Error is a failure with a code. Detail is for callers and holds nothing secret; Err is the cause and is for logs only.
type Error struct {
	Code       Code
	Detail     string
	RetryAfter time.Duration // how long to wait before the next try; 0 when nothing is known
	Upstream   *Upstream     // what Tencent answered, if it answered
	Err        error
}

// Errorf returns an error with a formatted detail. Callers see the detail, so it must not quote a cause: set Err for that.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Upstream is Tencent's own word about a failure.
type Upstream struct {
	ErrorCode int    `json:"error_code"`
	ErrorInfo string `json:"error_info,omitempty"`
	RequestID string `json:"request_id,omitempty"` // Tencent's support asks for it
}

func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the code of e.
func (e *Error) Is(target error) bool { return target == e.Code }

// AsError returns err as an [*Error]. What is none becomes upstream_timeout when a context ended it, otherwise internal,
// with a text that tells a caller nothing of the cause.
func AsError(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Code: CodeUpstreamTimeout, Detail: "the time for this request was used up before the answer was there", Err: err}
	default:
		return &Error{Code: CodeInternal, Detail: "something went wrong inside; the log has the cause under this request_id", Err: err}
	}
}
