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
	"github.com/giftstats/giftstats/pkg/settings"
)

func main() {
	a, s, err := awsclients.App(settings.AWSAPI, awsclients.Queue)
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	a.Prefetch(context.Background())
	lambda.Start(aws.New(a.Handler, aws.Options{BasePath: s.BasePath, Logger: a.Logger}))
}
