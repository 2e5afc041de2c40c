package aws

import (
	"net/http"
	"strconv"

	"github.com/giftstats/giftstats/pkg/gateway"
)

// response is the response to any HTTP event. Only one of headers and multiValueHeaders is set: a load balancer accepts only the
// one that its target group is configured for, and API Gateway would merge the two.
//
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type response struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"`
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies           []string            `json:"cookies,omitempty"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// encode converts from to the format that the source of the event expects. If the source is unknown, the format is that of
// payload format 2.0.
func encode(source source, from gateway.Response) response {
	r := response{StatusCode: from.Status}
	r.Body, r.IsBase64Encoded = from.EncodeBody()
	switch source {
	case payloadV1:
		r.MultiValueHeaders = from.Header
	case albSingle:
		r.StatusDescription = description(from.Status)
		r.Headers = from.JoinedHeader()
	case albMulti:
		r.StatusDescription = description(from.Status)
		r.MultiValueHeaders = from.Header
	default:
		r.Headers = from.JoinedHeader()
		r.Cookies = from.Header["Set-Cookie"]
		delete(r.Headers, "Set-Cookie")
	}
	return r
}

// description returns a status line like "200 OK", or the number alone for a status without a name.
func description(status int) string {
	text := strconv.Itoa(status)
	if phrase := http.StatusText(status); phrase != "" {
		text += " " + phrase
	}
	return text
}
