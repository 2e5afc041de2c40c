package tencent

import "github.com/giftstats/giftstats/pkg/gateway"

// response is the response to function URLs and to API Gateway.
//
// Source: https://cloud.tencent.com/document/product/583/96099
type response struct {
	IsBase64Encoded bool           `json:"isBase64Encoded"`
	StatusCode      int            `json:"statusCode"`
	Headers         map[string]any `json:"headers"` // each value is a string; for API Gateway also []string
	Body            string         `json:"body"`
}

// encode converts from to the format that the sender of the event expects. Only API Gateway is known to accept lists as values
// of headers.
func encode(event event, from gateway.Response) response {
	r := response{StatusCode: from.Status, Headers: make(map[string]any, len(from.Header))}
	r.Body, r.IsBase64Encoded = from.EncodeBody()
	for name, joined := range from.JoinedHeader() {
		r.Headers[name] = joined
	}
	if event.RequestContext == nil {
		return r
	}
	for name, values := range from.Header {
		if len(values) > 1 {
			r.Headers[name] = values
		}
	}
	return r
}
