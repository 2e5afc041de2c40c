// Package eventbridge sends summaries to an Amazon EventBridge event bus.
package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
)

// Source is the source of the events. Their detail type is the type of the message. Rules match on both.
const Source = "giftstats"

// Bus is one event bus. It implements [delivery.Deliverer].
type Bus struct {
	name        string
	environment awsenv.Environment
	client      *eventbridge.Client
}

// New returns the bus with the given name or ARN. It sends nothing.
func New(name string, environment awsenv.Environment) (*Bus, error) {
	config, err := environment.Config("EVENTBRIDGE", "")
	if err != nil {
		return nil, err
	}
	if parts := strings.Split(name, ":"); len(parts) == 6 && parts[0] == "arn" {
		config.Region = parts[3] // arn:aws:events:REGION:ACCOUNT:event-bus/NAME
	}
	if config.Region == "" {
		return nil, errors.New("unknown region of the event bus in GIFTSTATS_DELIVER: set AWS_REGION, or use the ARN of the bus")
	}
	return &Bus{name, environment, eventbridge.NewFromConfig(config)}, nil
}

// Deliver sends the message with its body as detail. PutEvents succeeds even if it refuses the entry, so the entry is checked.
//
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (b *Bus) Deliver(ctx context.Context, message delivery.Message) error {
	output, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: &b.name, Source: aws.String(Source), DetailType: &message.Type, Detail: aws.String(string(message.Body)), Time: &message.At,
	}}})
	if err != nil {
		return fmt.Errorf("send to the event bus %s: %w", b.name, b.environment.Explain(ctx, err, advice))
	}
	for _, entry := range output.Entries {
		if entry.ErrorCode != nil {
			return fmt.Errorf("send to the event bus %s: %s: %s", b.name, *entry.ErrorCode, aws.ToString(entry.ErrorMessage))
		}
	}
	return nil
}

// advice says how to fix the errors of a wrong configuration.
func advice(code string) string {
	switch code {
	case "ResourceNotFoundException":
		return "check the bus's name, account and region"
	case "AccessDeniedException":
		return "the function's role needs events:PutEvents on this bus"
	}
	return ""
}
