// Package aws serves HTTP events of AWS Lambda with an http.Handler.
//
// One function serves all of them and recognizes each by its payload: API Gateway HTTP API (payload formats 2.0 and 1.0), API
// Gateway REST API, Function URL, and Application Load Balancer with single-value or multi-value headers. The response has the
// format that the source of the event expects. An invocation never fails: a payload that is not an HTTP event gets a 400 problem.
package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/pkg/gateway"
)

// Config configures a [Function].
type Config struct {
	// Handler serves the requests. It is required.
	Handler http.Handler
	// BasePath is a prefix like /prod that the handler itself strips. If a path begins with it, the stage is not stripped here.
	BasePath string
	// Logger logs panics and refused events; nil means slog.Default().
	Logger *slog.Logger
}

// Function serves events. It is a [lambda.Handler].
type Function struct {
	server   *gateway.Server
	basePath string
}

var _ lambda.Handler = (*Function)(nil)

// New returns a Function for config. It fails if the handler is missing or the base path is malformed.
func New(config Config) (*Function, error) {
	if base := config.BasePath; base != "" && (!strings.HasPrefix(base, "/") || strings.HasSuffix(base, "/")) {
		return nil, fmt.Errorf("gateway: the base path %q must begin with a slash and must not end with one", base)
	}
	server, err := gateway.New(gateway.Config{Handler: config.Handler, Logger: config.Logger})
	if err != nil {
		return nil, err
	}
	return &Function{server: server, basePath: config.BasePath}, nil
}

// expected is the second half of the error text for a payload that is not an HTTP event.
const expected = "this function accepts HTTP events of API Gateway (HTTP API and REST API), " +
	"Lambda function URLs and Application Load Balancers"

// Invoke serves one event. The error is always nil. Invoke keeps no reference to payload after it returns.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	event, source := decode(payload)
	requestID := event.RequestContext.RequestID
	if invocation, ok := lambdacontext.FromContext(ctx); ok && requestID == "" {
		requestID = invocation.AwsRequestID
	}
	var response gateway.Response
	if source == unknown {
		response = f.server.Refuse(ctx, gateway.Unrecognized(payload, expected), requestID)
	} else if request, err := event.request(source, f.basePath); err != nil {
		response = f.server.Refuse(ctx, err, requestID)
	} else {
		request.RequestID = requestID
		response = f.server.Serve(ctx, request)
	}
	return json.Marshal(encode(source, response))
}
