//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	ledgerredis "github.com/giftstats/giftstats/pkg/ledger/redis"
)

// Two shows on Tencent Cloud: webhooks through the function URL, ends as asynchronous invocations, the ledger in Redis.
func TestShowOnTencent(t *testing.T) {
	t.Parallel()
	inTime(t, testShowOnTencent)
}

func testShowOnTencent(t *testing.T) {
	s, cloud := newStage(t), tencentapi.New(tencentapi.Config{})
	t.Cleanup(cloud.Close)
	cloud.SetSecret("giftstats", "v1", fixture.Document(fixture.SecretKey))
	redis := startRedis(t, "")
	environment := map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://giftstats?version=v1&endpoint=" + cloud.URL, "GIFTSTATS_ENDPOINT": s.endpoint,
		"GIFTSTATS_LEDGER": "redis://" + redis + "/0", "GIFTSTATS_QUEUE": "scf://streamend?endpoint=" + cloud.URL,
		"GIFTSTATS_DELIVER": s.customer.URL, "GIFTSTATS_LOG_LEVEL": "debug",
	}
	folder := unzipped(t, "tencent.zip", "api", "streamend")
	api := startSCF(t, filepath.Join(folder, "api"), environment)
	streamEnd := startSCF(t, filepath.Join(folder, "streamend"), environment)
	invoke := func(function *scfruntime.Runtime, payload []byte) []byte {
		t.Helper()
		return invokeSCF(t, function, payload, cloud.Environment())
	}

	store, err := ledgerredis.New(ledgerredis.Config{Name: redis + "/0", Secrets: login(fixture.AppID), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s.ledger = newLedger(t, store)
	s.ask = func(r eventtest.Request) eventtest.Answer {
		return eventtest.Read(t, invoke(api, eventtest.Payload(t, eventtest.Tencent[0].Event(r))))
	}
	s.report = func(event string) { invoke(streamEnd, []byte(event)) }
	processed := 0
	s.work = func() {
		for _, invocation := range cloud.Invocations()[processed:] {
			invoke(streamEnd, []byte(invocation.ClientContext))
			processed++
		}
	}
	s.sweep = func() { invoke(streamEnd, []byte(`{"sweep":true}`)) }
	s.output = func() string { return api.Output() + streamEnd.Output() }
	s.test(t)
	for _, secret := range fixture.Secrets() {
		if strings.Contains(s.output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}
