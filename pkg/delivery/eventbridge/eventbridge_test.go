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
	got := events[0]
	if got.Bus != "results" || got.Source != "giftstats" || got.DetailType != "stream.summary" {
		t.Errorf("sent %+v", got)
	}
	if got.Detail != `{"n":1}` || got.Time != 1_700_000_000 {
		t.Errorf("sent %s of %v", got.Detail, got.Time)
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
		if err == nil || permanent.Is(err) {
			t.Errorf("error %v, want one that is not permanent", err)
		}
		if strings.Contains(fmt.Sprint(err), cloud.Lookup("AWS_SESSION_TOKEN")) {
			t.Errorf("the session token is in the error: %v", err)
		}
		return fmt.Sprint(err)
	}
	for code, want := range map[string]string{
		"AccessDeniedException":     "needs events:PutEvents",
		"ResourceNotFoundException": "check the bus's name",
		"SomethingNew":              "SomethingNew",
	} {
		text := deliver(func(s *awsapi.Server) { s.Misbehave(awsapi.Fault{Times: -1, Code: code}) })
		if !strings.Contains(text, want) {
			t.Errorf("%s: error %s, want %q", code, text, want)
		}
	}
	text := deliver(func(s *awsapi.Server) { s.RefuseEvents("InternalFailure") })
	if want := "send to the event bus results: InternalFailure"; !strings.Contains(text, want) {
		t.Errorf("a refused entry in a successful call: error %s, want %q", text, want)
	}
}

func TestNew(t *testing.T) {
	empty := awsenv.New(func(string) string { return "" })
	if _, err := eventbridge.New("arn:aws:events:eu-west-1:123456789012:event-bus/results", empty); err != nil {
		t.Errorf("the ARN has the region: %v", err)
	}
	if _, err := eventbridge.New("results", awsenv.New(func(string) string { return "nonsense" })); err == nil {
		t.Error("invalid variables are accepted")
	}
}

func ExampleNew() {
	_, err := eventbridge.New("results", awsenv.New(func(string) string { return "" }))
	fmt.Println(err)
	// Output: unknown region of the event bus in GIFTSTATS_DELIVER: set AWS_REGION, or use the ARN of the bus
}
