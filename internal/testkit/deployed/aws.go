// Package deployed runs the program of the current test's package in a process of its own, under a fake of its cloud's runtime, with a
// simulated live engine and fakes of the services that it calls. What cannot be set up fails the test.
package deployed

import (
	"maps"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// AWS is a program for AWS Lambda, and what it calls.
type AWS struct {
	*lambdaruntime.Runtime // nil before Start

	Engine    *simulator.Engine
	EngineURL string
	Cloud     *awsapi.Server
}

// NewAWS starts what the program calls. The secret "app" of Secrets Manager has the document of the simulated app.
func NewAWS(t testing.TB) *AWS {
	t.Helper()
	a := &AWS{Cloud: fixture.AWS(t)}
	a.Engine, a.EngineURL = fixture.Engine(t, nil)
	return a
}

// Start starts the program. The given variables are added to those that lead to the fakes, and override them.
func (a *AWS) Start(t testing.TB, variables map[string]string) {
	t.Helper()
	environment := a.Cloud.Environment()
	environment["GIFTSTATS_SECRET"] = "awssecretsmanager://app"
	environment["GIFTSTATS_ENDPOINT"] = a.EngineURL
	environment["GIFTSTATS_TIMEOUT"] = attemptPatience
	maps.Copy(environment, variables)
	var err error
	a.Runtime, err = startAWS(t, lambdaruntime.Config{Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Runtime.Close)
}

// StartErrorAWS returns the error that the program ends with when it is started with these variables alone.
func StartErrorAWS(t testing.TB, variables map[string]string) error {
	t.Helper()
	runtime, err := startAWS(t, lambdaruntime.Config{Environment: variables})
	if err == nil {
		runtime.Close()
	}
	return err
}

func startAWS(t testing.TB, config lambdaruntime.Config) (*lambdaruntime.Runtime, error) {
	t.Helper()
	config.Binary = program.Binary(t, "lambda.norpc")
	config.Environment = endAtDataRace(config.Environment)
	config.Timeout = patience
	return lambdaruntime.Start(t.Context(), config)
}

// Queue returns the setting for the queue of this name.
func (a *AWS) Queue(name string) string {
	return "sqs://" + strings.TrimPrefix(a.Cloud.QueueURL(name), "http://")
}

// Reply returns the reply to an event. The reply may be an error of the invocation.
func (a *AWS) Reply(t testing.TB, payload []byte) lambdaruntime.Reply {
	t.Helper()
	reply, err := a.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("%v\n%s", err, a.Output())
	}
	return reply
}

// Answer returns the HTTP response to an event, and fails the test if the invocation fails.
func (a *AWS) Answer(t testing.TB, payload []byte) eventtest.Answer {
	t.Helper()
	reply := a.Reply(t, payload)
	if reply.ErrorType != "" {
		t.Fatalf("the invocation failed: %+v\n%s", reply, a.Output())
	}
	return eventtest.Read(t, reply.Payload)
}

// Secrets returns what must not appear in any output: the secrets of the app and the credentials of the function.
func (a *AWS) Secrets() []string {
	credentials := a.Cloud.Environment()
	return append(appSecrets(), credentials["AWS_SECRET_ACCESS_KEY"], credentials["AWS_SESSION_TOKEN"])
}
