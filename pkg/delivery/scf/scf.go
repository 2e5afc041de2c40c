// Package scf sends messages to another Tencent SCF function by asynchronous invocation: SCF stores the event, invokes the
// function, and retries when it fails.
//
// Source: https://intl.cloud.tencent.com/document/product/583/17243
package scf

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/giftstats/giftstats/pkg/cloud/tencentenv"
	"github.com/giftstats/giftstats/pkg/delivery"
)

// Options configure a [Function]. FunctionName is required.
type Options struct {
	FunctionName string
	Region       string                   // default: TENCENTCLOUD_REGION, which SCF sets
	Namespace    string                   // default: the namespace "default"
	Qualifier    string                   // version or alias; default: $DEFAULT
	Endpoint     string                   // default: https://scf.tencentcloudapi.com
	Lookup       func(name string) string // os.Getenv
}

// Function is the function to invoke. It implements [delivery.Deliverer].
type Function struct {
	options Options
	client  *tencentenv.Client
}

// New checks the options; it sends nothing.
func New(options Options) (*Function, error) {
	if options.FunctionName == "" {
		return nil, errors.New("GIFTSTATS_QUEUE has no function name")
	}
	client, err := tencentenv.New(tencentenv.Options{
		Product:  "scf",
		Version:  "2018-04-16",
		Region:   options.Region,
		Endpoint: options.Endpoint,
		Lookup:   options.Lookup,
		Setting:  "GIFTSTATS_QUEUE",
		Advise:   advice,
	})
	if err != nil {
		return nil, fmt.Errorf("function of GIFTSTATS_QUEUE: %w", err)
	}
	return &Function{options, client}, nil
}

type response struct {
	*sdkhttp.BaseResponse
	Response struct {
		RequestID string `json:"RequestId"`
	}
}

// Deliver invokes the function with the message's body as event. A nil error means that SCF has stored the event.
func (f *Function) Deliver(ctx context.Context, message delivery.Message) error {
	parameters := map[string]any{
		"FunctionName":   f.options.FunctionName,
		"InvocationType": "Event",
		"ClientContext":  string(message.Body),
	}
	if f.options.Namespace != "" {
		parameters["Namespace"] = f.options.Namespace
	}
	if f.options.Qualifier != "" {
		parameters["Qualifier"] = f.options.Qualifier
	}
	if err := f.client.Call(ctx, "Invoke", parameters, &response{BaseResponse: &sdkhttp.BaseResponse{}}); err != nil {
		return fmt.Errorf("invoke the function %s: %w", f.options.FunctionName, err)
	}
	return nil
}

// advice says how to fix the errors of a wrong configuration.
func advice(code string) string {
	switch {
	case strings.HasPrefix(code, "ResourceNotFound"):
		return "check the function's name, the namespace, the qualifier and the region"
	case strings.HasPrefix(code, "UnauthorizedOperation"), code == "AuthFailure.UnauthorizedOperation":
		return "the function's role needs scf:InvokeFunction on that function"
	case strings.HasPrefix(code, "RequestLimitExceeded"), strings.HasPrefix(code, "LimitExceeded"):
		return "too many invocations"
	}
	return ""
}
