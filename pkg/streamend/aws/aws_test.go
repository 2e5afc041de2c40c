package aws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/internal/testkit/streamendtest"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/streamend/aws"
)

var decoder = streamendtest.Decoder{
	New: func(t testing.TB, processor *streamend.Processor) streamendtest.Function {
		t.Helper()
		function, err := aws.New(aws.Config{Processor: processor})
		if err != nil {
			t.Fatal(err)
		}
		return function
	},
	Invocation: func(ctx context.Context, id string) context.Context {
		return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: id})
	},
}

func TestGolden(t *testing.T) { decoder.TestGolden(t) }

func TestInvocationIdentifiesEvent(t *testing.T) { decoder.TestInvocationIdentifiesEvent(t) }

func TestNewNeedsAProcessor(t *testing.T) {
	if _, err := aws.New(aws.Config{}); err == nil {
		t.Error("New accepts a Config without a processor")
	}
}

func record(id, body string) map[string]any {
	return map[string]any{"messageId": id, "eventSource": "aws:sqs", "body": body}
}

func TestBatchReportsFailedMessages(t *testing.T) {
	payload, err := json.Marshal(map[string]any{"Records": []any{
		record("good", `{"event_id":"e-1","room_id":"r","accounts":["a"]}`),
		record("poison", `not JSON`),
		record("down", `{"event_id":"e-2","room_id":"r","accounts":["down"]}`),
		record("no room", `{"event_id":"e-3"}`),
		record("owner", `{"event_id":"e-4","room_id":"r"}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	function, recorder := decoder.Start(t)
	response, err := function.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"batchItemFailures":[{"itemIdentifier":"poison"},{"itemIdentifier":"down"},{"itemIdentifier":"no room"}]}`
	if string(response) != want {
		t.Errorf("response = %s, want %s", response, want)
	}
	if got := recorder.IDs(); got != "e-1 e-4" {
		t.Errorf("delivered %q, want e-1 e-4", got)
	}
}

func TestErrors(t *testing.T) {
	decoder.TestErrors(t, map[string]string{
		"direct, down":            `{"room_id":"r","accounts":["down"]}`,
		"direct, no room":         `{}`,
		"direct, not JSON":        `nonsense`,
		"EventBridge, down":       `{"detail-type":"x","id":"1","detail":{"room_id":"r","accounts":["down"]}}`,
		"EventBridge, empty":      `{"detail-type":"x","id":"1"}`,
		"SNS, not JSON":           `{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"1","Message":"x"}}]}`,
		"SQS without an id":       `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`,
		"records of another":      `{"Records":[{"eventSource":"aws:s3"}]}`,
		"records of another type": `{"Records":7}`,
	})
}

// Many may be allowed to put events on a bus or a topic. They must not be able to report as Tencent does: the owner of the room and its
// totals would be believed. Events that giftstats itself puts on the queue have no envelope.
func TestOwnEventsAreDirect(t *testing.T) {
	const event = `{"room_id":"r","accounts":["a"],"source":"live"}`
	quoted := strconv.Quote(event)
	bus, topic := `{"detail-type":"stream.ended","id":"1","detail":`+event+`}`, `{"Type":"Notification","MessageId":"1","Message":`+quoted+`}`
	queue := func(body string) string {
		return `{"Records":[{"messageId":"1","eventSource":"aws:sqs","body":` + strconv.Quote(body) + `}]}`
	}
	decoder.TestSources(t, map[string]string{
		"EventBridge": bus, "EventBridge by SQS": queue(bus), "SNS by SQS": queue(topic),
		"SNS": `{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"1","Message":` + quoted + `}}]}`,
	}, streamend.SourceDirect)
	decoder.TestSources(t, map[string]string{"SQS": queue(event), "direct": event}, streamend.SourceLive)
}

func ExampleFunction_Invoke() {
	recorder := new(streamendtest.Recorder)
	processor, err := streamendtest.NewProcessor(recorder)
	if err != nil {
		fmt.Println(err)
		return
	}
	function, err := aws.New(aws.Config{Processor: processor})
	if err != nil {
		fmt.Println(err)
		return
	}
	event := []byte(`{"event_id":"e-1","room_id":"room_id","accounts":["user1"]}`)
	response, err := function.Invoke(context.Background(), event)
	fmt.Println(string(response), err)
	fmt.Println("delivered", recorder.IDs())
	// Output:
	// {"status":"delivered"} <nil>
	// delivered e-1
}

func FuzzInvoke(f *testing.F) { decoder.Fuzz(f) }
