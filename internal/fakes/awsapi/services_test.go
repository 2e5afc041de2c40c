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
		{name: "name", body: `{"SecretId":"app"}`, field: "SecretString", want: "second"},
		{name: "its name", body: `{"SecretId":"app"}`, field: "Name", want: "app"},
		{name: "its ARN", body: `{"SecretId":"app"}`, field: "ARN", want: arn},
		{name: "ARN", body: `{"SecretId":"` + arn + `"}`, field: "SecretString", want: "second"},
		{
			name:  "ARN without the last six",
			body:  `{"SecretId":"` + strings.TrimSuffix(arn, "-AbCdEf") + `"}`,
			field: "SecretString",
			want:  "second",
		},
		{name: "current", body: `{"SecretId":"app","VersionStage":"AWSCURRENT"}`, field: "SecretString", want: "second"},
		{name: "previous", body: `{"SecretId":"app","VersionStage":"AWSPREVIOUS"}`, field: "SecretString", want: "first"},
		{name: "pending", body: `{"SecretId":"app","VersionStage":"AWSPENDING"}`, field: "SecretString", want: "third"},
		{name: "version", body: `{"SecretId":"app","VersionId":"` + versionID + `"}`, field: "SecretString", want: "second"},
		{
			name:  "version and its stage",
			body:  `{"SecretId":"app","VersionId":"` + versionID + `","VersionStage":"AWSCURRENT"}`,
			field: "SecretString",
			want:  "second",
		},
		{
			name:  "version of another stage",
			body:  `{"SecretId":"app","VersionId":"` + versionID + `","VersionStage":"AWSPENDING"}`,
			field: "__type",
			want:  "ResourceNotFoundException",
		},
		{name: "binary", body: `{"SecretId":"bytes"}`, field: "SecretBinary", want: "AAEC"},
		{name: "unknown name", body: `{"SecretId":"nobody"}`, field: "__type", want: "ResourceNotFoundException"},
		{
			name:  "ARN of another region",
			body:  `{"SecretId":"` + strings.Replace(arn, "eu-west-1", "us-east-1", 1) + `"}`,
			field: "__type",
			want:  "ResourceNotFoundException",
		},
		{
			name:  "unknown stage",
			body:  `{"SecretId":"app","VersionStage":"X"}`,
			field: "message",
			want:  "Secrets Manager can't find the specified secret value for staging label: X",
		},
		{name: "no id", body: `{}`, field: "__type", want: "InvalidParameterException"},
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
		{
			name: "plain",
			body: `{"QueueUrl":"` + server.QueueURL("ends") + `","MessageBody":"hello",` +
				`"MessageAttributes":{"a":{"DataType":"String","StringValue":"b"}}}`,
		},
		{
			name: "fifo",
			body: `{"QueueUrl":"` + server.QueueURL("ends.fifo") + `","MessageBody":"hello",` +
				`"MessageGroupId":"g","MessageDeduplicationId":"d","DelaySeconds":5}`,
		},
		{
			name:  "fifo without group",
			body:  `{"QueueUrl":"` + server.QueueURL("ends.fifo") + `","MessageBody":"hello"}`,
			code:  "com.amazon.coral.service#MissingRequiredParameterException",
			query: "MissingParameter;Sender",
		},
		{
			name:  "no such queue",
			body:  `{"QueueUrl":"` + server.URL + `/other/ends","MessageBody":"hello"}`,
			code:  "com.amazonaws.sqs#QueueDoesNotExist",
			query: "AWS.SimpleQueueService.NonExistentQueue;Sender",
		},
		{
			name:  "no queue",
			body:  `{"MessageBody":"hello"}`,
			code:  "com.amazonaws.sqs#QueueDoesNotExist",
			query: "AWS.SimpleQueueService.NonExistentQueue;Sender",
		},
		{
			name:  "no body",
			body:  `{"QueueUrl":"` + server.QueueURL("ends") + `"}`,
			code:  "com.amazon.coral.service#MissingRequiredParameterException",
			query: "MissingParameter;Sender",
		},
		{
			name:  "too large",
			body:  `{"QueueUrl":"` + server.QueueURL("ends") + `","MessageBody":"` + strings.Repeat("x", 1<<20+1) + `"}`,
			code:  "com.amazon.coral.service#InvalidParameterValueException",
			query: "InvalidParameterValue;Sender",
		},
		{name: "not JSON", body: `QueueUrl=`, code: "SerializationException"},
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
	if len(messages) != 2 {
		t.Fatalf("%d messages, want 2: %+v", len(messages), messages)
	}
	if first := messages[0]; first.Body != "hello" || first.Attributes["a"] == nil {
		t.Errorf("the first message is %+v", first)
	}
	if messages[0].MessageID == messages[1].MessageID {
		t.Errorf("both messages have the id %s", messages[0].MessageID)
	}
	want := awsapi.Message{
		MessageID: messages[1].MessageID, QueueURL: server.QueueURL("ends.fifo"), Body: "hello",
		DelaySeconds: 5, GroupID: "g", DeduplicationID: "d",
	}
	if !reflect.DeepEqual(messages[1], want) {
		t.Errorf("message %+v, want %+v", messages[1], want)
	}
}

func TestPutEvents(t *testing.T) {
	t.Parallel()
	const entry = `{"EventBusName":"ends","Source":"giftstats","DetailType":"stream.summary","Detail":"{\"a\":1}",` +
		`"Resources":["r"],"Time":1700000000}`
	for _, test := range []struct {
		name, body, code string
		codes            []any // of the entries; nil for one that was taken
	}{
		{name: "one", body: `{"Entries":[` + entry + `]}`, codes: []any{nil}},
		{name: "two", body: `{"Entries":[` + entry + `,` + entry + `]}`, codes: []any{nil, nil}},
		{
			name:  "one without source",
			body:  `{"Entries":[` + entry + `,{"DetailType":"t","Detail":"{}"}]}`,
			codes: []any{nil, "InvalidArgument"},
		},
		{
			name:  "detail is no object",
			body:  `{"Entries":[{"Source":"s","DetailType":"t","Detail":"[]"}]}`,
			codes: []any{"MalformedDetail"},
		},
		{name: "none", body: `{"Entries":[]}`, code: "ValidationException"},
		{name: "eleven", body: `{"Entries":[` + strings.Repeat(entry+",", 10) + entry + `]}`, code: "ValidationException"},
		{name: "not JSON", body: `Entries`, code: "SerializationException"},
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
