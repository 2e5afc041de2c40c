package tencentapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
)

// Limits of ClientContext, in bytes.
// Sources: https://tencentcloud.com/document/api/583/17243, https://cloud.tencent.com/document/product/583/11637
const (
	maxSynchronous  = 1 << 20
	maxAsynchronous = 128 << 10
)

// Invocation is one accepted call of Invoke.
type Invocation struct {
	Region         string `json:"-"`
	FunctionName   string
	Namespace      string // default if left out
	Qualifier      string // $DEFAULT if left out
	InvocationType string // RequestResponse if left out, or Event
	ClientContext  string // the event for the function, JSON
}

// Invocations returns all invocations in order of arrival.
func (s *Server) Invocations() []Invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.invocations)
}

// OnInvoke sets a function that returns the result of synchronous invocations as JSON. It must not call the server. Without it,
// they return null.
func (s *Server) OnInvoke(function func(Invocation) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invoked = function
}

func (s *Server) invoke(r *http.Request, body []byte) (map[string]any, *failure) {
	var call Invocation
	if failed := decode(body, &call); failed != nil {
		return nil, failed
	}
	call.Region = r.Header.Get("X-Tc-Region")
	call.Namespace = cmp.Or(call.Namespace, "default")
	call.Qualifier = cmp.Or(call.Qualifier, "$DEFAULT")
	call.InvocationType = cmp.Or(call.InvocationType, "RequestResponse")
	if failed := call.check(); failed != nil {
		return nil, failed
	}
	s.invocations = append(s.invocations, call)
	result := map[string]any{"FunctionRequestId": "00000000-0000-4000-9000-000000000000", "InvokeResult": 0}
	if call.InvocationType == "RequestResponse" {
		result["RetMsg"] = "null"
		if s.invoked != nil {
			result["RetMsg"] = s.invoked(call)
		}
	}
	return map[string]any{"Result": result}, nil
}

func (call Invocation) check() *failure {
	limit := maxSynchronous
	if call.InvocationType == "Event" {
		limit = maxAsynchronous
	}
	switch {
	case call.FunctionName == "":
		return &failure{"MissingParameter", "The request is missing the parameter `FunctionName`."}
	case call.InvocationType != "Event" && call.InvocationType != "RequestResponse":
		return &failure{"InvalidParameterValue.InvocationType", "InvocationType must be RequestResponse or Event."}
	case call.ClientContext != "" && !json.Valid([]byte(call.ClientContext)):
		return &failure{"InvalidParameterValue.Param", "ClientContext is not JSON."}
	case len(call.ClientContext) > limit:
		return &failure{"InvalidParameterValue.ClientContext", "ClientContext is too large for this invocation."}
	}
	return nil
}
