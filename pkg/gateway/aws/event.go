package aws

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/giftstats/giftstats/pkg/gateway"
)

// event holds what is needed of every kind of HTTP event.
//
// It is one type, so that a payload is decoded once, and not one of aws-lambda-go's: those fail on fields that do not matter
// here, like a JWT claim that is no string, and tell no empty multiValueHeaders from none.
type event struct {
	Version string `json:"version"`

	// Payload format 2.0.
	RawPath        string   `json:"rawPath"`
	RawQueryString string   `json:"rawQueryString"`
	Cookies        []string `json:"cookies"`

	// Payload format 1.0, and load balancers.
	HTTPMethod                      string              `json:"httpMethod"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`

	// All of them.
	Headers         map[string]string `json:"headers"`
	RequestContext  requestContext    `json:"requestContext"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	APIID        string `json:"apiId"`
	DomainName   string `json:"domainName"`
	RequestID    string `json:"requestId"`
	ResourcePath string `json:"resourcePath"`
	Stage        string `json:"stage"`
	HTTP         struct {
		Method   string `json:"method"`
		SourceIP string `json:"sourceIp"`
	} `json:"http"`
	Identity struct {
		SourceIP string `json:"sourceIp"`
	} `json:"identity"`
	ELB struct {
		TargetGroupARN string `json:"targetGroupArn"`
	} `json:"elb"`
}

// source is who sent an event, as far as it decides what events and answers look like.
type source int

const (
	unknown        source = iota
	payload2              // HTTP API with payload format 2.0, function URL
	payload1              // REST API, HTTP API with payload format 1.0
	balancerSingle        // load balancer
	balancerMulti         // load balancer, multi-value headers switched on
)

// decode reads a payload and tells where it comes from.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
func decode(payload []byte) (event, source) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return event{}, unknown
	}
	switch {
	case e.Version == "2.0" && e.RequestContext.HTTP.Method != "":
		return e, payload2
	case e.HTTPMethod == "":
		return e, unknown
	case e.RequestContext.ELB.TargetGroupARN != "" && e.MultiValueHeaders != nil:
		return e, balancerMulti
	case e.RequestContext.ELB.TargetGroupARN != "":
		return e, balancerSingle
	case e.Version == "1.0", cmp.Or(e.Resource, e.RequestContext.ResourcePath, e.RequestContext.APIID) != "":
		return e, payload1
	default:
		return e, unknown
	}
}

// request is the event as a request, but for its id.
func (e *event) request(source source, basePath string) (gateway.Request, error) {
	body, err := gateway.DecodeBody(e.Body, e.IsBase64Encoded)
	if err != nil {
		return gateway.Request{}, err
	}
	request := gateway.Request{Method: e.HTTPMethod, Path: e.Path, Header: e.header(), Body: body}
	switch source {
	case payload2:
		request.Method = e.RequestContext.HTTP.Method
		request.Path = e.withoutStage(e.RawPath, basePath)
		request.RawQuery = e.RawQueryString
		request.RemoteIP = e.RequestContext.HTTP.SourceIP
		if len(e.Cookies) > 0 { // function URLs send them as a header too
			request.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
		}
	case payload1:
		if e.Version == "1.0" { // a REST API has no version, and no stage in its path
			request.Path = e.withoutStage(e.Path, basePath)
		}
		request.RawQuery = url.Values(e.query()).Encode()
		request.RemoteIP = e.RequestContext.Identity.SourceIP
	default:
		request.RawQuery = join(e.query())
		request.RemoteIP = gateway.LastAddress(request.Header.Values("X-Forwarded-For"))
	}
	request.Host = cmp.Or(request.Header.Get("Host"), e.RequestContext.DomainName)
	return request, nil
}

// withoutStage strips the stage, which the paths of HTTP APIs begin with unless it is $default.
//
// Source: https://github.com/aws-powertools/powertools-lambda-python/issues/621,
// https://github.com/dougmoscrop/serverless-http/pull/143 (payload format 1.0)
func (e *event) withoutStage(path, basePath string) string {
	stage := e.RequestContext.Stage
	if stage == "" || stage == "$default" || basePath != "" && isUnder(path, basePath) || !isUnder(path, "/"+stage) {
		return path
	}
	return path[len("/"+stage):]
}

func isUnder(path, prefix string) bool {
	rest, found := strings.CutPrefix(path, prefix)
	return found && (rest == "" || rest[0] == '/')
}

// header gives each header once, with all its values. Values are not split at commas: a date or a user agent has some too.
func (e *event) header() http.Header {
	header := make(http.Header, max(len(e.Headers), len(e.MultiValueHeaders)))
	for _, name := range sorted(e.MultiValueHeaders) {
		for _, value := range e.MultiValueHeaders[name] {
			header.Add(name, value)
		}
	}
	for _, name := range sorted(e.Headers) {
		if len(header.Values(name)) == 0 {
			header.Set(name, e.Headers[name])
		}
	}
	return header
}

// sorted gives the names in order, so that those that differ in case only always have the same outcome.
func sorted[V any](values map[string]V) []string {
	names := slices.AppendSeq(make([]string, 0, len(values)), maps.Keys(values))
	slices.Sort(names)
	return names
}

func (e *event) query() map[string][]string {
	query := maps.Clone(e.MultiValueQueryStringParameters)
	if query == nil {
		query = map[string][]string{}
	}
	for name, value := range e.QueryStringParameters {
		if len(query[name]) == 0 {
			query[name] = []string{value}
		}
	}
	return query
}

// join makes a query of names and values that are still escaped, as load balancers send them.
func join(query map[string][]string) string {
	var pairs []string
	for _, name := range sorted(query) {
		for _, value := range query[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}
