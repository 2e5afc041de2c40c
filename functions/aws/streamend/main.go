// Command streamend is the AWS Lambda function that processes the ends of streams.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsclients"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/eventbridge"
	"github.com/giftstats/giftstats/pkg/delivery/sqs"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/streamend/aws"
)

func main() {
	function, err := newFunction()
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	lambda.Start(function)
}

// newFunction builds the function from the environment, and starts to read the secret and to connect to the upstream.
func newFunction() (*aws.Function, error) {
	a, s, err := awsclients.App(app.StreamEnd, open)
	if err != nil {
		return nil, err
	}
	config := aws.Config{Processor: a.Processor}
	if s.DeadLetters != nil {
		if config.DeadLetters, err = sqs.New(s.DeadLetters.Name, awsenv.New(os.Getenv)); err != nil {
			return nil, fmt.Errorf("GIFTSTATS_DEAD_LETTERS: %w", err)
		}
	}
	function, err := aws.New(config)
	if err != nil {
		return nil, err
	}
	a.Prefetch(context.Background())
	return function, nil
}

// open returns the client of a queue or bus.
func open(location settings.Location) (delivery.Deliverer, error) {
	if location.Scheme == "eventbridge" {
		return eventbridge.New(location.Name, awsenv.New(os.Getenv))
	}
	return awsclients.Open(location)
}
