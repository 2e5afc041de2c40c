package scfruntime

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/rpc"
	"slices"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// Invoke lets the function handle payload and waits for its reply. Calls wait while the function is busy, even with a call that
// was given up.
//
// If Invoke returns an error, there was no reply: ctx is done, or the process has ended. A function that is late is not stopped.
func (r *Runtime) Invoke(ctx context.Context, payload []byte, options Options) (Reply, error) {
	request := r.request(payload, options)
	select {
	case r.turn <- struct{}{}:
	case <-r.process.Done():
		return Reply{}, r.process.Ended("before invocation " + request.RequestId)
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("wait for the function to be free for invocation %s: %w", request.RequestId, ctx.Err())
	}
	if options.Deadline.IsZero() {
		deadline := time.Now().Add(r.config.Timeout)
		request.Deadline = messages.InvokeRequest_Timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())}
	}
	done := make(chan *rpc.Call, 1)
	go func() {
		call := <-r.client.Go("Function.Invoke", request, &messages.InvokeResponse{}, nil).Done
		<-r.turn
		done <- call
	}()
	select {
	case call := <-done:
		return r.reply(request.RequestId, call)
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("wait for the reply to invocation %s: %w", request.RequestId, ctx.Err())
	}
}

// request returns the message of an invocation. Its deadline is set only if the options have one.
func (r *Runtime) request(payload []byte, options Options) *messages.InvokeRequest {
	r.mu.Lock()
	r.number++
	number := r.number
	r.mu.Unlock()
	request := &messages.InvokeRequest{
		Payload:            slices.Clone(payload),
		RequestId:          cmp.Or(options.RequestID, fmt.Sprintf("00000000-0000-4000-8000-%012d", number)),
		Namespace:          "default",
		FunctionName:       r.config.Name,
		FunctionVersion:    "$LATEST",
		MemoryLimitInMb:    int32(r.config.MemoryMB),
		TimeLimitInMs:      int32(r.config.Timeout.Milliseconds()),
		TencentcloudRegion: r.config.Region,
	}
	if !options.Deadline.IsZero() {
		request.Deadline = messages.InvokeRequest_Timestamp{Seconds: options.Deadline.Unix(), Nanos: int64(options.Deadline.Nanosecond())}
	}
	if len(options.Environment) > 0 {
		environment, _ := json.Marshal(options.Environment) // strings cannot fail
		request.Environment = string(environment)
	}
	return request
}

// reply returns the result of a call. A call fails only if the connection is lost, that is, if the process ends.
func (r *Runtime) reply(requestID string, call *rpc.Call) (Reply, error) {
	if call.Error != nil {
		r.process.Stop(stopGrace)
		return Reply{}, r.process.Ended("during invocation " + requestID)
	}
	response := call.Reply.(*messages.InvokeResponse)
	reply := Reply{RequestID: requestID, Payload: response.Payload}
	if e := response.Error; e != nil {
		reply.ErrorType = cmp.Or(e.Type, "Unknown")
		reply.ErrorMessage = e.Message
		reply.Panicked = e.ShouldExit
	}
	return reply, nil
}
