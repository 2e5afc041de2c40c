package aws

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/giftstats/giftstats/pkg/gateway"
)

// event has the fields that are needed of every kind of HTTP event.
//
// It is one type, so that a payload is decoded only once. The types of aws-lambda-go cannot be used: they fail on fields that
// do not matter here, like a JWT claim that is not a string, and they do not distinguish an empty multiValueHeaders from a
// missing one.
type event struct {
	Version string `json:"version"`

	// Payload format 2.0.
	RawPath        string   `json:"rawPath"`
	RawQueryString string   `json:"rawQueryString"`
	Cookies        []string `json:"cookies"`

	// Payload format 1.0 and load balancers.
	HTTPMethod                      string              `json:"httpMethod"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`

	// All kinds of events.
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

// source is the kind of service that sent an event. It decides the format of the event and of the response.
type source int

const (
	unknown   source = iota
	payloadV2        // HTTP API with payload format 2.0, function URL
	payloadV1        // REST API, HTTP API with payload format 1.0
	albSingle        // load balancer
	albMulti         // load balancer with multi-value headers enabled
)

// decode decodes a payload and reports its source. The decoder of encoding/json/v2 takes half the time of encoding/json, and a quarter of
// the allocations. As with the latter, what the gateway passes on may have repeated names and invalid UTF-8.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
func decode(payload []byte) (event, source) {
	var e event
	err := json.Unmarshal(payload, &e, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return event{}, unknown
	}
	switch {
	case e.Version == "2.0" && e.RequestContext.HTTP.Method != "":
		return e, payloadV2
	case e.HTTPMethod == "":
		return e, unknown
	case e.RequestContext.ELB.TargetGroupARN != "" && e.MultiValueHeaders != nil:
		return e, albMulti
	case e.RequestContext.ELB.TargetGroupARN != "":
		return e, albSingle
	case e.Version == "1.0", cmp.Or(e.Resource, e.RequestContext.ResourcePath, e.RequestContext.APIID) != "":
		return e, payloadV1
	default:
		return e, unknown
	}
}

// request returns the event as a request without its id.
func (e *event) request(source source, basePath string) (gateway.Request, error) {
	body, err := gateway.DecodeBody(e.Body, e.IsBase64Encoded)
	if err != nil {
		return gateway.Request{}, err
	}
	request := gateway.Request{Method: e.HTTPMethod, Path: e.Path, Header: e.header(), Body: body}
	switch source {
	case payloadV2:
		request.Method = e.RequestContext.HTTP.Method
		request.Path = e.withoutStage(e.RawPath, basePath)
		request.RawQuery = e.RawQueryString
		request.RemoteIP = e.RequestContext.HTTP.SourceIP
		if len(e.Cookies) > 0 { // function URLs also send them as a header
			request.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
		}
	case payloadV1:
		if e.Version == "1.0" { // events of a REST API have no version, and no stage in the path
			request.Path = e.withoutStage(e.Path, basePath)
		}
		// A REST API decodes base64 only for media types that it is configured for, so no response may be compressed:
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
		request.Header.Del("Accept-Encoding")
		request.RawQuery = url.Values(e.query()).Encode()
		request.RemoteIP = e.RequestContext.Identity.SourceIP
	default:
		request.RawQuery = join(e.query())
		request.RemoteIP = gateway.LastAddress(request.Header.Values("X-Forwarded-For"))
	}
	request.Host = cmp.Or(request.Header.Get("Host"), e.RequestContext.DomainName)
	return request, nil
}

// withoutStage strips the stage. Paths of HTTP APIs begin with the stage unless it is $default.
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

// header returns each header once, with all its values. Values are not split at commas, because dates and user agents contain
// commas too.
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

// sorted returns the names in order, so that names that differ only in case always give the same result.
func sorted[V any](values map[string]V) []string {
	names := slices.AppendSeq(make([]string, 0, len(values)), maps.Keys(values)) // slices.Sorted would allocate repeatedly
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

// join builds a query from names and values that are still escaped. Load balancers send them like that.
func join(query map[string][]string) string {
	var pairs []string
	for _, name := range sorted(query) {
		for _, value := range query[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}
