// Package aws takes the ends of streams out of the events of AWS Lambda: SQS, SNS, EventBridge, and direct invocations, told
// apart from the payload. An SNS notification or an EventBridge event in an SQS message is unwrapped, once.
//
// Source: the types and test data of github.com/aws/aws-lambda-go/events.
package aws

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Function processes events. It is a [lambda.Handler].
type Function struct{ processor *streamend.Processor }

var _ lambda.Handler = (*Function)(nil)

// New processes with processor.
func New(processor *streamend.Processor) *Function { return &Function{processor} }

// payload is whatever may come.
type payload struct {
	Records []record
	envelope
}

// record is one of SQS or of SNS; the two spell the name of the source differently.
type record struct {
	EventSource string `json:"eventSource"`
	events.SQSMessage
	SNS struct {
		MessageID string `json:"MessageId"`
		Message   string
	} `json:"Sns"`
}

// envelope is what an event may be wrapped in.
type envelope struct {
	DetailType *string         `json:"detail-type"` // EventBridge
	ID         string          `json:"id"`
	Detail     json.RawMessage `json:"detail"`
	Type       string          // SNS, as the body of an SQS message
	MessageID  string          `json:"MessageId"`
	Message    *string
}

// Invoke processes one event. For SQS it answers with the messages that have to come again or belong into the dead-letter
// queue; for the others a failure is the error of the invocation, which Lambda repeats.
func (f *Function) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	ctx = telemetry.WithRequestID(ctx, invocationID(ctx))
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		p = payload{} // not the form of any service: taken as a direct invocation, which says what is wrong with it
	}
	if len(p.Records) > 0 && p.Records[0].EventSource == "aws:sqs" {
		return f.batch(ctx, p.Records)
	}
	var messages []streamend.Message
	for _, r := range p.Records {
		messages = append(messages, streamend.Message{ID: r.SNS.MessageID, Body: []byte(r.SNS.Message)})
	}
	if len(messages) == 0 {
		messages = append(messages, p.unwrap(invocationID(ctx), raw))
	}
	if err := errors.Join(f.processor.ProcessAll(ctx, messages)...); err != nil {
		return nil, err
	}
	return []byte(`{"status":"delivered"}`), nil
}

// batch reports the messages that failed, and no others.
func (f *Function) batch(ctx context.Context, records []record) ([]byte, error) {
	messages := make([]streamend.Message, len(records))
	for i, r := range records {
		if r.SQSMessage.MessageId == "" {
			return nil, errors.New("a message of the batch has no messageId, so its failure could not be reported: the whole batch has to come again")
		}
		var inner envelope
		if json.Unmarshal([]byte(r.Body), &inner) != nil {
			inner = envelope{}
		}
		messages[i] = inner.unwrap(r.SQSMessage.MessageId, []byte(r.Body))
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, err := range f.processor.ProcessAll(ctx, messages) {
		if err != nil {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: records[i].SQSMessage.MessageId})
		}
	}
	return json.Marshal(answer)
}

// unwrap takes the event out of its envelope; without one, body is the event.
func (e envelope) unwrap(id string, body []byte) streamend.Message {
	switch {
	case e.DetailType != nil:
		return streamend.Message{ID: e.ID, Body: e.Detail}
	case e.Type == "Notification" && e.Message != nil:
		return streamend.Message{ID: e.MessageID, Body: []byte(*e.Message)}
	}
	return streamend.Message{ID: id, Body: body}
}

// invocationID is the same when Lambda repeats an asynchronous invocation.
func invocationID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}
