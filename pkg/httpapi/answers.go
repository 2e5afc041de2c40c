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

func writeJSON(w http.ResponseWriter, r *http.Request, status int, value any) error {
	body, err := encode(value)
	if err != nil {
		return err
	}
	return write(w, r, status, "application/json", body)
}

func write(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // a caller who has gone away is no error of ours
	}
	return nil
}

func encode(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return body.Bytes(), nil
}

// writeProblem answers with an RFC 9457 problem.
func writeProblem(w http.ResponseWriter, r *http.Request, err error, requestID string) {
	failure := giftstats.AsError(err)
	details := problem.Of(failure, requestID)
	body, err := encode(details)
	if err != nil {
		body = []byte("{}") // cannot be: a problem is strings and numbers
	}
	if details.Status == http.StatusTooManyRequests || details.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(failure.RetryAfter)))
	}
	write(w, r, details.Status, problem.ContentType, body)
}

// wholeSeconds rounds up, to one second at least.
func wholeSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

func notFound() error {
	return &giftstats.Error{Code: giftstats.CodeNotFound, Detail: "there is no such path; /openapi.json lists those that there are"}
}

func methodNotAllowed(w http.ResponseWriter, methods methods, method string) error {
	allowed := slices.Sorted(maps.Keys(methods))
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &giftstats.Error{Code: giftstats.CodeMethodNotAllowed, Detail: fmt.Sprintf("this path does not take %.16q; it takes %s", method, strings.Join(allowed, ", "))}
}
