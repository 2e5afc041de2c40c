package awsclients_test

import (
	"strings"
	"testing"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/awsclients"
	"github.com/giftstats/giftstats/pkg/settings"
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
	t.Setenv("AWS_REGION", "eu-west-1")
	if _, err := awsclients.OpenLedger(settings.Location{Scheme: "dynamodb", Name: "giftstats"}); err != nil {
		t.Errorf("OpenLedger returned %v", err)
	}
	open := settings.Location{Scheme: "dynamodb", Name: "giftstats", Params: map[string]string{"endpoint": "http://dynamodb.example"}}
	if _, err := awsclients.OpenLedger(open); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("an endpoint without TLS: %v", err)
	}
}
