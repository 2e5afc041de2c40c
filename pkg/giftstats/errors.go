package giftstats

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code is the stable name of one kind of failure. It is itself an error, so that errors.Is(err, CodeRoomNotFound) works for
// every error of this module.
type Code string

// The codes that callers see.
const (
	CodeInvalidRequest          Code = "invalid_request"           // missing, malformed or over-long field
	CodeUnauthenticated         Code = "unauthenticated"           // no credentials, or wrong ones
	CodeForbidden               Code = "forbidden"                 // right credentials for the wrong thing
	CodeNotFound                Code = "not_found"                 // no such route
	CodeMethodNotAllowed        Code = "method_not_allowed"        // a route, but not with this method
	CodePayloadTooLarge         Code = "payload_too_large"         // body over its limit
	CodeUnsupportedMediaType    Code = "unsupported_media_type"    // Content-Type is not application/json
	CodeRoomNotFound            Code = "room_not_found"            // never created, or already dissolved
	CodeAccountNotFound         Code = "account_not_found"         // not imported into the app
	CodeRateLimited             Code = "rate_limited"              // upstream's limits, or our own limiter
	CodeUpstreamRejected        Code = "upstream_rejected"         // upstream finds a validated request invalid
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

// Error is a failure with a code.
type Error struct {
	Code       Code
	Detail     string        // for callers: what is wrong and what to change; never holds a secret
	RetryAfter time.Duration // how long to wait before the next attempt; 0 if unknown
	Upstream   *Upstream     // what Tencent answered; nil if it did not answer
	Err        error         // the cause, for logs only; may be nil
}

// Errorf returns an error with a formatted detail. Callers see the detail, so it must not quote a cause: set Err for that.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Upstream is the error that Tencent answered with.
type Upstream struct {
	ErrorCode int    `json:"error_code"`
	ErrorInfo string `json:"error_info,omitempty"`
	RequestID string `json:"request_id,omitempty"` // identifies the call to Tencent's support
}

func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same request may succeed later, although neither the caller nor an operator changes anything.
// That depends on the code, with one exception: upstream_credentials with a RetryAfter is temporary. Tencent refused too many
// signatures, and no call is made for a minute.
func (e *Error) Retryable() bool {
	return e.Code.Retryable() || e.Code == CodeUpstreamCredentials && e.RetryAfter > 0
}

// Is reports whether target is the code of e.
func (e *Error) Is(target error) bool { return target == e.Code }

// AsError returns the [*Error] in the chain of err. If there is none, it returns a new one: upstream_timeout if a context ended
// the work, internal otherwise. The detail of a new one does not reveal the cause.
func AsError(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Code: CodeUpstreamTimeout, Detail: "deadline exceeded before an answer arrived", Err: err}
	default:
		return &Error{Code: CodeInternal, Detail: "internal error; the log has the cause under this request_id", Err: err}
	}
}
