package lambdaruntime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/internal/testkit/leaks"
)

// The test binary is also the function. The variable FUNCTION selects which one.
func TestMain(m *testing.M) {
	switch os.Getenv("FUNCTION") {
	case "":
		leaks.Main(m) // every goroutine ends with the test that started it
	case "broken":
		fmt.Fprintln(os.Stderr, "GIFTSTATS_SECRET is missing")
		os.Exit(1)
	case "hanging":
		fmt.Println("waiting for nothing")
		time.Sleep(time.Minute) // an empty select would be found to be a deadlock
	default:
		fmt.Println("started")
		lambda.Start(handle)
	}
}

// meeting makes two invocations wait for each other.
var meeting = make(chan struct{})

// handle runs the command in the payload.
func handle(ctx context.Context, payload json.RawMessage) (any, error) {
	var command string
	if err := json.Unmarshal(payload, &command); err != nil {
		return nil, err
	}
	if url, held := strings.CutPrefix(command, "held by "); held {
		response, err := http.Get(url) // the answer comes when the test lets the function go on
		if err != nil {
			return nil, err
		}
		return "held", response.Body.Close()
	}
	switch command {
	case "describe":
		return describe(ctx), nil
	case "fail":
		return nil, errors.New("no luck")
	case "panic":
		panic("bug")
	case "exit":
		os.Exit(4)
	case "hang":
		fmt.Println("hangs")
		select {}
	case "meet":
		select {
		case meeting <- struct{}{}:
		case <-meeting:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "confused": // replies to an invocation that does not exist
		return post("00000000-0000-4000-8000-999999999999", "response"), nil
	case "strange":
		invocation, _ := lambdacontext.FromContext(ctx)
		post(invocation.AwsRequestID, "error")
		os.Exit(5)
	}
	return command, nil
}

func describe(ctx context.Context) map[string]any {
	invocation, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	_, leaked := os.LookupEnv("LEAK")
	return map[string]any{
		"id": invocation.AwsRequestID, "arn": invocation.InvokedFunctionArn, "trace": os.Getenv("_X_AMZN_TRACE_ID"),
		"name": lambdacontext.FunctionName, "memory": lambdacontext.MemoryLimitInMB, "version": lambdacontext.FunctionVersion,
		"region": os.Getenv("AWS_REGION"), "key": os.Getenv("AWS_ACCESS_KEY_ID"), "leaked": leaked,
		"left": time.Until(deadline).Round(10 * time.Minute).String(),
	}
}

// post calls the Runtime API directly.
func post(id, kind string) string {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/" + id + "/" + kind
	response, err := http.Post(url, "text/plain", strings.NewReader("not JSON"))
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return fmt.Sprint(response.StatusCode, " ", string(body))
}
