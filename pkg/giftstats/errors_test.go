package giftstats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestErrorKeepsCodeAndCause(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("ask: %w", &giftstats.Error{Code: giftstats.CodeUpstreamUnavailable, Detail: "no answer", Err: cause})
	if !errors.Is(err, giftstats.CodeUpstreamUnavailable) || !errors.Is(err, cause) {
		t.Errorf("errors.Is finds neither code nor cause in %v", err)
	}
	for _, code := range giftstats.Codes() {
		if got := errors.Is(err, code); got != (code == giftstats.CodeUpstreamUnavailable) {
			t.Errorf("errors.Is(err, %s) = %v", code, got)
		}
	}
	if got, want := err.Error(), "ask: upstream_unavailable: no answer: connection refused"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestErrorf(t *testing.T) {
	err := giftstats.Errorf(giftstats.CodeForbidden, "the app is %d", 7)
	if got, want := err.Error(), "forbidden: the app is 7"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if err.Err != nil || err.Upstream != nil || err.RetryAfter != 0 {
		t.Errorf("Errorf set more than code and detail: %+v", err)
	}
}

func TestAsError(t *testing.T) {
	own := &giftstats.Error{Code: giftstats.CodeRoomNotFound, Detail: "gone"}
	for _, test := range []struct {
		name string
		err  error
		want giftstats.Code
	}{
		{"own", fmt.Errorf("wrapped: %w", own), giftstats.CodeRoomNotFound},
		{"deadline", fmt.Errorf("wrapped: %w", context.DeadlineExceeded), giftstats.CodeUpstreamTimeout},
		{"cancelled", context.Canceled, giftstats.CodeUpstreamTimeout},
		{"foreign", errors.New("nil pointer"), giftstats.CodeInternal},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := giftstats.AsError(test.err); got.Code != test.want || !errors.Is(got, test.want) {
				t.Errorf("AsError = %v, want %s", got, test.want)
			}
		})
	}
}

// The table of the contract, written down a second time.
func TestProblemOf(t *testing.T) {
	want := map[giftstats.Code]struct {
		status    int
		retryable bool
	}{
		"invalid_request": {400, false}, "unauthenticated": {401, false}, "forbidden": {403, false},
		"not_found": {404, false}, "method_not_allowed": {405, false}, "payload_too_large": {413, false}, "unsupported_media_type": {415, false},
		"room_not_found": {404, false}, "account_not_found": {404, false}, "rate_limited": {429, true},
		"upstream_rejected": {502, false}, "upstream_credentials": {502, false}, "upstream_config": {502, false}, "upstream_suspended": {502, false},
		"upstream_invalid_response": {502, true}, "upstream_unavailable": {503, true}, "secret_unavailable": {503, true}, "ledger_unavailable": {503, true},
		"upstream_timeout": {504, true}, "internal": {500, true},
	}
	if len(giftstats.Codes()) != len(want) {
		t.Errorf("there are %d codes, want %d", len(giftstats.Codes()), len(want))
	}
	for code, contract := range want {
		problem := giftstats.ProblemOf(&giftstats.Error{Code: code, Detail: "d"}, "id")
		if problem.Status != contract.status || problem.Retryable != contract.retryable || problem.Title == "" || problem.Code != code {
			t.Errorf("%s: problem = %+v, want %+v", code, problem, contract)
		}
	}
	if unknown := giftstats.Code("nonsense"); unknown.Status() != 500 {
		t.Errorf("an unknown code has status %d, want 500", unknown.Status())
	}
}

func ExampleProblemOf() {
	err := &giftstats.Error{
		Code:     giftstats.CodeRoomNotFound,
		Detail:   "Tencent answered 100004: the room was never created, or is dissolved",
		Upstream: &giftstats.Upstream{ErrorCode: 100004, ErrorInfo: "room not exist", RequestID: "Id-1"},
	}
	text, _ := json.MarshalIndent(giftstats.ProblemOf(err, "r-1"), "", "  ")
	fmt.Println(string(text))
	// Output:
	// {
	//   "type": "about:blank",
	//   "title": "Not Found",
	//   "status": 404,
	//   "detail": "Tencent answered 100004: the room was never created, or is dissolved",
	//   "code": "room_not_found",
	//   "retryable": false,
	//   "request_id": "r-1",
	//   "upstream": {
	//     "error_code": 100004,
	//     "error_info": "room not exist",
	//     "request_id": "Id-1"
	//   }
	// }
}
