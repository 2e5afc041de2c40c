// Package aws serves HTTP events of AWS Lambda with an http.Handler.
//
// One function understands all of them, by the payload alone: API Gateway HTTP API (payload format 2.0 and 1.0) and REST
// API, Function URL, and Application Load Balancer with single-value and multi-value headers. The answer has the form that
// the sender of the event takes. Nothing is an error of the invocation: what is no HTTP event gets a 400 problem.
package aws

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/pkg/gateway"
)

// Options of a function.
type Options struct {
	// BasePath is a prefix like /prod that the handler strips itself. Where a path begins with it, the stage is not
	// stripped here.
	BasePath string
	// Logger takes panics and refused events; nil means slog.Default().
	Logger *slog.Logger
}

// Function serves events. It is a [lambda.Handler].
type Function struct {
	server   *gateway.Server
	basePath string
}

var _ lambda.Handler = (*Function)(nil)

// New serves events with handler, which must not be nil.
func New(handler http.Handler, options Options) *Function {
	return &Function{server: gateway.NewServer(handler, options.Logger), basePath: options.BasePath}
}

// expected is the second half of the answer to what is no HTTP event.
const expected = "this function answers HTTP events of API Gateway (HTTP API and REST API), Lambda function URLs and Application Load Balancers"

// Invoke answers one event. The error is always nil, and payload is not used after it returns.
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
	return json.Marshal(answerTo(source, response))
}
