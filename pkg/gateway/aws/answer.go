package aws

import (
	"net/http"
	"strconv"

	"github.com/giftstats/giftstats/pkg/gateway"
)

// answer is an answer to any HTTP event. Of headers and multiValueHeaders only one is there: a load balancer takes only the
// form that its target group is set to, and API Gateway would merge the two.
//
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"`
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies           []string            `json:"cookies,omitempty"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// answerTo gives the response the form that the source of the event takes. Direct callers, whose events are unknown, get
// that of payload format 2.0.
func answerTo(source source, response gateway.Response) answer {
	a := answer{StatusCode: response.Status}
	a.Body, a.IsBase64Encoded = response.Text()
	switch source {
	case payload1:
		a.MultiValueHeaders = response.Header
	case balancerSingle:
		a.StatusDescription = description(response.Status)
		a.Headers = response.Joined()
	case balancerMulti:
		a.StatusDescription = description(response.Status)
		a.MultiValueHeaders = response.Header
	default:
		a.Headers = response.Joined()
		a.Cookies = response.Header["Set-Cookie"]
		delete(a.Headers, "Set-Cookie")
	}
	return a
}

// description is like "200 OK".
func description(status int) string {
	text := strconv.Itoa(status)
	if phrase := http.StatusText(status); phrase != "" {
		text += " " + phrase
	}
	return text
}
