package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// contract is the error table of the API, written down a second time.
var contract = []struct {
	code      giftstats.Code
	status    int
	retryable bool
}{
	{code: "invalid_request", status: 400, retryable: false},
	{code: "unauthenticated", status: 401, retryable: false},
	{code: "forbidden", status: 403, retryable: false},
	{code: "not_found", status: 404, retryable: false},
	{code: "method_not_allowed", status: 405, retryable: false},
	{code: "payload_too_large", status: 413, retryable: false},
	{code: "unsupported_media_type", status: 415, retryable: false},
	{code: "room_not_found", status: 404, retryable: false},
	{code: "account_not_found", status: 404, retryable: false},
	{code: "rate_limited", status: 429, retryable: true},
	{code: "upstream_rejected", status: 502, retryable: false},
	{code: "upstream_credentials", status: 502, retryable: false},
	{code: "upstream_config", status: 502, retryable: false},
	{code: "upstream_suspended", status: 502, retryable: false},
	{code: "upstream_invalid_response", status: 502, retryable: true},
	{code: "upstream_unavailable", status: 503, retryable: true},
	{code: "secret_unavailable", status: 503, retryable: true},
	{code: "ledger_unavailable", status: 503, retryable: true},
	{code: "upstream_timeout", status: 504, retryable: true},
	{code: "internal", status: 500, retryable: true},
}

func TestOfKeepsTheContract(t *testing.T) {
	if got := len(giftstats.Codes()); got != len(contract) {
		t.Errorf("there are %d codes, want %d", got, len(contract))
	}
	for _, want := range contract {
		t.Run(string(want.code), func(t *testing.T) {
			got := problem.Of(giftstats.Errorf(want.code, "d"), "id")
			if got.Code != want.code {
				t.Errorf("code = %s", got.Code)
			}
			if got.Status != want.status {
				t.Errorf("status = %d, want %d", got.Status, want.status)
			}
			if got.Title != http.StatusText(want.status) {
				t.Errorf("title = %q, want %q", got.Title, http.StatusText(want.status))
			}
			if got.Retryable != want.retryable {
				t.Errorf("retryable = %v, want %v", got.Retryable, want.retryable)
			}
		})
	}
}

func TestCredentialsAreRetryableWhileCallsAreHeldBack(t *testing.T) {
	err := giftstats.Errorf(giftstats.CodeUpstreamCredentials, "too many wrong signatures")
	err.RetryAfter = time.Minute
	if got := problem.Of(err, ""); !got.Retryable || got.Status != 502 {
		t.Errorf("problem = %+v, want a retryable 502", got)
	}
}

func TestStatusOfAnUnknownCode(t *testing.T) {
	if got := problem.Status("nonsense"); got != 500 {
		t.Errorf("Status = %d, want 500", got)
	}
}

func TestOfHidesTheCause(t *testing.T) {
	for _, err := range []error{
		errors.New("hidden cause"),
		&giftstats.Error{Code: giftstats.CodeSecretUnavailable, Detail: "shown", Err: errors.New("hidden cause")},
	} {
		text, _ := json.Marshal(problem.Of(err, "id"))
		if strings.Contains(string(text), "hidden") {
			t.Errorf("the problem shows the cause: %s", text)
		}
	}
}

func ExampleOf() {
	err := &giftstats.Error{
		Code:     giftstats.CodeRoomNotFound,
		Detail:   "Tencent answered 100004: the room does not exist",
		Upstream: &giftstats.Upstream{ErrorCode: 100004, ErrorInfo: "room not exist", RequestID: "Id-1"},
	}
	text, _ := json.MarshalIndent(problem.Of(err, "r-1"), "", "  ")
	fmt.Println(string(text))
	// Output:
	// {
	//   "type": "about:blank",
	//   "title": "Not Found",
	//   "status": 404,
	//   "detail": "Tencent answered 100004: the room does not exist",
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
