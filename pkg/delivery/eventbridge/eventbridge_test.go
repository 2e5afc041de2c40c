package eventbridge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/eventbridge"
	"github.com/giftstats/giftstats/pkg/permanent"
)

var message = delivery.Message{ID: "live-1", Type: "stream.summary", At: time.Unix(1_700_000_000, 0), Body: []byte(`{"n":1}`)}

func TestDeliver(t *testing.T) {
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	for _, name := range []string{"results", "arn:aws:events:eu-west-1:123456789012:event-bus/results"} {
		bus, err := eventbridge.New(name, awsenv.New(cloud.Lookup))
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.Deliver(t.Context(), message); err != nil {
			t.Error(err)
		}
	}
	events := cloud.Events()
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	if got := events[0]; got.Bus != "results" || got.Source != "giftstats" || got.DetailType != "stream.summary" || got.Detail != `{"n":1}` || got.Time != 1_700_000_000 {
		t.Errorf("%+v", got)
	}
}

func TestFailures(t *testing.T) {
	deliver := func(prepare func(*awsapi.Server)) string {
		cloud := awsapi.New(awsapi.Config{})
		defer cloud.Close()
		prepare(cloud)
		bus, err := eventbridge.New("results", awsenv.New(cloud.Lookup))
		if err != nil {
			t.Fatal(err)
		}
		err = bus.Deliver(t.Context(), message)
		if err == nil || permanent.Is(err) || strings.Contains(err.Error(), cloud.Lookup("AWS_SESSION_TOKEN")) {
			t.Errorf("%v", err)
		}
		return fmt.Sprint(err)
	}
	for code, want := range map[string]string{"AccessDeniedException": "needs events:PutEvents", "ResourceNotFoundException": "check the bus's name", "SomethingNew": "SomethingNew"} {
		if text := deliver(func(s *awsapi.Server) { s.Misbehave(awsapi.Fault{Times: -1, Code: code}) }); !strings.Contains(text, want) {
			t.Errorf("%s: %s", code, text)
		}
	}
	if text := deliver(func(s *awsapi.Server) { s.RefuseEvents("InternalFailure") }); !strings.Contains(text, "put on the bus results: InternalFailure") {
		t.Errorf("a refused entry in a call that succeeds: %s", text)
	}
}

func TestNew(t *testing.T) {
	none := awsenv.New(func(string) string { return "" })
	if _, err := eventbridge.New("arn:aws:events:eu-west-1:123456789012:event-bus/results", none); err != nil {
		t.Errorf("the ARN has the region: %v", err)
	}
	if _, err := eventbridge.New("results", awsenv.New(func(string) string { return "nonsense" })); err == nil {
		t.Error("wrong variables are taken")
	}
}

func ExampleNew() {
	_, err := eventbridge.New("results", awsenv.New(func(string) string { return "" }))
	fmt.Println(err)
	// Output: no region is known for the bus of GIFTSTATS_DELIVER: set AWS_REGION, or give the bus's ARN
}
