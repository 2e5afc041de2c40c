// Command api is the AWS Lambda function that answers HTTP events.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsclients"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
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
	a, s, err := awsclients.App(app.API, awsclients.Open)
	if err != nil {
		return nil, err
	}
	function, err := aws.New(aws.Config{Handler: a.Handler, BasePath: s.BasePath, Logger: a.Logger})
	if err != nil {
		return nil, err
	}
	a.Prefetch(context.Background())
	return function, nil
}
