package awsapi_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
)

func TestGetSecretValue(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetSecret("app", "first")
	server.SetSecret("app", "second")
	server.StageSecret("app", "AWSPENDING", "third")
	server.SetSecretBinary("bytes", []byte{0, 1, 2})
	arn := server.SecretARN("app")
	current := getSecretValue(server, `{"SecretId":"app"}`).send(t, server)
	versionID, _ := current.body["VersionId"].(string)
	for _, test := range []struct {
		name, body, field, want string // field of the answer, or __type or message of an error
	}{
		{"name", `{"SecretId":"app"}`, "SecretString", "second"},
		{"its name", `{"SecretId":"app"}`, "Name", "app"},
		{"its ARN", `{"SecretId":"app"}`, "ARN", arn},
		{"ARN", `{"SecretId":"` + arn + `"}`, "SecretString", "second"},
		{"ARN without the last six", `{"SecretId":"` + strings.TrimSuffix(arn, "-AbCdEf") + `"}`, "SecretString", "second"},
		{"current", `{"SecretId":"app","VersionStage":"AWSCURRENT"}`, "SecretString", "second"},
		{"previous", `{"SecretId":"app","VersionStage":"AWSPREVIOUS"}`, "SecretString", "first"},
		{"pending", `{"SecretId":"app","VersionStage":"AWSPENDING"}`, "SecretString", "third"},
		{"version", `{"SecretId":"app","VersionId":"` + versionID + `"}`, "SecretString", "second"},
		{"version and its stage", `{"SecretId":"app","VersionId":"` + versionID + `","VersionStage":"AWSCURRENT"}`, "SecretString", "second"},
		{"version of another stage", `{"SecretId":"app","VersionId":"` + versionID + `","VersionStage":"AWSPENDING"}`, "__type", "ResourceNotFoundException"},
		{"binary", `{"SecretId":"bytes"}`, "SecretBinary", "AAEC"},
		{"unknown name", `{"SecretId":"nobody"}`, "__type", "ResourceNotFoundException"},
		{"ARN of another region", `{"SecretId":"` + strings.Replace(arn, "eu-west-1", "us-east-1", 1) + `"}`, "__type", "ResourceNotFoundException"},
		{"unknown stage", `{"SecretId":"app","VersionStage":"X"}`, "message", "Secrets Manager can't find the specified secret value for staging label: X"},
		{"no id", `{}`, "__type", "InvalidParameterException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := getSecretValue(server, test.body).send(t, server); got.body[test.field] != test.want {
				t.Errorf("%s = %v, want %s; all: %v", test.field, got.body[test.field], test.want, got.body)
			}
		})
	}
	if current.body["CreatedDate"] != float64(noon.Unix()) || current.header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("answer %v %v", current.header, current.body)
	}
}

func TestSendMessage(t *testing.T) {
	t.Parallel()
	server := start(t)
	for _, test := range []struct{ name, body, code, query string }{
		{"plain", `{"QueueUrl":"` + server.QueueURL("ends") + `","MessageBody":"hello","MessageAttributes":{"a":{"DataType":"String","StringValue":"b"}}}`, "", ""},
		{"fifo", `{"QueueUrl":"` + server.QueueURL("ends.fifo") + `","MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":"d","DelaySeconds":5}`, "", ""},
		{"fifo without group", `{"QueueUrl":"` + server.QueueURL("ends.fifo") + `","MessageBody":"hello"}`, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter;Sender"},
		{"no such queue", `{"QueueUrl":"` + server.URL + `/other/ends","MessageBody":"hello"}`, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"},
		{"no queue", `{"MessageBody":"hello"}`, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"},
		{"no body", `{"QueueUrl":"` + server.QueueURL("ends") + `"}`, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter;Sender"},
		{"too large", `{"QueueUrl":"` + server.QueueURL("ends") + `","MessageBody":"` + strings.Repeat("x", 1<<20+1) + `"}`, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
		{"not JSON", `QueueUrl=`, "SerializationException", ""},
	} {
		got := newCall(server, "AmazonSQS.SendMessage", "sqs", "application/x-amz-json-1.0", test.body).send(t, server)
		if got.code() != test.code || got.header.Get("X-Amzn-Query-Error") != test.query || (test.code == "") != (got.status == 200) {
			t.Errorf("%s: answer %d %v %v, want %q", test.name, got.status, got.header, got.body, test.code)
		}
		if test.code == "" && got.body["MD5OfMessageBody"] != "5d41402abc4b2a76b9719d911017c592" {
			t.Errorf("%s: answer %v", test.name, got.body)
		}
	}
	messages := server.Messages()
	if len(messages) != 2 || messages[0].Body != "hello" || messages[0].Attributes["a"] == nil || messages[0].MessageID == messages[1].MessageID {
		t.Fatalf("messages %+v", messages)
	}
	want := awsapi.Message{MessageID: messages[1].MessageID, QueueURL: server.QueueURL("ends.fifo"), Body: "hello", DelaySeconds: 5, GroupID: "g", DeduplicationID: "d"}
	if !reflect.DeepEqual(messages[1], want) {
		t.Errorf("message %+v, want %+v", messages[1], want)
	}
}

func TestPutEvents(t *testing.T) {
	t.Parallel()
	const entry = `{"EventBusName":"ends","Source":"giftstats","DetailType":"stream.summary","Detail":"{\"a\":1}","Resources":["r"],"Time":1700000000}`
	for _, test := range []struct {
		name, body, code string
		codes            []any // of the entries; nil for one that was taken
	}{
		{"one", `{"Entries":[` + entry + `]}`, "", []any{nil}},
		{"two", `{"Entries":[` + entry + `,` + entry + `]}`, "", []any{nil, nil}},
		{"one without source", `{"Entries":[` + entry + `,{"DetailType":"t","Detail":"{}"}]}`, "", []any{nil, "InvalidArgument"}},
		{"detail is no object", `{"Entries":[{"Source":"s","DetailType":"t","Detail":"[]"}]}`, "", []any{"MalformedDetail"}},
		{"none", `{"Entries":[]}`, "ValidationException", nil},
		{"eleven", `{"Entries":[` + strings.Repeat(entry+",", 10) + entry + `]}`, "ValidationException", nil},
		{"not JSON", `Entries`, "SerializationException", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			got := newCall(server, "AWSEvents.PutEvents", "events", "application/x-amz-json-1.1", test.body).send(t, server)
			entries, _ := got.body["Entries"].([]any)
			if got.code() != test.code || len(entries) != len(test.codes) {
				t.Fatalf("answer %d %v", got.status, got.body)
			}
			failed := 0
			for i, want := range test.codes {
				entry := entries[i].(map[string]any)
				if entry["ErrorCode"] != want || (entry["EventId"] == nil) != (want != nil) {
					t.Errorf("entry %d: %v, want %v", i, entry, want)
				}
				if want != nil {
					failed++
				}
			}
			if test.code == "" && (got.body["FailedEntryCount"] != float64(failed) || len(server.Events()) != len(entries)-failed) {
				t.Errorf("%v failed and %d are kept, want %d failed", got.body["FailedEntryCount"], len(server.Events()), failed)
			}
		})
	}
}

func TestRefuseEvents(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.RefuseEvents("ThrottlingException", "InternalFailure")
	body := `{"Entries":[{"EventBusName":"ends","Source":"s","DetailType":"t","Detail":"{}"}]}`
	for i, want := range []any{"ThrottlingException", "InternalFailure", nil} {
		got := newCall(server, "AWSEvents.PutEvents", "events", "application/x-amz-json-1.1", body).send(t, server)
		if entry := got.body["Entries"].([]any)[0].(map[string]any); got.status != 200 || entry["ErrorCode"] != want {
			t.Errorf("call %d: %d %v, want %v", i, got.status, got.body, want)
		}
	}
	events := server.Events()
	if len(events) != 1 {
		t.Fatalf("events %+v", events)
	}
	if want := (awsapi.Event{ID: events[0].ID, Bus: "ends", Source: "s", DetailType: "t", Detail: "{}"}); !reflect.DeepEqual(events[0], want) {
		t.Errorf("event %+v, want %+v", events[0], want)
	}
}

func ExampleServer() {
	server := awsapi.New(awsapi.Config{})
	defer server.Close()
	server.SetSecret("app", `{"sdk_app_id":1400000000}`)
	server.Misbehave(awsapi.Fault{Action: "GetSecretValue", Code: "ThrottlingException"})
	// A client that is made from server.Environment() is refused once, and then gets the secret.
	fmt.Println(server.Lookup("AWS_REGION"), server.Lookup("AWS_ENDPOINT_URL") == server.URL, server.Calls("GetSecretValue"))
	// Output: eu-west-1 true 0
}
