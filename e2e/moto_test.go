//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
)

// cloud is a moto server and clients of it.
type cloud struct {
	environment map[string]string // for functions
	secrets     *secretsmanager.Client
	queues      *sqs.Client
	buses       *eventbridge.Client
}

func newCloud(t *testing.T) cloud {
	t.Helper()
	at := addresses(t, 1)[0]
	host, port, _ := strings.Cut(at, ":")
	await(t, at, start(t, nil, python(t, "moto_server"), "-H", host, "-p", port))
	c := cloud{environment: map[string]string{
		"AWS_ENDPOINT_URL": "http://" + at, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-secret-access-key",
		"AWS_SESSION_TOKEN": "not-a-real-session-token",
	}}
	from := c.from()
	config := func(service string) aws.Config {
		config, err := from.Config(service, "")
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
	c.secrets = secretsmanager.NewFromConfig(config("SECRETS_MANAGER"))
	c.queues = sqs.NewFromConfig(config("SQS"))
	c.buses = eventbridge.NewFromConfig(config("EVENTBRIDGE"))
	return c
}

// from returns the environment as clients take it.
func (c cloud) from() awsenv.Environment {
	return awsenv.New(func(name string) string { return c.environment[name] })
}

func (c cloud) createSecret(t *testing.T, document string) {
	t.Helper()
	input := &secretsmanager.CreateSecretInput{Name: aws.String("giftstats"), SecretString: &document}
	if _, err := c.secrets.CreateSecret(t.Context(), input); err != nil {
		t.Fatal(err)
	}
}

func (c cloud) rotateSecret(t *testing.T, document string) {
	t.Helper()
	input := &secretsmanager.PutSecretValueInput{SecretId: aws.String("giftstats"), SecretString: &document}
	if _, err := c.secrets.PutSecretValue(t.Context(), input); err != nil {
		t.Fatal(err)
	}
}

func (c cloud) createQueue(t *testing.T, name string, attributes map[string]string) (url string) {
	t.Helper()
	created, err := c.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return *created.QueueUrl
}

// createBus makes a bus whose summaries all go to a queue.
func (c cloud) createBus(t *testing.T, name, queue string) {
	t.Helper()
	if _, err := c.buses.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	pattern := aws.String(`{"detail-type":["stream.summary"]}`)
	rule := &eventbridge.PutRuleInput{EventBusName: &name, Name: &name, EventPattern: pattern}
	if _, err := c.buses.PutRule(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	targets := &eventbridge.PutTargetsInput{
		EventBusName: &name, Rule: &name, Targets: []eventbridgetypes.Target{{Id: aws.String("queue"), Arn: &queue}},
	}
	if _, err := c.buses.PutTargets(t.Context(), targets); err != nil {
		t.Fatal(err)
	}
}

func (c cloud) send(t *testing.T, queue, body string) {
	t.Helper()
	if _, err := c.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
}

// move does what StartMessageMoveTask does: each message gets a new id, and keeps its body and its attributes. This moto has no such call.
func (c cloud) move(t *testing.T, from, to string) {
	t.Helper()
	for _, message := range c.receive(t, from) {
		_, err := c.queues.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: &to, MessageBody: message.Body, MessageAttributes: message.MessageAttributes,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &from, ReceiptHandle: message.ReceiptHandle})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// run runs a Python program with boto3.
func (c cloud) run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), python(t, "python3"), append([]string{"-c", program}, arguments...)...)
	command.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+c.environment["AWS_REGION"])
	for name, value := range c.environment {
		command.Env = append(command.Env, name+"="+value)
	}
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// programOn returns a program that a page says to save under a name: the first block of code behind it.
func programOn(t *testing.T, page, name string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "as `"+name+"`")
	_, block, found := strings.Cut(rest, "\n\n    ")
	if !found {
		t.Fatalf("%s has no program %s", page, name)
	}
	program, _, _ := strings.Cut(block, "\n\n    python3 "+name)
	return strings.ReplaceAll(program, "\n    ", "\n")
}

// receive takes what is on a queue.
func (c cloud) receive(t *testing.T, queue string) []sqstypes.Message {
	t.Helper()
	received, err := c.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &queue, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return received.Messages
}

// consume does once what an event source mapping with ReportBatchItemFailures does: a batch goes to the function, what was
// processed is deleted, and the rest becomes visible again. It reports for each message whether it was processed.
func (c cloud) consume(t *testing.T, queue string, f function) []bool {
	t.Helper()
	messages := c.receive(t, queue)
	if len(messages) == 0 {
		return nil
	}
	var event events.SQSEvent
	for _, message := range messages {
		record := events.SQSMessage{
			MessageId: *message.MessageId, ReceiptHandle: *message.ReceiptHandle, Body: *message.Body,
			EventSource: "aws:sqs", AWSRegion: "eu-west-1", MessageAttributes: map[string]events.SQSMessageAttribute{},
		}
		for name, value := range message.MessageAttributes {
			record.MessageAttributes[name] = events.SQSMessageAttribute{StringValue: value.StringValue, DataType: *value.DataType}
		}
		event.Records = append(event.Records, record)
	}
	var answer struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(f.invoke(t, event), &answer); err != nil {
		t.Fatal(err)
	}
	processed := make([]bool, len(messages))
	for i, message := range messages {
		processed[i] = true
		for _, failure := range answer.Failures {
			processed[i] = processed[i] && failure.ID != *message.MessageId
		}
		var err error
		if processed[i] {
			_, err = c.queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: message.ReceiptHandle})
		} else {
			_, err = c.queues.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
				QueueUrl: &queue, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 0,
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return processed
}
