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
	"time"

	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/giftstats/giftstats/pkg/cloud/tencentenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/retry"
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

// A webhook waits while its event is sent, and TRTC stops waiting after 5 seconds. Two attempts fit.
const (
	attemptTime  = 2 * time.Second
	attempts     = 2
	firstBackoff = 100 * time.Millisecond
)

// Function is the function to invoke. It implements [delivery.Deliverer].
type Function struct {
	config Config
	call   func(ctx context.Context, action string, parameters map[string]any, response sdkhttp.Response) error
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
	return &Function{config: config, call: client.Call}, nil
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
	for attempt := 1; ; attempt++ {
		timedOut, err := f.invoke(ctx, parameters)
		switch {
		case err == nil:
			return nil
		case timedOut && attempt < attempts && (retry.Backoff{First: firstBackoff}).Wait(ctx, attempt, 0, 0):
			// try again; an event that arrives twice has one id
		default:
			return fmt.Errorf("invoke the function %s: %w", f.config.FunctionName, err)
		}
	}
}

// invoke makes one attempt, and reports whether it took too long.
func (f *Function) invoke(ctx context.Context, parameters map[string]any) (timedOut bool, err error) {
	limited, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	err = f.call(limited, "Invoke", parameters, &response{BaseResponse: &sdkhttp.BaseResponse{}})
	return limited.Err() != nil && ctx.Err() == nil, err
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
