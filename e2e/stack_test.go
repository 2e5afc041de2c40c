//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	ledgerdynamodb "github.com/giftstats/giftstats/pkg/ledger/dynamodb"
)

// stack is what moto has created of template.yaml.
type stack struct {
	Functions map[string]map[string]string // their variables
	Created   map[string]string            // the physical id of each resource
	Absent    []string                     // what should have been created
	Missing   map[string]string            // the types that moto lacks
}

func (c cloud) createStack(t *testing.T, parameters ...string) stack {
	t.Helper()
	command := exec.CommandContext(t.Context(), python(t, "python3"), append([]string{"stack.py", "../template.yaml"}, parameters...)...)
	command.Env = append(os.Environ(), "AWS_DEFAULT_REGION=eu-west-1")
	for name, value := range c.environment {
		command.Env = append(command.Env, name+"="+value)
	}
	var log strings.Builder
	command.Stderr = &log
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	var created stack
	if err := json.Unmarshal(out, &created); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return created
}

// Two shows with the resources of template.yaml: the packages run with the variables that it gives them, on its table and its queues.
func TestStack(t *testing.T) {
	t.Parallel()
	inTime(t, testStack)
}

func testStack(t *testing.T) {
	s, cloud := newStage(t), newCloud(t)
	cloud.createSecret(t, fixture.Document(fixture.SecretKey))
	described, err := cloud.secrets.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("giftstats")})
	if err != nil {
		t.Fatal(err)
	}
	stack := cloud.createStack(t, "SecretArn="+*described.ARN, "Endpoint="+s.endpoint, "Deliver="+s.customer.URL, "LogLevel=debug")
	if len(stack.Absent) > 0 {
		t.Errorf("moto has not created %v", stack.Absent)
	}
	missing := slices.Compact(slices.Sorted(maps.Values(stack.Missing)))
	t.Logf("moto has created %d resources of the template, and lacks %d: %v", len(stack.Created), len(stack.Missing), missing)

	functions := map[string]function{}
	for name, variables := range stack.Functions {
		environment := maps.Clone(cloud.environment)
		maps.Copy(environment, variables)
		functions[name] = newFunction(t, packages[name], environment)
	}
	store, err := ledgerdynamodb.New(ledgerdynamodb.Config{Table: stack.Created["LedgerTable"], Environment: cloud.from(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.ledger = newLedger(t, store)
	s.ask = func(r eventtest.Request) eventtest.Answer {
		name := "ApiFunction"
		if strings.HasPrefix(r.Path, "/v1/webhooks/") {
			name = "WebhookFunction"
		}
		return eventtest.Read(t, functions[name].invoke(t, eventtest.AWS[0].Event(r)))
	}
	s.report = func(event string) { cloud.report(t, event) }
	s.work = func() {
		for more := true; more; {
			processed := cloud.consume(t, stack.Created["EndsQueue"], functions["StreamEndFunction"])
			if more = len(processed) > 0; slices.Contains(processed, false) {
				t.Fatalf("an event failed:\n%s", functions["StreamEndFunction"].Output())
			}
		}
	}
	s.sweep = func() { functions["SweepFunction"].invoke(t, map[string]bool{"sweep": true}) }
	s.output = func() (all string) {
		for _, function := range functions {
			all += function.Output()
		}
		return all
	}
	s.test(t)
	for _, secret := range append(fixture.Secrets(), cloud.environment["AWS_SECRET_ACCESS_KEY"], cloud.environment["AWS_SESSION_TOKEN"]) {
		if strings.Contains(s.output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

// packages are those of the functions in template.yaml.
var packages = map[string]string{
	"ApiFunction": "aws-api.zip", "WebhookFunction": "aws-api.zip",
	"StreamEndFunction": "aws-streamend.zip", "SweepFunction": "aws-streamend.zip",
}

// report puts an event on the default bus. The rule of the template passes its detail on to the queue.
func (c cloud) report(t *testing.T, event string) {
	t.Helper()
	put, err := c.buses.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
		Source: aws.String("live-backend"), DetailType: aws.String("stream.ended"), Detail: &event,
	}}})
	if err != nil || put.FailedEntryCount > 0 {
		t.Fatalf("%v: %+v", err, put)
	}
}
