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

// Config configures a [Function]. FunctionName is required.
type Config struct {
	FunctionName string
	Region       string                   // default: TENCENTCLOUD_REGION, which SCF sets
	Namespace    string                   // default: the namespace "default"
	Qualifier    string                   // version or alias; default: $DEFAULT
	Endpoint     string                   // default: https://scf.tencentcloudapi.com
	Lookup       func(name string) string // os.Getenv
}

// Function is the function to invoke. It implements [delivery.Deliverer].
type Function struct {
	config Config
	client *tencentenv.Client
}

// New checks the configuration and returns the function. It sends nothing.
func New(config Config) (*Function, error) {
	if config.FunctionName == "" {
		return nil, errors.New("GIFTSTATS_QUEUE has no function name")
	}
	client, err := tencentenv.New(tencentenv.Config{
		Product:  "scf",
		Version:  "2018-04-16",
		Region:   config.Region,
		Endpoint: config.Endpoint,
		Lookup:   config.Lookup,
		Setting:  "GIFTSTATS_QUEUE",
		Advise:   advice,
	})
	if err != nil {
		return nil, fmt.Errorf("function of GIFTSTATS_QUEUE: %w", err)
	}
	return &Function{config: config, client: client}, nil
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
		"FunctionName":   f.config.FunctionName,
		"InvocationType": "Event",
		"ClientContext":  string(message.Body),
	}
	if f.config.Namespace != "" {
		parameters["Namespace"] = f.config.Namespace
	}
	if f.config.Qualifier != "" {
		parameters["Qualifier"] = f.config.Qualifier
	}
	if err := f.client.Call(ctx, "Invoke", parameters, &response{BaseResponse: &sdkhttp.BaseResponse{}}); err != nil {
		return fmt.Errorf("invoke the function %s: %w", f.config.FunctionName, err)
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
