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
	"time"

	"github.com/giftstats/giftstats/internal/fakes/process"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// The two packages under Lambda's Runtime Interface Emulator, with moto's Secrets Manager, SQS and EventBridge: from the secret
// and a request to an answer, and from a webhook over the queue to every kind of receiver.
func TestAWS(t *testing.T) { inTime(t, testAWS) }

func testAWS(t *testing.T) {
	engine, upstream := fixture.Engine(t, nil)
	cloud := newCloud(t)
	cloud.createSecret(t, fixture.Document(fixture.SecretKey))
	dead := cloud.createQueue(t, "dead", nil)
	aside := cloud.createQueue(t, "aside", nil)
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
		if err := api.WaitOutput(t.Context(), `"secret read"`, 1); err != nil {
			t.Fatal(err)
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
			if err := json.Unmarshal(body, &summary); err != nil {
				t.Fatalf("%s received %s: %v", from, body, err)
			}
			if summary.Data.RoomID != "room_id" || !summary.Data.Complete {
				t.Errorf("%s received %s, want a complete summary of room_id", from, body)
			}
			if accounts := summary.Data.Accounts; len(accounts) != 1 || accounts[0].Account != "user1" || accounts[0].Coins != 1 {
				t.Errorf("%s received %s, want one coin of user1", from, body)
			}
		}
	})
	t.Run("poison goes to the dead letters, and what came with it does not", func(t *testing.T) {
		cloud.send(t, ends, "poison")
		cloud.send(t, ends, `{"event_id":"e-2","room_id":"room_id"}`)
		var processed, failed int
		for range 10 { // more often than necessary: what moto has just received again may be invisible for a moment
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
	t.Run("what a receiver refuses is a dead letter at once, and is delivered when it is moved back", func(t *testing.T) {
		environment := maps.Clone(environment)
		environment["GIFTSTATS_DELIVER"], environment["GIFTSTATS_DEAD_LETTERS"] = customer.URL, queue(aside)
		putting := newFunction(t, "aws-streamend.zip", environment)
		customer.Answer(http.StatusGone)
		cloud.send(t, ends, `{"event_id":"e-3","room_id":"room_id"}`)
		before, _ := customer.Delivered()
		if got := cloud.consume(t, ends, putting); !slices.Equal(got, []bool{true}) {
			t.Errorf("from the queue came %v, want one that was processed", got)
		}
		if got := cloud.consume(t, ends, putting); len(got) != 0 {
			t.Errorf("the queue still has %d messages", len(got))
		}
		customer.Answer(http.StatusOK)
		cloud.move(t, aside, ends)
		if got := cloud.consume(t, ends, putting); !slices.Equal(got, []bool{true}) {
			t.Errorf("from the queue came %v, want the dead letter, which was processed", got)
		}
		after, _ := customer.Delivered()
		if got := after[len(before):]; !slices.Equal(got, []string{"e-3", "e-3"}) {
			t.Errorf("the customer was sent %q, want the summary once before and once after", got)
		}
		if letters := cloud.receive(t, aside); len(letters) != 0 {
			t.Errorf("the dead letters are %+v", letters)
		}
	})
	t.Run("the program of the page moves a dead letter of SQS with its id", func(t *testing.T) {
		environment := maps.Clone(environment)
		environment["GIFTSTATS_DELIVER"] = customer.URL
		failing := newFunction(t, "aws-streamend.zip", environment)
		before, _ := customer.Delivered()
		customer.Answer(http.StatusServiceUnavailable)
		cloud.send(t, ends, `{"room_id":"room_id"}`)
		for range 3 { // the third time, SQS moves it
			cloud.consume(t, ends, failing)
		}
		customer.Answer(http.StatusOK)
		cloud.run(t, programOn(t, "../docs/operations.md", "move.py"), dead, ends)
		if got := cloud.consume(t, ends, failing); !slices.Equal(got, []bool{true}) {
			t.Fatalf("from the queue came %v, want the dead letter, which was processed", got)
		}
		after, _ := customer.Delivered()
		ids := after[len(before):]
		if distinct := slices.Compact(slices.Clone(ids)); len(ids) < 3 || len(distinct) != 1 {
			t.Errorf("the customer was sent %q, want one id before and after", ids)
		}
		if letters := cloud.receive(t, dead); len(letters) != 0 {
			t.Errorf("the dead letters are %+v", letters)
		}
	})
	for _, secret := range append(fixture.Secrets(), environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]) {
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
	defer logIfSlow(t, "an invocation", time.Now())
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
