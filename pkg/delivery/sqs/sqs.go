// Package sqs sends messages to an Amazon SQS queue: summaries, or stream-end events that are processed later.
package sqs

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/endpoint"
)

// A webhook waits while its event is sent, and TRTC stops waiting after 5 seconds. Three attempts fit.
const (
	attemptTime = 1500 * time.Millisecond
	maxBackoff  = 200 * time.Millisecond // the SDK would wait for up to 2 s
)

// Queue is one queue. It implements [delivery.Deliverer].
type Queue struct {
	url         string
	environment awsenv.Environment
	client      *sqs.Client
}

// New returns the queue at HOST/ACCOUNT/NAME. It uses https, or http if HOST is a loopback host. It sends nothing.
func New(name string, environment awsenv.Environment) (*Queue, error) {
	host, _, _ := strings.Cut(name, "/")
	hostname := host
	if only, _, err := net.SplitHostPort(host); err == nil {
		hostname = only
	}
	scheme := "https"
	if endpoint.Loopback(strings.Trim(hostname, "[]")) {
		scheme = "http"
	}
	config, err := environment.Config("SQS", "")
	if err != nil {
		return nil, err
	}
	if config.BaseEndpoint == nil {
		config.BaseEndpoint = aws.String(scheme + "://" + host)
	}
	if region := regionOf(hostname); region != "" {
		config.Region = region
	}
	if config.Region == "" {
		return nil, fmt.Errorf("unknown region of the queue sqs://%s: set AWS_REGION", name)
	}
	return &Queue{scheme + "://" + name, environment, client(config, nil)}, nil
}

// client returns a client whose attempts are short. dial, if not nil, replaces the network.
func client(config aws.Config, dial func(ctx context.Context, network, address string) (net.Conn, error)) *sqs.Client {
	if buildable, ok := config.HTTPClient.(*awshttp.BuildableClient); ok {
		config.HTTPClient = buildable.WithTimeout(attemptTime).WithTransportOptions(func(transport *http.Transport) {
			if dial != nil {
				transport.DialContext = dial
			}
		})
	}
	return sqs.NewFromConfig(config, func(options *sqs.Options) {
		options.Retryer = retry.AddWithMaxBackoffDelay(options.Retryer, maxBackoff)
	})
}

// regionOf returns the region of a host such as sqs.eu-west-1.amazonaws.com, or "".
func regionOf(host string) string {
	if parts := strings.Split(host, "."); len(parts) >= 4 && parts[0] == "sqs" && parts[2] == "amazonaws" {
		return parts[1]
	}
	return ""
}

// Is reports whether an ARN like arn:aws:sqs:REGION:ACCOUNT:NAME is that of the queue. The region does not matter.
func (q *Queue) Is(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && strings.HasSuffix(q.url, "/"+parts[4]+"/"+parts[5])
}

// Deliver sends the body of the message.
func (q *Queue) Deliver(ctx context.Context, message delivery.Message) error {
	return q.Send(ctx, string(message.Body), nil)
}

// Send sends a message with attributes. SQS accepts at most ten, whose values must not be empty.
func (q *Queue) Send(ctx context.Context, body string, attributes map[string]string) error {
	input := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}
	for name, value := range attributes {
		if input.MessageAttributes == nil {
			input.MessageAttributes = map[string]types.MessageAttributeValue{}
		}
		input.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	_, err := q.client.SendMessage(ctx, input)
	if err != nil {
		return fmt.Errorf("send to the queue %s: %w", q.url, q.environment.Explain(ctx, err, advice))
	}
	return nil
}

// advice says how to fix the errors of a wrong configuration.
//
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func advice(code string) string {
	switch code {
	case "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist":
		return "check the queue's name, account and region"
	case "AccessDenied", "AccessDeniedException":
		return "the function's role needs sqs:SendMessage on this queue"
	}
	return ""
}
