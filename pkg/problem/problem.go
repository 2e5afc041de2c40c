// Package problem turns errors into problem details, the error format of RFC 9457.
//
// It is the one place that knows the HTTP status of each [giftstats.Code]. A problem holds the detail of an error, never its
// cause, so it may be shown to callers.
package problem

import (
	"net/http"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// ContentType is the media type of [Details].
const ContentType = "application/problem+json"

// Details describes a failure to callers: the members of RFC 9457, and code, retryable, request_id and upstream.
type Details struct {
	Type      string              `json:"type"`
	Title     string              `json:"title"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail"`
	Code      giftstats.Code      `json:"code"`
	Retryable bool                `json:"retryable"`
	RequestID string              `json:"request_id,omitempty"`
	Upstream  *giftstats.Upstream `json:"upstream,omitempty"`
}

// Of describes err to the caller of the request with the given id. An empty id is left out.
func Of(err error, requestID string) Details {
	e := giftstats.AsError(err)
	status := Status(e.Code)
	return Details{
		Type:      "about:blank",
		Title:     http.StatusText(status), // RFC 9457, section 4.2.1, asks for this title when the type is about:blank
		Status:    status,
		Detail:    e.Detail,
		Code:      e.Code,
		Retryable: e.Retryable(),
		RequestID: requestID,
		Upstream:  e.Upstream,
	}
}

var statuses = map[giftstats.Code]int{
	giftstats.CodeInvalidRequest:          http.StatusBadRequest,
	giftstats.CodeUnauthenticated:         http.StatusUnauthorized,
	giftstats.CodeForbidden:               http.StatusForbidden,
	giftstats.CodeNotFound:                http.StatusNotFound,
	giftstats.CodeMethodNotAllowed:        http.StatusMethodNotAllowed,
	giftstats.CodePayloadTooLarge:         http.StatusRequestEntityTooLarge,
	giftstats.CodeUnsupportedMediaType:    http.StatusUnsupportedMediaType,
	giftstats.CodeRoomNotFound:            http.StatusNotFound,
	giftstats.CodeAccountNotFound:         http.StatusNotFound,
	giftstats.CodeRateLimited:             http.StatusTooManyRequests,
	giftstats.CodeUpstreamRejected:        http.StatusBadGateway,
	giftstats.CodeUpstreamCredentials:     http.StatusBadGateway,
	giftstats.CodeUpstreamConfig:          http.StatusBadGateway,
	giftstats.CodeUpstreamSuspended:       http.StatusBadGateway,
	giftstats.CodeUpstreamInvalidResponse: http.StatusBadGateway,
	giftstats.CodeUpstreamUnavailable:     http.StatusServiceUnavailable,
	giftstats.CodeSecretUnavailable:       http.StatusServiceUnavailable,
	giftstats.CodeLedgerUnavailable:       http.StatusServiceUnavailable,
	giftstats.CodeUpstreamTimeout:         http.StatusGatewayTimeout,
	giftstats.CodeInternal:                http.StatusInternalServerError,
}

// Status returns the HTTP status of code. An unknown code has the status of an internal error.
func Status(code giftstats.Code) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}
