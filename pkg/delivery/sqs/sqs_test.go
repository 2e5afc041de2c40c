package sqs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/sqs"
	"github.com/giftstats/giftstats/pkg/permanent"
)

var message = delivery.Message{ID: "live-1", Type: "stream.summary", Body: []byte(`{"n":1}`)}

func TestDeliver(t *testing.T) {
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	for name, change := range map[string]func(map[string]string){
		"the host of the queue's URL": func(v map[string]string) { delete(v, "AWS_ENDPOINT_URL") },
		"the endpoint's variable":     func(map[string]string) {},
	} {
		variables := cloud.Environment()
		change(variables)
		lookup := func(name string) string { return variables[name] }
		queue, err := sqs.New(strings.TrimPrefix(cloud.QueueURL("ends"), "http://"), awsenv.New(lookup))
		if err != nil {
			t.Fatal(err)
		}
		if err := queue.Deliver(t.Context(), message); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, got := range cloud.Messages() {
		if got.Body != `{"n":1}` || got.QueueURL != cloud.QueueURL("ends") {
			t.Errorf("sent %+v", got)
		}
	}
	if len(cloud.Messages()) != 2 {
		t.Errorf("%d messages, want 2", len(cloud.Messages()))
	}
}

func TestIs(t *testing.T) {
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	queue, err := sqs.New("sqs.eu-west-1.amazonaws.com/123456789012/dead", awsenv.New(cloud.Lookup))
	if err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]bool{
		"arn:aws:sqs:eu-west-1:123456789012:dead": true, "arn:aws:sqs:eu-west-1:123456789012:ends": false,
		"arn:aws:sqs:eu-west-1:210987654321:dead": false, "arn:aws:sqs:eu-west-1:123456789012": false, "": false,
	} {
		if got := queue.Is(arn); got != want {
			t.Errorf("Is(%q) = %v, want %v", arn, got, want)
		}
	}
}

func TestSendWithAttributes(t *testing.T) {
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	queue, err := sqs.New(strings.TrimPrefix(cloud.QueueURL("dead"), "http://"), awsenv.New(cloud.Lookup))
	if err != nil {
		t.Fatal(err)
	}
	if err := queue.Send(t.Context(), "not JSON", map[string]string{"one": "1 ß", "two": "2"}); err != nil {
		t.Fatal(err)
	}
	sent := cloud.Messages()
	if len(sent) != 1 || sent[0].Body != "not JSON" {
		t.Fatalf("sent %+v, want one message", sent)
	}
	for name, value := range map[string]string{"one": "1 ß", "two": "2"} {
		want := fmt.Sprintf(`{"DataType":"String","StringValue":%q}`, value)
		if got := string(sent[0].Attributes[name]); got != want {
			t.Errorf("the attribute %s is %s, want %s", name, got, want)
		}
	}
	if len(sent[0].Attributes) != 2 {
		t.Errorf("%d attributes, want 2", len(sent[0].Attributes))
	}
}

func TestFailures(t *testing.T) {
	for code, want := range map[string]string{
		"AccessDeniedException":     "needs sqs:SendMessage",
		"QueueDoesNotExist":         "check the queue's name",
		"SomethingNew":              "SomethingNew",
		"InvalidSignatureException": "credentials",
	} {
		cloud := awsapi.New(awsapi.Config{})
		cloud.Misbehave(awsapi.Fault{Times: -1, Code: code})
		queue, err := sqs.New(strings.TrimPrefix(cloud.QueueURL("ends"), "http://"), awsenv.New(cloud.Lookup))
		if err != nil {
			t.Fatal(err)
		}
		err = queue.Deliver(t.Context(), message)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", code, err, want)
		}
		if permanent.Is(err) {
			t.Errorf("%s: the error is permanent, but an operator can fix the cause: %v", code, err)
		}
		if strings.Contains(fmt.Sprint(err), cloud.Lookup("AWS_SESSION_TOKEN")) {
			t.Errorf("%s: the session token is in the error: %v", code, err)
		}
		cloud.Close()
	}
}

func TestNew(t *testing.T) {
	empty := awsenv.New(func(string) string { return "" })
	if _, err := sqs.New("sqs.eu-west-1.amazonaws.com/123456789012/ends", empty); err != nil {
		t.Errorf("the host has the region: %v", err)
	}
	if _, err := sqs.New("queues.example/1/ends", empty); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("no region: %v", err)
	}
	if _, err := sqs.New("queues.example/1/ends", awsenv.New(func(string) string { return "nonsense" })); err == nil {
		t.Error("invalid variables are accepted")
	}
}

func ExampleNew() {
	_, err := sqs.New("queues.example/1/ends", awsenv.New(func(string) string { return "" }))
	fmt.Println(err)
	// Output: unknown region of the queue sqs://queues.example/1/ends: set AWS_REGION
}
