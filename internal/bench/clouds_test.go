package bench

import (
	"context"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/fakes/process"
	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/ledger/redis"
	"github.com/giftstats/giftstats/pkg/secret"
)

// remembering is an api function of a cloud with a ledger.
type remembering struct {
	name  string // of the store
	pid   int    // of the function
	real  bool   // false for miniredis, which is too slow for many gifts
	store ledger.Store
	ask   func(eventtest.Request) eventtest.Answer
}

// onAWS returns the api function for Lambda with the fake of DynamoDB.
func onAWS(b *testing.B) remembering {
	_, upstream := fixture.Engine(b, nil)
	cloud := fixture.AWS(b)
	cloud.CreateTable("giftstats", map[string]string{"open": "open"})
	store, err := dynamodb.New(dynamodb.Config{Table: "giftstats", Environment: awsenv.New(cloud.Lookup), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LEDGER": "dynamodb://giftstats",
	})
	binary := build.Program(b, build.Functions+"aws/api", "lambda.norpc")
	function, err := lambdaruntime.Start(b.Context(), lambdaruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(function.Close)
	return remembering{"DynamoDB", function.PID(), true, store, func(r eventtest.Request) eventtest.Answer {
		reply, err := function.Invoke(b.Context(), eventtest.Payload(b, eventtest.AWS[0].Event(r)))
		if err != nil || reply.ErrorType != "" {
			b.Fatalf("%v: %+v\n%s", err, reply, function.Output())
		}
		return eventtest.Read(b, reply.Payload)
	}}
}

// onSCF returns the api function for SCF with Redis.
func onSCF(b *testing.B) remembering {
	_, upstream := fixture.Engine(b, nil)
	cloud := fixture.Tencent(b)
	address, real := startRedis(b)
	name := address + "/0"
	store, err := redis.New(redis.Config{Name: name, Secrets: secrettest.NewCache(secret.Config{Store: document{}}), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	environment := map[string]string{
		"GIFTSTATS_SECRET":   "tencentssm://app?version=v1&endpoint=" + cloud.URL,
		"GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LEDGER": "redis://" + name,
	}
	binary := build.Program(b, build.Functions+"tencent/api", "")
	function, err := scfruntime.Start(b.Context(), scfruntime.Config{Binary: binary, Environment: environment, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(function.Close)
	return remembering{"Redis", function.PID(), real, store, func(r eventtest.Request) eventtest.Answer {
		payload := eventtest.Payload(b, eventtest.Tencent[0].Event(r))
		reply, err := function.Invoke(b.Context(), payload, scfruntime.Options{Environment: cloud.Environment()})
		if err != nil || reply.ErrorType != "" {
			b.Fatalf("%v: %+v\n%s", err, reply, function.Output())
		}
		return eventtest.Read(b, reply.Payload)
	}}
}

// document is the secret store of the app.
type document struct{}

// Fetch returns the document.
func (document) Fetch(context.Context) ([]byte, error) {
	return []byte(fixture.Document(fixture.SecretKey)), nil
}

// startRedis starts the redis-server that make e2e installs, or the one on PATH, and returns its address. If there is none, miniredis
// takes its place, and real is false.
func startRedis(b *testing.B) (address string, real bool) {
	path, found := redisServer(b)
	if !found {
		server := miniredis.RunT(b)
		server.RequireUserAuth(fixture.LedgerUser, fixture.LedgerPassword)
		return server.Addr(), false
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	listener.Close()
	address = listener.Addr().String()
	host, port, _ := strings.Cut(address, ":")
	server, err := process.Start(path, []string{
		"--bind", host, "--port", port, "--save", "", "--dir", b.TempDir(),
		"--user", fixture.LedgerUser, "on", ">" + fixture.LedgerPassword, "~*", "+@all",
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Stop(5 * time.Second) })
	if err := server.WaitOutput(b.Context(), "Ready to accept connections", 1); err != nil {
		b.Fatal(err)
	}
	return address, true
}

// redisServer returns the path of a redis-server.
func redisServer(b *testing.B) (path string, found bool) {
	path, err := filepath.Abs("../../.tools/redis/bin/redis-server")
	if err != nil {
		b.Fatal(err)
	}
	if _, err = os.Stat(path); err != nil {
		path, err = exec.LookPath("redis-server")
	}
	return path, err == nil
}
