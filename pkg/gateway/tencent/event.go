package tencent

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/giftstats/giftstats/pkg/gateway"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

// event is an HTTP event. Values stay raw, because a header may be a list, and a query value may be a list, a number or true.
// Decoding a number would round it.
//
// Source: https://cloud.tencent.com/document/product/583/96099 (function URL),
// https://github.com/tencentyun/scf-go-lib/issues/11, https://github.com/tencentyun/scf-go-lib/issues/15
type event struct {
	HTTPMethod            string                     `json:"httpMethod"`
	Path                  string                     `json:"path"`
	Headers               map[string]json.RawMessage `json:"headers"`
	QueryString           map[string]json.RawMessage `json:"queryString"`
	QueryStringParameters map[string]json.RawMessage `json:"queryStringParameters"`
	Body                  json.RawMessage            `json:"body"`
	IsBase64Encoded       bool                       `json:"isBase64Encoded"`
	RequestContext        *requestContext            `json:"requestContext"` // API Gateway only
}

type requestContext struct {
	RequestID string `json:"requestId"`
	SourceIP  string `json:"sourceIp"`
}

// decode decodes a payload and reports whether it is an HTTP event.
func decode(payload []byte) (event, bool) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return event{}, false
	}
	return e, e.HTTPMethod != "" && (e.Path != "" || e.Headers != nil)
}

// requestID returns the gateway's id of the request. Events of function URLs have none.
func (e *event) requestID() string {
	if e.RequestContext == nil {
		return ""
	}
	return e.RequestContext.RequestID
}

// request returns the event as a request without its id.
func (e *event) request() (gateway.Request, error) {
	header, err := e.header()
	if err != nil {
		return gateway.Request{}, err
	}
	query, err := e.query()
	if err != nil {
		return gateway.Request{}, err
	}
	body, err := e.body()
	if err != nil {
		return gateway.Request{}, err
	}
	header.Del("Accept-Encoding") // no response may be compressed: function URLs are not documented to decode base64
	request := gateway.Request{
		Method: e.HTTPMethod, Path: e.Path, RawQuery: query.Encode(), Host: header.Get("Host"), Header: header, Body: body,
	}
	if e.RequestContext != nil {
		request.RemoteIP = e.RequestContext.SourceIP
	} else {
		request.RemoteIP = gateway.LastAddress(header.Values("X-Scf-Remote-Addr"))
	}
	return request, nil
}

func (e *event) header() (http.Header, error) {
	header := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		values, err := texts(name, e.Headers[name], "true")
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			header.Add(name, value)
		}
	}
	return header, nil
}

// query returns the parameters of queryString and those that only queryStringParameters has. API Gateway puts the parameters
// that are declared in its configuration into queryStringParameters. Names and values arrive unescaped. The value true stands
// for a name without a value.
func (e *event) query() (url.Values, error) {
	query := url.Values{}
	for _, parameters := range []map[string]json.RawMessage{e.QueryStringParameters, e.QueryString} {
		for name, raw := range parameters {
			values, err := texts(name, raw, "")
			if err != nil {
				return nil, err
			}
			query[name] = values
		}
	}
	return query, nil
}

// body returns the decoded text of a string, nothing for null, and the JSON as received for any other value.
func (e *event) body() ([]byte, error) {
	if len(e.Body) == 0 || string(e.Body) == "null" {
		return nil, nil
	}
	if e.Body[0] != '"' {
		return bytes.Clone(e.Body), nil
	}
	var text string
	if err := json.Unmarshal(e.Body, &text); err != nil {
		return nil, err
	}
	return gateway.DecodeBody(text, e.IsBase64Encoded)
}

// texts returns the values of the header or parameter name. A value may be a string, a number (all digits are kept), true, which gives
// ifTrue, null, which gives no value, or a list of these.
func texts(name string, raw json.RawMessage, ifTrue string) ([]string, error) {
	switch raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return []string{text}, err
	case '[':
		return listTexts(name, raw, ifTrue)
	case '{':
		return nil, giftstats.Invalid("%.40q in the event must not be an object; use a string, a number, true, or a list of these", name)
	case 't':
		return []string{ifTrue}, nil
	case 'n':
		return nil, nil
	default: // a number, or false
		return []string{string(raw)}, nil
	}
}

// listTexts returns the values of a list.
func listTexts(name string, raw json.RawMessage, ifTrue string) ([]string, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	var all []string
	for _, element := range list {
		if element[0] == '[' {
			return nil, giftstats.Invalid("%.40q in the event must not be a list of lists", name)
		}
		values, err := texts(name, element, ifTrue)
		if err != nil {
			return nil, err
		}
		all = append(all, values...)
	}
	return all, nil
}
