// Package aws decodes the events of AWS Lambda that say that a stream has ended: SQS, SNS, EventBridge, and direct invocations.
// It recognizes each by its payload. An SNS notification or an EventBridge event inside an SQS message is unwrapped once.
//
// Source: the types and test data of github.com/aws/aws-lambda-go/events.
package aws

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Config configures a [Function].
type Config struct {
	Processor *streamend.Processor // required
	// DeadLetters takes the messages of SQS that can never succeed. If it is nil, they are reported as failed, so that the redrive policy of
	// their queue moves them.
	DeadLetters Queue
}

// Queue is a queue of SQS.
type Queue interface {
	Send(ctx context.Context, body string, attributes map[string]string) error
	// Is reports whether an ARN is that of the queue.
	Is(arn string) bool
}

// Function processes events. It is a [lambda.Handler].
type Function struct{ config Config }

var _ lambda.Handler = (*Function)(nil)

// New returns a Function for config. It fails if the processor is missing.
func New(config Config) (*Function, error) {
	if config.Processor == nil {
		return nil, errors.New("streamend: the processor is missing")
	}
	return &Function{config}, nil
}

// payload has the fields of every kind of event.
type payload struct {
	Records []record
	envelope
}

// record is a record of SQS or of SNS. SNS writes EventSource; decoding ignores the case of names.
type record struct {
	EventSource string `json:"eventSource"`
	events.SQSMessage
	SNS struct {
		MessageID string `json:"MessageId"`
		Message   string
		Timestamp any
	} `json:"Sns"`
}

// envelope has the fields of an EventBridge event and of an SNS notification, in which an event may be wrapped.
type envelope struct {
	DetailType *string         `json:"detail-type"` // EventBridge
	ID         string          `json:"id"`
	Time       any             `json:"time"`
	Detail     json.RawMessage `json:"detail"`
	Type       string          // SNS notification in the body of an SQS message
	MessageID  string          `json:"MessageId"`
	Message    *string
	Timestamp  any
}

// Invoke processes one event. For SQS it returns the messages that failed. SQS delivers them again, and moves them to the
// dead-letter queue after the configured number of attempts. Those that the function itself has put into a dead-letter queue are not
// returned. For all other sources a failure is the error of the invocation, which Lambda retries.
func (f *Function) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	ctx = telemetry.WithRequestID(ctx, invocationID(ctx))
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		p = payload{} // processed as a direct invocation, whose error says what is wrong
	}
	if len(p.Records) > 0 && p.Records[0].EventSource == "aws:sqs" {
		return f.batch(ctx, p.Records)
	}
	var messages []streamend.Message
	for _, r := range p.Records {
		messages = append(messages, streamend.Message{
			ID: r.SNS.MessageID, Body: []byte(r.SNS.Message), SentAt: timeOf(r.SNS.Timestamp), Own: true,
		})
	}
	if len(messages) == 0 {
		messages = append(messages, p.unwrap(invocationID(ctx), raw))
	}
	if err := streamend.Failed(f.config.Processor.ProcessAll(ctx, messages)...); err != nil {
		return nil, err
	}
	return []byte(`{"status":"delivered"}`), nil
}

// batch processes the messages of SQS, and returns those that failed.
func (f *Function) batch(ctx context.Context, records []record) ([]byte, error) {
	messages := make([]streamend.Message, len(records))
	for i, r := range records {
		if r.SQSMessage.MessageId == "" {
			return nil, streamend.Failed(
				errors.New("a message of the batch has no messageId; its failure could not be reported, so the whole batch fails"))
		}
		var inner envelope
		if json.Unmarshal([]byte(r.Body), &inner) != nil {
			inner = envelope{}
		}
		messages[i] = inner.unwrap(r.id(), []byte(r.Body))
		messages[i].SentAt = earlier(messages[i].SentAt, r.sentAt())
		// A message of the dead-letter queue itself stays there: to send it again would be an endless loop.
		if f.config.DeadLetters != nil && !f.config.DeadLetters.Is(r.EventSourceARN) {
			messages[i].PutAside = func(ctx context.Context, reason error) error { return f.putAside(ctx, r, reason) }
		}
	}
	failures := []events.SQSBatchItemFailure{} // must not be null in the JSON
	for i, err := range f.config.Processor.ProcessAll(ctx, messages) {
		if err != nil {
			failures = append(failures, events.SQSBatchItemFailure{ItemIdentifier: records[i].SQSMessage.MessageId})
		}
	}
	return json.Marshal(events.SQSEventResponse{BatchItemFailures: failures})
}

// unwrap returns the event in the envelope. Without an envelope, body is the event and id identifies it; giftstats sends its own like that.
// Id and time of an envelope are part of the body of a message, so they stay when the message is moved to another queue.
func (e envelope) unwrap(id string, body []byte) streamend.Message {
	switch {
	case e.DetailType != nil:
		return streamend.Message{ID: e.ID, Body: e.Detail, SentAt: timeOf(e.Time), Own: true}
	case e.Type == "Notification" && e.Message != nil:
		return streamend.Message{ID: e.MessageID, Body: []byte(*e.Message), SentAt: timeOf(e.Timestamp), Own: true}
	}
	return streamend.Message{ID: id, Body: body}
}

// timeOf returns the time of an envelope, or the zero time if it has none: an event without a time is processed anyway.
func timeOf(value any) time.Time {
	text, _ := value.(string)
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// earlier returns the earlier one of two times, of which the zero time is none. The sender of an event may have given it a time in the
// future, and a message that was moved was sent again later.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// invocationID returns the id of the invocation, which stays the same when Lambda retries an asynchronous invocation.
func invocationID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}
