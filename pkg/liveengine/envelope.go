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

// envelope is what every answer of the live engine has around its data.
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
	// missing names a documented field without which the answer cannot be used and that is not there, or is "".
	missing() string
}

// fault is a failed attempt and what to do about it.
type fault struct {
	*giftstats.Error
	repeat repeat
}

// decode reads the answer of one attempt. Success needs status 200, ErrorCode 0, an ActionStatus that does not say
// otherwise, and all the documented data: anything less would turn a failure into "nothing earned".
func decode(into answer, status int, retryAfter time.Duration, body []byte) *fault {
	err := json.Unmarshal(body, into) // sets what fits even when something does not
	head := into.head()
	if head.ErrorCode.Value != 0 {
		return refusal(head, status, retryAfter)
	}
	if status != 200 {
		return statusFault(status, retryAfter)
	}
	switch {
	case err != nil:
		return invalid("it is not the documented JSON", undecodable(err))
	case !head.ErrorCode.Known:
		return invalid("it has no ErrorCode", nil)
	case head.ActionStatus != "" && !strings.EqualFold(head.ActionStatus, "OK"):
		return invalid("its ErrorCode is 0, and yet its ActionStatus is not OK", nil)
	case into.missing() != "":
		return invalid("it has no usable "+into.missing(), nil)
	}
	return nil
}

func refusal(head *envelope, status int, retryAfter time.Duration) *fault {
	rule := ruleFor(int(head.ErrorCode.Value), status, head.ErrorInfo)
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

// statusFault is for answers that did not come from the API, but from something before it.
func statusFault(status int, retryAfter time.Duration) *fault {
	class, repeat, what := rejected, never, "which the API never does for a request it has processed"
	switch {
	case status == 429:
		class, repeat, what = limited, later, "too many requests"
	case status == 408 || status >= 500:
		class, repeat, what = unavailable, later, "try again later"
	case status >= 300 && status < 400, status == 404:
		class, what = config, "so this host is not the API: check GIFTSTATS_ENDPOINT"
	}
	return &fault{repeat: repeat, Error: &giftstats.Error{
		Code:       class,
		Detail:     fmt.Sprintf("Tencent's host answered with HTTP status %d: %s", status, what),
		RetryAfter: retryAfter,
	}}
}

func invalid(what string, err error) *fault {
	return &fault{repeat: later, Error: &giftstats.Error{
		Code:   giftstats.CodeUpstreamInvalidResponse,
		Detail: "Tencent's answer cannot be used: " + what,
		Err:    err,
	}}
}

// undecodable keeps the place of a decoding error, and not the text: it may quote the answer.
func undecodable(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON from byte %d on", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("field %s is a JSON %s", kind.Field, strings.Fields(kind.Value)[0])
	default:
		return err
	}
}
