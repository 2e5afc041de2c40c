// Package eventbridge puts summaries on an Amazon EventBridge bus.
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

// Source is the source of the events, which rules match on; their detail type is the type of the message.
const Source = "giftstats"

// Bus is one event bus. It is a [delivery.Deliverer].
type Bus struct {
	name        string
	environment awsenv.Environment
	client      *eventbridge.Client
}

// New makes the client of the bus with the name or ARN.
func New(name string, environment awsenv.Environment) (*Bus, error) {
	config, err := environment.Config("EVENTBRIDGE", "")
	if err != nil {
		return nil, err
	}
	if parts := strings.Split(name, ":"); len(parts) == 6 && parts[0] == "arn" {
		config.Region = parts[3] // arn:aws:events:REGION:ACCOUNT:event-bus/NAME
	}
	if config.Region == "" {
		return nil, errors.New("no region is known for the bus of GIFTSTATS_DELIVER: set AWS_REGION, or give the bus's ARN")
	}
	return &Bus{name, environment, eventbridge.NewFromConfig(config)}, nil
}

// Deliver puts the message on the bus, with its body as detail. PutEvents succeeds as a call even when it refuses the entry.
//
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (b *Bus) Deliver(ctx context.Context, message delivery.Message) error {
	output, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: &b.name, Source: aws.String(Source), DetailType: &message.Type, Detail: aws.String(string(message.Body)), Time: &message.At,
	}}})
	if err != nil {
		return fmt.Errorf("put on the bus %s: %w", b.name, b.environment.Explain(ctx, err, advice))
	}
	for _, entry := range output.Entries {
		if entry.ErrorCode != nil {
			return fmt.Errorf("put on the bus %s: %s: %s", b.name, *entry.ErrorCode, aws.ToString(entry.ErrorMessage))
		}
	}
	return nil
}

// advice says what to do about the errors that a wrong set-up gives.
func advice(code string) string {
	switch code {
	case "ResourceNotFoundException":
		return "check the bus's name, account and region"
	case "AccessDeniedException":
		return "the function's role needs events:PutEvents on this bus"
	}
	return ""
}
