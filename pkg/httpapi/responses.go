package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

const jsonType = "application/json"

func (x *exchange) writeJSON(status int, value any) error {
	body, err := encode(value)
	if err != nil {
		return err
	}
	x.write(status, jsonType, body)
	return nil
}

// write sends a whole response. The response to HEAD has no body, but the Content-Length of one.
func (x *exchange) write(status int, contentType string, body []byte) {
	x.Header().Set("Content-Type", contentType)
	x.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(status)
	if x.request.Method != http.MethodHead {
		x.Write(body) // an error means that the caller closed the connection, so there is no one to report it to
	}
}

// encode writes JSON without escapes for HTML, so that ids look as they were sent.
func encode(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode the response: %w", err)
	}
	return body.Bytes(), nil
}

func (x *exchange) writeProblem(failure *giftstats.Error) {
	details := problem.Of(failure, x.id)
	body, _ := encode(details) // cannot fail: the members are strings, numbers and booleans
	if hasRetryAfter(failure, details.Status) {
		x.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(failure.RetryAfter)))
	}
	x.write(details.Status, problem.ContentType, body)
}

// hasRetryAfter reports whether a problem has the header Retry-After: always with 429 and 503, and with upstream_credentials
// while it is temporary.
func hasRetryAfter(failure *giftstats.Error, status int) bool {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return true
	default:
		return failure.Code == giftstats.CodeUpstreamCredentials && failure.Retryable()
	}
}

// wholeSeconds rounds up, and returns at least one second.
func wholeSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// setAge sets the header Age of RFC 9111, section 5.1.
func (x *exchange) setAge(age time.Duration) {
	x.Header().Set("Age", strconv.Itoa(int(math.Ceil(age.Seconds()))))
}

func unknownPath() error {
	return giftstats.Errorf(giftstats.CodeNotFound, "unknown path; see /openapi.json")
}

// String lists the methods, for headers and errors.
func (m methods) String() string {
	names := slices.Sorted(maps.Keys(m))
	if slices.Contains(names, http.MethodGet) {
		names = append(names, http.MethodHead)
	}
	return strings.Join(names, ", ")
}

// methodNotAllowed sets the header Allow and returns a method_not_allowed error.
func (x *exchange) methodNotAllowed(methods methods) error {
	allowed := methods.String()
	x.Header().Set("Allow", allowed)
	return giftstats.Errorf(giftstats.CodeMethodNotAllowed, "method %.16q is not allowed; use %s", x.request.Method, allowed)
}
