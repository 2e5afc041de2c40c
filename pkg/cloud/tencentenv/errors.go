package tencentenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
)

// maxMessage bounds what is repeated of Tencent's messages, in bytes.
const maxMessage = 300

// explain says what went wrong and what to do. Of the SDK's errors it keeps only the parts that cannot hold a secret: the
// ones that the SDK makes itself, called ClientError, repeat whole answers.
func (c *Client) explain(ctx context.Context, err error, credential *common.Credential) error {
	var (
		status  statusError
		inURL   *url.Error
		refused *sdkerrors.TencentCloudSDKError
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("no answer in time (a function in a VPC needs access to the public network): %w", ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &status):
		return status
	case errors.As(err, &inURL):
		return fmt.Errorf("no connection (a function in a VPC needs access to the public network): %w", inURL.Err)
	case errors.As(err, &refused) && !strings.HasPrefix(refused.Code, "ClientError"):
		return c.refusal(refused, credential)
	}
	return errors.New("the answer is not the documented JSON, or was cut off")
}

// refusal renders an error of the service: code, message, request id, advice.
func (c *Client) refusal(refused *sdkerrors.TencentCloudSDKError, credential *common.Credential) error {
	message, _, _ := strings.Cut(refused.Message, "\n")
	for _, hidden := range []string{credential.Token, credential.SecretKey} {
		if hidden != "" {
			message = strings.ReplaceAll(message, hidden, "[redacted]")
		}
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	text := fmt.Sprintf("%s: %s (request id %s)", refused.Code, message, refused.RequestId)
	if advice := cmp.Or(c.options.Advise(refused.Code), commonAdvice(refused.Code)); advice != "" {
		text += "; " + advice
	}
	return errors.New(text)
}

// commonAdvice is on the errors that all products have.
//
// Source: https://www.tencentcloud.com/document/product/1078/38639
func commonAdvice(code string) string {
	switch {
	case code == "AuthFailure.SignatureExpire":
		return "the clock is more than five minutes wrong"
	case strings.HasPrefix(code, "AuthFailure"):
		return "the credentials of the environment are not valid"
	}
	return ""
}
