package tencentenv

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
)

// maxMessage limits how much of Tencent's message an error repeats, in bytes.
const maxMessage = 300

// explain returns an error that says what went wrong and what to do. It keeps only those parts of the SDK's errors that cannot contain a
// secret. The SDK's own errors, with the code ClientError, repeat whole responses.
func (c *Client) explain(ctx context.Context, err error, credential *common.Credential) error {
	var (
		status      statusError
		certificate *tls.CertificateVerificationError
		network     *url.Error
		refused     *sdkerrors.TencentCloudSDKError
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("no answer in time (a function in a VPC needs access to the public network): %w", ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &status):
		return status
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the service is not trusted: %w", certificate)
	case errors.As(err, &network):
		return fmt.Errorf("no connection (a function in a VPC needs access to the public network): %w", network.Err)
	case errors.As(err, &refused) && !strings.HasPrefix(refused.Code, "ClientError"):
		return c.refusal(refused, credential)
	}
	return errors.New("the response is not the documented JSON, or is incomplete")
}

// refusal formats an error of the service: code, message, request id, advice.
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
	if advice := cmp.Or(c.config.Advise(refused.Code), commonAdvice(refused.Code)); advice != "" {
		text += "; " + advice
	}
	return errors.New(text)
}

// commonAdvice is advice on the error codes of all products.
//
// Source: https://www.tencentcloud.com/document/product/1078/38639
func commonAdvice(code string) string {
	switch {
	case code == "AuthFailure.SignatureExpire":
		return "the clock is off by more than five minutes"
	case strings.HasPrefix(code, "AuthFailure"):
		return "the credentials of the environment are not valid"
	}
	return ""
}
