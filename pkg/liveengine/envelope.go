package liveengine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/lenient"
)

// envelope holds the fields that every answer of the live engine has beside its data.
//
// Source: https://tencentcloud.com/zh/document/product/1047/34620
type envelope struct {
	ActionStatus string
	ErrorCode    lenient.Int
	ErrorInfo    string
	RequestID    string `json:"RequestId"`
}

func (e *envelope) head() *envelope { return e }

// answer is the answer of one command: an embedded envelope and the command's data.
type answer interface {
	head() *envelope
	// missing returns the name of a required field that is missing or unusable, or "".
	missing() string
}

// fault is a failed attempt and what to do about it.
type fault struct {
	*giftstats.Error
	repeat repeat
}

// decode reads the answer of one attempt. Success requires status 200, ErrorCode 0, an ActionStatus that does not contradict
// it, and all required fields: anything less would turn a failure into "nothing earned".
func decode(into answer, status int, retryAfter time.Duration, body []byte) *fault {
	err := json.Unmarshal(body, into) // decodes as much as it can, even if one field has the wrong type
	head := into.head()
	if head.ErrorCode.Value != 0 {
		return refusal(head, retryAfter)
	}
	if status != 200 {
		return statusFault(status, retryAfter)
	}
	switch {
	case err != nil:
		return invalid("it does not have the documented form", undecodable(err))
	case !head.ErrorCode.Known:
		return invalid("it has no ErrorCode", nil)
	case head.ActionStatus != "" && !strings.EqualFold(head.ActionStatus, "OK"):
		return invalid("its ErrorCode is 0, but its ActionStatus is not OK", nil)
	case into.missing() != "":
		return invalid("it has no usable "+into.missing(), nil)
	}
	return nil
}

// refusal returns the fault for an answer with an error code.
func refusal(head *envelope, retryAfter time.Duration) *fault {
	rule := ruleFor(int(head.ErrorCode.Value), head.ErrorInfo)
	return &fault{
		repeat: rule.repeat,
		Error: &giftstats.Error{
			Code:       rule.class,
			Detail:     rule.detail(),
			RetryAfter: retryAfter,
			Upstream:   &giftstats.Upstream{ErrorCode: rule.code, ErrorInfo: head.ErrorInfo, RequestID: head.RequestID},
		},
	}
}

// statusFault returns the fault for an HTTP status without an error code. The API uses 200 only, so it comes from something in between,
// like a proxy, and says nothing about the request.
func statusFault(status int, retryAfter time.Duration) *fault {
	class, repeat, what := unavailable, later, "the API does not use this status; a proxy or firewall may have answered instead"
	switch {
	case status == 429:
		class, what = limited, "too many requests"
	case status == 408 || status >= 500:
		what = "try again later"
	case status >= 300 && status < 400, status == 404:
		class, repeat, what = config, never, "this host is not the API; check GIFTSTATS_ENDPOINT"
	}
	return &fault{repeat: repeat, Error: &giftstats.Error{
		Code:       class,
		Detail:     fmt.Sprintf("HTTP status %d from Tencent's host: %s", status, what),
		RetryAfter: retryAfter,
	}}
}

// invalid returns the fault for an answer that cannot be used.
func invalid(what string, err error) *fault {
	return &fault{repeat: later, Error: &giftstats.Error{
		Code:   giftstats.CodeUpstreamInvalidResponse,
		Detail: "Tencent's answer cannot be used: " + what,
		Err:    err,
	}}
}

// undecodable keeps the position of a decoding error but not its text, which may quote the answer.
func undecodable(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("invalid JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		return errors.New("it is not a JSON object")
	case errors.As(err, &kind):
		return fmt.Errorf("field %s must not be a JSON %s", kind.Field, strings.Fields(kind.Value)[0])
	default:
		return err
	}
}
