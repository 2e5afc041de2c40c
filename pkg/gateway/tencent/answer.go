package tencent

import "github.com/giftstats/giftstats/pkg/gateway"

// answer is what function URLs and API Gateway take for an answer.
//
// Source: https://cloud.tencent.com/document/product/583/96099
type answer struct {
	IsBase64Encoded bool           `json:"isBase64Encoded"`
	StatusCode      int            `json:"statusCode"`
	Headers         map[string]any `json:"headers"` // string, or []string for API Gateway
	Body            string         `json:"body"`
}

// answerTo gives the response the form that the sender of the event takes: only API Gateway is known to take lists.
func answerTo(event event, response gateway.Response) answer {
	a := answer{StatusCode: response.Status, Headers: make(map[string]any, len(response.Header))}
	a.Body, a.IsBase64Encoded = response.Text()
	for name, joined := range response.Joined() {
		a.Headers[name] = joined
	}
	if event.RequestContext == nil {
		return a
	}
	for name, values := range response.Header {
		if len(values) > 1 {
			a.Headers[name] = values
		}
	}
	return a
}
