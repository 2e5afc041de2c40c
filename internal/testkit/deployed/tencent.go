package deployed

import (
	"maps"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// Tencent is a program for Tencent SCF, and what it calls.
type Tencent struct {
	*scfruntime.Runtime // nil before Start

	Engine    *simulator.Engine
	EngineURL string
	Cloud     *tencentapi.Server
}

// NewTencent starts what the program calls. Version v1 of the secret "app" of SSM has the document of the simulated app.
func NewTencent(t testing.TB) *Tencent {
	t.Helper()
	c := &Tencent{Cloud: fixture.Tencent(t)}
	c.Engine, c.EngineURL = fixture.Engine(t, nil)
	return c
}

// Start starts the program. The given variables are added to those that lead to the fakes, and override them.
func (c *Tencent) Start(t testing.TB, variables map[string]string) {
	t.Helper()
	environment := map[string]string{
		"GIFTSTATS_SECRET": SecretAt(c.Cloud.URL), "GIFTSTATS_ENDPOINT": c.EngineURL, "GIFTSTATS_TIMEOUT": attemptPatience,
	}
	maps.Copy(environment, variables)
	var err error
	c.Runtime, err = startTencent(t, environment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Runtime.Close)
}

// StartErrorTencent returns the error that the program ends with when it is started with these variables alone.
func StartErrorTencent(t testing.TB, variables map[string]string) error {
	t.Helper()
	runtime, err := startTencent(t, variables)
	if err == nil {
		runtime.Close()
	}
	return err
}

func startTencent(t testing.TB, environment map[string]string) (*scfruntime.Runtime, error) {
	t.Helper()
	return scfruntime.Start(t.Context(), scfruntime.Config{
		Binary: program.Binary(t, ""), Environment: endAtDataRace(environment), Timeout: patience,
	})
}

// SecretAt returns the setting for the secret of the app at the given endpoint of SSM.
func SecretAt(endpoint string) string { return "tencentssm://app?version=v1&endpoint=" + endpoint }

// Role returns the options of an invocation with the current credentials of the function's role.
func (c *Tencent) Role() scfruntime.Options {
	return scfruntime.Options{Environment: c.Cloud.Environment()}
}

// Reply returns the reply to an event. The reply may be an error of the invocation.
func (c *Tencent) Reply(t testing.TB, payload []byte, options scfruntime.Options) scfruntime.Reply {
	t.Helper()
	reply, err := c.Invoke(t.Context(), payload, options)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.Output())
	}
	return reply
}

// Answer returns the HTTP response to an event, and fails the test if the invocation fails.
func (c *Tencent) Answer(t testing.TB, payload []byte, options scfruntime.Options) eventtest.Answer {
	t.Helper()
	reply := c.Reply(t, payload, options)
	if reply.ErrorType != "" {
		t.Fatalf("the invocation failed: %+v\n%s", reply, c.Output())
	}
	return eventtest.Read(t, reply.Payload)
}

// Secrets returns what must not appear in any output: the secrets of the app and the credentials of the function's role.
func (c *Tencent) Secrets() []string {
	credentials := c.Cloud.Environment()
	return append(appSecrets(), credentials["TENCENTCLOUD_SECRETKEY"], credentials["TENCENTCLOUD_SESSIONTOKEN"])
}
