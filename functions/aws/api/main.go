// Command api is the AWS Lambda function that answers HTTP events.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsstore"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
	"github.com/giftstats/giftstats/pkg/settings"
)

func main() {
	handler, err := run()
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	lambda.Start(handler)
}

func run() (*aws.Function, error) {
	s, err := settings.Parse(os.Environ(), settings.AWS)
	if err != nil {
		return nil, err
	}
	store, err := awsstore.Open(*s.Secret)
	if err != nil {
		return nil, err
	}
	logger := app.Logger(os.Stdout, s.LogLevel)
	a, err := app.New(s, store, logger)
	if err != nil {
		return nil, err
	}
	a.Prefetch(context.Background())
	return aws.New(a.Handler, aws.Options{BasePath: s.BasePath, Logger: logger}), nil
}
