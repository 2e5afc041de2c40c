// Package tencent serves HTTP events of Tencent SCF with an http.Handler.
//
// One function understands both kinds, by the payload alone: those of Function URLs and those of (old) API Gateway triggers.
// Nothing is an error of the invocation, because its text would reach the caller of the URL: what is no HTTP event gets a
// 400 problem.
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

// Options of a function.
type Options struct {
	// Logger takes panics and refused events; nil means slog.Default().
	Logger *slog.Logger
}

// Function serves events. It is a [cloudfunction.Handler], to be started with cloudfunction.StartHandler.
type Function struct{ server *gateway.Server }

var _ cloudfunction.Handler = (*Function)(nil)

// New serves events with handler, which must not be nil.
func New(handler http.Handler, options Options) *Function {
	return &Function{server: gateway.NewServer(handler, options.Logger)}
}

// expected is the second half of the answer to what is no HTTP event.
const expected = "this function answers HTTP events of function URLs and API Gateway triggers"

// Invoke answers one event. The error is always nil, and payload is not used after it returns.
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
	return json.Marshal(answerTo(event, response))
}
