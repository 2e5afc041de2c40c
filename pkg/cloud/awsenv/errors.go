package awsenv

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// maxMessage limits how much of AWS's message an error repeats, in bytes.
const maxMessage = 300

// Explain turns an error of an SDK client into one that says what went wrong and what to do. It keeps only those parts of the SDK's
// errors that cannot contain a secret. advise returns advice on the service's error codes, or an empty string; Explain itself has advice
// on the codes of all services.
func (e Environment) Explain(ctx context.Context, err error, advise func(code string) string) error {
	var (
		missing     *MissingError
		refused     smithy.APIError
		answered    *awshttp.ResponseError
		certificate *tls.CertificateVerificationError
		transport   *url.Error
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("no answer in time (a function in a VPC needs a NAT gateway or a VPC endpoint): %w", ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &missing):
		return fmt.Errorf("%w (Lambda sets them from the function's role)", missing)
	case errors.As(err, &refused):
		return e.refusal(refused, err, advise)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the service is not trusted: %w", certificate)
	case errors.As(err, &transport):
		return fmt.Errorf("no connection (a function in a VPC needs a NAT gateway or a VPC endpoint): %w", transport.Err)
	case errors.As(err, &answered):
		// An error of the decoder could contain what it decoded.
		return fmt.Errorf("HTTP status %d with a response that is not the documented JSON", answered.HTTPStatusCode())
	}
	// Nothing was sent: the endpoint or the signature could not be computed.
	return errors.New(e.withoutCredentials(err.Error()))
}

// refusal formats an error of the service: code, message, request id, advice.
//
// For an invalid signature the message contains the canonical request with the session token, after the first line. See
// https://github.com/aws/aws-sdk-cpp/issues/17.
func (e Environment) refusal(refused smithy.APIError, err error, advise func(code string) string) error {
	message, _, _ := strings.Cut(refused.ErrorMessage(), "\n")
	message = e.withoutCredentials(message)
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	text := fmt.Sprintf("%s: %s", refused.ErrorCode(), message)
	var answered *awshttp.ResponseError
	if errors.As(err, &answered) {
		text += fmt.Sprintf(" (HTTP status %d, request id %s)", answered.HTTPStatusCode(), answered.ServiceRequestID())
	}
	if advice := cmp.Or(advise(refused.ErrorCode()), commonAdvice(refused.ErrorCode())); advice != "" {
		text += "; " + advice
	}
	return errors.New(text)
}

// withoutCredentials replaces the session token and the secret key in text.
func (e Environment) withoutCredentials(text string) string {
	credentials, err := e.Credentials().Retrieve(context.Background())
	if err != nil {
		return text
	}
	for _, hidden := range []string{credentials.SessionToken, credentials.SecretAccessKey} {
		if hidden != "" {
			text = strings.ReplaceAll(text, hidden, "[redacted]")
		}
	}
	return text
}

// commonAdvice is advice on the error codes of all services.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
func commonAdvice(code string) string {
	switch code {
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "IncompleteSignature":
		return "the credentials of the environment are not valid for this region"
	case "ExpiredTokenException", "RequestExpired":
		return "the credentials of the environment have expired, or the clock is wrong"
	}
	return ""
}
