//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/giftstats/giftstats/internal/fakes/process"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
)

// The two packages under Lambda's Runtime Interface Emulator, with moto's Secrets Manager, SQS and EventBridge: from the secret
// and a request to an answer, and from a webhook over the queue to every kind of receiver.
func TestAWS(t *testing.T) {
	engine, upstream := fixture.Engine(t, nil)
	cloud := newCloud(t)
	cloud.createSecret(t, fixture.Document(fixture.SecretKey))
	dead := cloud.createQueue(t, "dead", nil)
	ends := cloud.createQueue(t, "ends", map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":2}`,
	})
	results := cloud.createQueue(t, "results", nil)
	fromBus := cloud.createQueue(t, "from-bus", nil)
	cloud.createBus(t, "results", "arn:aws:sqs:eu-west-1:123456789012:from-bus")
	customer := fixture.NewCustomer(t)

	environment := maps.Clone(cloud.environment)
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://giftstats", "GIFTSTATS_ENDPOINT": upstream,
		"GIFTSTATS_QUEUE": queue(ends), "GIFTSTATS_LOG_LEVEL": "debug",
	})
	api := newFunction(t, "aws-api.zip", environment)
	delete(environment, "GIFTSTATS_QUEUE")
	environment["GIFTSTATS_DELIVER"] = "log://," + customer.URL + "," + queue(results) + ",eventbridge://results"
	streamEnd := newFunction(t, "aws-streamend.zip", environment)

	t.Run("a request is answered, through each gateway", func(t *testing.T) {
		for _, form := range eventtest.AWS {
			t.Run(form.Name, func(t *testing.T) {
				fixture.WantSample(t, eventtest.Read(t, api.invoke(t, form.Event(fixture.Sample()))))
			})
		}
		if got := strings.Count(api.Output(), `"secret read"`); got != 1 {
			t.Errorf("the secret was read %d times, want once", got)
		}
	})
	t.Run("the version is that of the checkout", func(t *testing.T) {
		request := eventtest.Request{Path: "/healthz", Header: map[string]string{"Host": "example.com"}}
		answer := eventtest.Read(t, api.invoke(t, eventtest.AWS[0].Event(request)))
		var health struct{ Status, Version string }
		if err := json.Unmarshal([]byte(answer.Body), &health); err != nil || answer.Status != 200 {
			t.Fatalf("%v: %+v", err, answer)
		}
		if health.Version == "" || health.Version == "devel" {
			t.Errorf("version = %q", health.Version)
		}
	})
	t.Run("rotating the key needs no restart", func(t *testing.T) {
		const key = "another-not-real-key"
		cloud.rotateSecret(t, fixture.Document(key))
		if err := engine.SetSecretKey(key); err != nil {
			t.Fatal(err)
		}
		fixture.WantSample(t, eventtest.Read(t, api.invoke(t, eventtest.AWS[0].Event(fixture.Sample()))))
		if strings.Contains(api.Output(), key) {
			t.Error("the new key is in the output")
		}
	})
	t.Run("a webhook ends in a summary for every receiver", func(t *testing.T) {
		answer := eventtest.Read(t, api.invoke(t, eventtest.AWS[0].Event(fixture.LiveWebhook("room_id"))))
		if answer.Status != 200 {
			t.Fatalf("%+v", answer)
		}
		if got := cloud.consume(t, ends, streamEnd); !slices.Equal(got, []bool{true}) {
			t.Fatalf("from the queue came %v, want one that was processed", got)
		}
		byBus := cloud.receive(t, fromBus)
		if len(byBus) != 1 {
			t.Fatalf("%d events came over the bus, want 1", len(byBus))
		}
		var event struct {
			Detail json.RawMessage
			Type   string `json:"detail-type"`
		}
		if err := json.Unmarshal([]byte(*byBus[0].Body), &event); err != nil || event.Type != "stream.summary" {
			t.Errorf("%v: %s", err, *byBus[0].Body)
		}
		byQueue := cloud.receive(t, results)
		if len(byQueue) != 1 {
			t.Fatalf("%d messages are on the queue, want 1", len(byQueue))
		}
		_, byHTTPS := customer.Delivered()
		for from, body := range map[string][]byte{"the customer": byHTTPS, "the queue": []byte(*byQueue[0].Body), "the bus": event.Detail} {
			var summary struct {
				Data struct {
					RoomID   string `json:"room_id"`
					Complete bool
					Accounts []struct {
						Account string
						Coins   int64 `json:"total_coins"`
					}
				}
			}
			if err := json.Unmarshal(body, &summary); err != nil || summary.Data.RoomID != "room_id" || !summary.Data.Complete ||
				len(summary.Data.Accounts) != 1 || summary.Data.Accounts[0].Account != "user1" || summary.Data.Accounts[0].Coins != 1 {
				t.Errorf("%s has: %v: %s", from, err, body)
			}
		}
	})
	t.Run("poison goes to the dead letters, and what came with it does not", func(t *testing.T) {
		cloud.send(t, ends, "poison")
		cloud.send(t, ends, `{"event_id":"e-2","room_id":"room_id"}`)
		var processed, failed int
		for range 4 {
			for _, ok := range cloud.consume(t, ends, streamEnd) {
				if ok {
					processed++
				} else {
					failed++
				}
			}
		}
		if processed != 1 || failed != 2 {
			t.Errorf("%d processed, %d failed, want 1 and 2", processed, failed)
		}
		if letters := cloud.receive(t, dead); len(letters) != 1 || *letters[0].Body != "poison" {
			t.Errorf("the dead letters are %+v", letters)
		}
	})
	for _, secret := range []string{
		fixture.SecretKey, fixture.APIKey, fixture.LiveToken, fixture.DeliveryKey,
		environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"],
	} {
		if strings.Contains(api.Output()+streamEnd.Output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

// queue is the location of a queue, as the settings name it.
func queue(url string) string { return "sqs://" + strings.TrimPrefix(url, "http://") }

// function is a package under the emulator.
type function struct {
	*process.Process
	url string
}

// newFunction starts the bootstrap of a package under the emulator that comes with the sam command.
func newFunction(t *testing.T, name string, environment map[string]string) function {
	t.Helper()
	processor, ok := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if !ok {
		t.Fatalf("no emulator for %s", runtime.GOARCH)
	}
	emulators, err := filepath.Glob(python(t, "../lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-"+processor))
	if err != nil || len(emulators) != 1 {
		t.Fatalf("aws-sam-cli holds %d emulators for %s, want 1: %v", len(emulators), processor, err)
	}
	at := addresses(t, 2)
	bootstrap := filepath.Join(unzipped(t, name, "bootstrap"), "bootstrap")
	emulator := start(t, environment, emulators[0], "--runtime-interface-emulator-address", at[0], "--runtime-api-address", at[1], bootstrap)
	await(t, at[0], emulator)
	return function{emulator, "http://" + at[0] + "/2015-03-31/functions/function/invocations"}
}

// invoke returns the function's answer to an event.
func (f function) invoke(t *testing.T, event any) []byte {
	t.Helper()
	answer, err := http.Post(f.url, "application/json", bytes.NewReader(eventtest.Payload(t, event)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || bytes.Contains(body, []byte(`"errorType"`)) {
		t.Fatalf("%v: %s: %s", err, answer.Status, body)
	}
	return body
}

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
	from := awsenv.New(func(name string) string { return c.environment[name] })
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

// receive takes what is on a queue.
func (c cloud) receive(t *testing.T, queue string) []sqstypes.Message {
	t.Helper()
	received, err := c.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10})
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
	type record struct {
		MessageID     string `json:"messageId"`
		ReceiptHandle string `json:"receiptHandle"`
		Body          string `json:"body"`
		EventSource   string `json:"eventSource"`
		Region        string `json:"awsRegion"`
	}
	var event struct{ Records []record }
	for _, message := range messages {
		event.Records = append(event.Records, record{*message.MessageId, *message.ReceiptHandle, *message.Body, "aws:sqs", "eu-west-1"})
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
