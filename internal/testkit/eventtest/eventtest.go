// Package eventtest encodes an HTTP request as the event of each gateway, and decodes the functions' answers, for tests.
package eventtest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// Request is the request of a client.
type Request struct {
	Method string // default: GET
	Path   string
	Query  url.Values
	Header map[string]string
	Body   string
}

// Answer is the answer to the client.
type Answer struct {
	Status int
	Header map[string]string // by lower-case name; repeated ones joined by commas
	Body   string
}

// Form is the event of one kind of gateway.
type Form struct {
	Name  string
	Event func(Request) any
}

// AWS are the forms of AWS Lambda.
var AWS = []Form{
	{"HTTP API", func(r Request) any { return version2(r, "id.execute-api.eu-west-1.amazonaws.com", "$default") }},
	{"HTTP API with a stage", func(r Request) any {
		r.Path = "/prod" + r.Path
		return version2(r, "id.execute-api.eu-west-1.amazonaws.com", "prod")
	}},
	{"Function URL", func(r Request) any { return version2(r, "id.lambda-url.eu-west-1.on.aws", "$default") }},
	{"REST API", version1},
	{"ALB", func(r Request) any { return balancer(r, false) }},
	{"ALB with multi-value headers", func(r Request) any { return balancer(r, true) }},
}

// Tencent are the forms of Tencent SCF.
var Tencent = []Form{
	{"Function URL", func(r Request) any { return scf(r, false) }},
	{"API Gateway", func(r Request) any { return scf(r, true) }},
}

func (r Request) method() string {
	if r.Method == "" {
		return "GET"
	}
	return r.Method
}

func (r Request) lists() (header, query map[string][]string) {
	header = map[string][]string{}
	for name, value := range r.Header {
		header[name] = []string{value}
	}
	return header, r.Query
}

func (r Request) singles() (header, query map[string]string) {
	query = map[string]string{}
	for name := range r.Query {
		query[name] = r.Query.Get(name)
	}
	return r.Header, query
}

func version2(r Request, domain, stage string) any {
	return map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": r.Path, "rawQueryString": r.Query.Encode(), "headers": r.Header,
		"requestContext": map[string]any{
			"apiId": "id", "domainName": domain, "stage": stage, "requestId": "gateway-request-id",
			"http": map[string]any{"method": r.method(), "path": r.Path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
		},
		"body": base64.StdEncoding.EncodeToString([]byte(r.Body)), "isBase64Encoded": true,
	}
}

func version1(r Request) any {
	header, query := r.singles()
	headers, queries := r.lists()
	return map[string]any{
		"resource": "/{proxy+}", "path": r.Path, "httpMethod": r.method(), "headers": header, "multiValueHeaders": headers,
		"queryStringParameters": query, "multiValueQueryStringParameters": queries, "body": r.Body, "isBase64Encoded": false,
		"requestContext": map[string]any{
			"apiId": "id", "stage": "prod", "resourcePath": "/{proxy+}", "requestId": "gateway-request-id",
			"identity": map[string]any{"sourceIp": "192.0.2.1"},
		},
	}
}

func balancer(r Request, multi bool) any {
	const group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/t/1"
	event := map[string]any{
		"requestContext": map[string]any{"elb": map[string]any{"targetGroupArn": group}},
		"httpMethod":     r.method(), "path": r.Path, "body": r.Body, "isBase64Encoded": false,
	}
	escaped := Request{Header: r.Header, Query: url.Values{}}
	for name, values := range r.Query {
		for _, value := range values {
			escaped.Query.Add(url.QueryEscape(name), url.QueryEscape(value))
		}
	}
	if multi {
		event["multiValueHeaders"], event["multiValueQueryStringParameters"] = escaped.lists()
	} else {
		event["headers"], event["queryStringParameters"] = escaped.singles()
	}
	return event
}

func scf(r Request, gateway bool) any {
	header, query := r.singles()
	event := map[string]any{"httpMethod": r.method(), "path": r.Path, "headers": header, "queryString": query, "body": r.Body}
	if gateway {
		event["requestContext"] = map[string]any{
			"serviceId": "service-1", "path": r.Path, "httpMethod": r.method(), "requestId": "gateway-request-id",
			"sourceIp": "192.0.2.1", "stage": "release",
		}
		event["headerParameters"], event["queryStringParameters"], event["pathParameters"] = struct{}{}, struct{}{}, struct{}{}
	}
	return event
}

// Payload is the event as JSON.
func Payload(t testing.TB, event any) []byte {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// Read reads the answer of a function, in whichever form.
func Read(t testing.TB, payload []byte) Answer {
	t.Helper()
	var answer struct {
		StatusCode        int
		Headers           map[string]any
		MultiValueHeaders map[string][]string
		Body              string
		IsBase64Encoded   bool
	}
	if err := json.Unmarshal(payload, &answer); err != nil || answer.StatusCode == 0 {
		t.Fatalf("not a response to an HTTP event: %v in %s", err, payload)
	}
	read := Answer{Status: answer.StatusCode, Header: map[string]string{}, Body: answer.Body}
	for name, values := range answer.MultiValueHeaders {
		read.Header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	for name, value := range answer.Headers {
		if text, ok := value.(string); ok {
			read.Header[strings.ToLower(name)] = text
		}
		if list, ok := value.([]any); ok {
			for _, item := range list {
				read.Header[strings.ToLower(name)] += item.(string) + ", "
			}
		}
	}
	if answer.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		read.Body = string(decoded)
	}
	return read
}
