// Package tencent takes the ends of streams out of the events of Tencent SCF: CKafka, CMQ, EventBridge, timer, and direct or
// asynchronous invocations, told apart from the payload.
//
// Sources: https://github.com/tencentyun/scf-go-lib (events), https://tencentcloud.com/document/product/1108/46255 and
// https://tencentcloud.com/document/product/1108/42275 (EventBridge, which has two dialects; what is read is the same in both).
package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/giftstats/giftstats/pkg/cloud/scfcontext"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Function processes events. It is a cloudfunction.Handler.
type Function struct{ processor *streamend.Processor }

// New processes with processor.
func New(processor *streamend.Processor) *Function { return &Function{processor} }

// payload is whatever may come.
type payload struct {
	Records []record

	SpecVersion *string         `json:"specversion"` // EventBridge
	ID          string          `json:"id"`
	Data        json.RawMessage `json:"data"`

	Type    string // timer
	Time    string
	Message *string
}

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

// Invoke processes one event. An error makes the platform bring it again. In a batch of CKafka or CMQ, messages that no repeat
// can help are logged and passed over; one that has to come again brings the whole batch again, under the same event ids.
func (f *Function) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	ctx = telemetry.WithRequestID(scfcontext.WithoutZeroDeadline(ctx), invocationID(ctx))
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		p = payload{} // not the form of any trigger: taken as a direct invocation, which says what is wrong with it
	}
	if len(p.Records) > 0 {
		return answer(again(f.processor.ProcessAll(ctx, p.batch())))
	}
	return answer(errors.Join(f.processor.ProcessAll(ctx, []streamend.Message{p.single(ctx, raw)})...))
}

func answer(err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte(`{"status":"delivered"}`), nil
}

// again joins the errors that a repeat can mend.
func again(errs []error) error {
	var mendable []error
	for _, err := range errs {
		if err != nil && !permanent.Is(err) {
			mendable = append(mendable, err)
		}
	}
	return errors.Join(mendable...)
}

func (p payload) batch() []streamend.Message {
	messages := make([]streamend.Message, len(p.Records))
	for i, r := range p.Records {
		switch {
		case r.Ckafka != nil:
			messages[i] = streamend.Message{ID: fmt.Sprintf("%s-%s-%s", r.Ckafka.Topic, r.Ckafka.Partition, r.Ckafka.Offset), Body: []byte(r.Ckafka.Body)}
		case r.CMQ != nil:
			messages[i] = streamend.Message{ID: r.CMQ.ID, Body: []byte(r.CMQ.Body)}
		default:
			messages[i] = streamend.Message{Err: errors.New("a record is neither of CKafka nor of CMQ")}
		}
	}
	return messages
}

// single is an event that comes alone.
func (p payload) single(ctx context.Context, raw []byte) streamend.Message {
	switch {
	case p.SpecVersion != nil:
		return streamend.Message{ID: p.ID, Body: data(p.Data)}
	case p.Type == "Timer" && p.Message != nil:
		return streamend.Message{ID: p.Time, Body: []byte(*p.Message)}
	}
	return streamend.Message{ID: invocationID(ctx), Body: raw}
}

func invocationID(ctx context.Context) string {
	if invocation, ok := functioncontext.FromContext(ctx); ok {
		return invocation.RequestID
	}
	return ""
}

// data is the event in the data of an EventBridge event: as an object, as text, or as the body of a TDMQ message.
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
