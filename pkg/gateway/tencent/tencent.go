// Package tencent serves HTTP events of Tencent SCF with an http.Handler.
//
// One function serves both kinds and recognizes each by its payload: events of function URLs and of the older API Gateway
// triggers. An invocation never fails, because the text of its error would reach the caller of the URL: a payload that is not
// an HTTP event gets a 400 problem.
package tencent

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/pkg/cloud/scfcontext"
	"github.com/giftstats/giftstats/pkg/gateway"
)

// Config configures a [Function].
type Config struct {
	// Handler serves the requests. It is required.
	Handler http.Handler
	// Logger logs panics and refused events; nil means slog.Default().
	Logger *slog.Logger
}

// Function serves events. It is a [cloudfunction.Handler]; start it with cloudfunction.StartHandler.
type Function struct{ server *gateway.Server }

var _ cloudfunction.Handler = (*Function)(nil)

// New returns a Function for config. It fails if the handler is missing.
func New(config Config) (*Function, error) {
	server, err := gateway.New(gateway.Config{Handler: config.Handler, Logger: config.Logger})
	if err != nil {
		return nil, err
	}
	return &Function{server: server}, nil
}

// expected is the second half of the error text for a payload that is not an HTTP event.
const expected = "this function accepts HTTP events of function URLs and API Gateway triggers"

// Invoke serves one event. The error is always nil. Invoke keeps no reference to payload after it returns.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx = scfcontext.WithoutZeroDeadline(ctx)
	event, recognized := decode(payload)
	requestID := event.requestID()
	if invocation, ok := functioncontext.FromContext(ctx); ok && requestID == "" {
		requestID = invocation.RequestID
	}
	var response gateway.Response
	if !recognized {
		response = f.server.Refuse(ctx, gateway.Unrecognized(payload, expected), requestID)
	} else if request, err := event.request(); err != nil {
		response = f.server.Refuse(ctx, err, requestID)
	} else {
		request.RequestID = requestID
		response = f.server.Serve(ctx, request)
	}
	return json.Marshal(encode(event, response))
}
