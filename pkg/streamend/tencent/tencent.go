// Package tencent decodes the events of Tencent SCF that say that a stream has ended: CKafka, CMQ, EventBridge, timers, and
// direct or asynchronous invocations. It recognizes each by its payload.
//
// Sources: https://github.com/tencentyun/scf-go-lib (events), https://tencentcloud.com/document/product/1108/46255 and
// https://tencentcloud.com/document/product/1108/42275 (EventBridge, whose two formats share the fields that are read here).
package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/pkg/cloud/scfcontext"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Config configures a [Function].
type Config struct {
	Processor *streamend.Processor // required
	// First returns where a batch of n messages begins, from 0 to n-1; nil means anywhere. Each turn of a batch must begin elsewhere: the
	// platform repeats the whole batch, and if its time is too short for all messages, it would otherwise end before the last ones each time.
	First func(n int) int
}

// Function processes events. It is a [cloudfunction.Handler].
type Function struct {
	processor *streamend.Processor
	first     func(n int) int
}

var _ cloudfunction.Handler = (*Function)(nil)

// New returns a Function for config. It fails if the processor is missing.
func New(config Config) (*Function, error) {
	if config.Processor == nil {
		return nil, errors.New("streamend: the processor is missing")
	}
	if config.First == nil {
		config.First = rand.IntN
	}
	return &Function{processor: config.Processor, first: config.First}, nil
}

// payload has the fields of every kind of event.
type payload struct {
	Records []record

	SpecVersion *string         `json:"specversion"` // EventBridge
	ID          string          `json:"id"`
	Data        json.RawMessage `json:"data"`

	Type    string // timer
	Time    string
	Message *string
}

// record is a message of a batch of CKafka or CMQ.
type record struct {
	Ckafka *struct {
		Topic     string      `json:"topic"`
		Partition json.Number `json:"partition"`
		Offset    json.Number `json:"offset"`
		Body      string      `json:"msgBody"`
	}
	CMQ *struct {
		ID   string `json:"msgId"`
		Body string `json:"msgBody"`
	}
}

// Invoke processes one event. If it returns an error, the platform retries the invocation. In a batch of CKafka or CMQ, messages
// that can never succeed are logged and skipped. Any other failure makes the platform retry the whole batch, whose events keep
// their ids.
func (f *Function) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	ctx = telemetry.WithRequestID(scfcontext.WithoutZeroDeadline(ctx), invocationID(ctx))
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		p = payload{} // processed as a direct invocation, whose error says what is wrong
	}
	if len(p.Records) > 0 {
		messages, first := p.batch(), f.first(len(p.Records))
		return respond(temporary(f.processor.ProcessAll(ctx, slices.Concat(messages[first:], messages[:first]))))
	}
	return respond(streamend.Failed(f.processor.ProcessAll(ctx, []streamend.Message{p.single(ctx, raw)})...))
}

func respond(err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte(`{"status":"delivered"}`), nil
}

// temporary joins the errors that are not permanent.
func temporary(errs []error) error {
	var joined []error
	for _, err := range errs {
		if err != nil && !permanent.Is(err) {
			joined = append(joined, err)
		}
	}
	return streamend.Failed(joined...)
}

// batch returns the messages of a batch of CKafka or CMQ.
func (p payload) batch() []streamend.Message {
	messages := make([]streamend.Message, len(p.Records))
	for i, r := range p.Records {
		switch {
		case r.Ckafka != nil:
			id := fmt.Sprintf("%s-%s-%s", r.Ckafka.Topic, r.Ckafka.Partition, r.Ckafka.Offset)
			messages[i] = streamend.Message{ID: id, Body: []byte(r.Ckafka.Body), Own: true}
		case r.CMQ != nil:
			messages[i] = streamend.Message{ID: r.CMQ.ID, Body: []byte(r.CMQ.Body)} // may be a dead letter of giftstats
		default:
			messages[i] = streamend.Message{Err: errors.New("a record of the batch is neither from CKafka nor from CMQ")}
		}
	}
	return messages
}

// single returns the message of an event that is not a batch.
func (p payload) single(ctx context.Context, raw []byte) streamend.Message {
	switch {
	case p.SpecVersion != nil:
		return streamend.Message{ID: p.ID, Body: data(p.Data), Own: true}
	case p.Type == "Timer" && p.Message != nil:
		return streamend.Message{ID: p.Time, Body: []byte(*p.Message), Own: true}
	}
	return streamend.Message{ID: invocationID(ctx), Body: raw}
}

func invocationID(ctx context.Context) string {
	if invocation, ok := functioncontext.FromContext(ctx); ok {
		return invocation.RequestID
	}
	return ""
}

// data returns the event in the data of an EventBridge event, which is an object, a string, or a TDMQ message with the event in
// its body.
func data(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	var connector struct {
		Body *string `json:"msgBody"`
	}
	if json.Unmarshal(raw, &connector) == nil && connector.Body != nil {
		return []byte(*connector.Body)
	}
	return raw
}
