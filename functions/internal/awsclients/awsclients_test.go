package awsclients_test

import (
	"strings"
	"testing"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsclients"
)

// The api function has no client for EventBridge, so it can name it only when the stream-end function delivers.
func TestAPIWithoutAQueueRefusesABus(t *testing.T) {
	t.Setenv("GIFTSTATS_SECRET", "env://NOT_USED")
	t.Setenv("GIFTSTATS_ENDPOINT", "singapore")
	t.Setenv("GIFTSTATS_DELIVER", "eventbridge://results")
	t.Setenv("AWS_REGION", "eu-west-1")
	_, _, err := awsclients.App(app.API, awsclients.Open)
	want := "GIFTSTATS_DELIVER: eventbridge:// is not supported by this function, only by the stream-end function: set GIFTSTATS_QUEUE"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %q", err, want)
	}
	t.Setenv("GIFTSTATS_QUEUE", "sqs://sqs.eu-west-1.amazonaws.com/123456789012/ends")
	if _, _, err := awsclients.App(app.API, awsclients.Open); err != nil {
		t.Errorf("with a queue: %v", err)
	}
}

func TestOpenLedger(t *testing.T) {
	t.Setenv("GIFTSTATS_SECRET", "env://NOT_USED")
	t.Setenv("GIFTSTATS_ENDPOINT", "singapore")
	t.Setenv("GIFTSTATS_LEDGER", "dynamodb://giftstats")
	t.Setenv("AWS_REGION", "eu-west-1")
	if _, _, err := awsclients.App(app.API, awsclients.Open); err != nil {
		t.Errorf("App returned %v", err)
	}
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb.example")
	_, _, err := awsclients.App(app.API, awsclients.Open)
	if err == nil || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL_DYNAMODB must start with https://") {
		t.Errorf("with an endpoint without TLS: %v", err)
	}
	t.Setenv("GIFTSTATS_LEDGER", "dynamodb://giftstats?endpoint=http://127.0.0.1:8000")
	if _, _, err := awsclients.App(app.API, awsclients.Open); err != nil {
		t.Errorf("with an endpoint of the setting: %v", err)
	}
}
