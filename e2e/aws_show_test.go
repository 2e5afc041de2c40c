//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/ledger"
	ledgerdynamodb "github.com/giftstats/giftstats/pkg/ledger/dynamodb"
)

// Two shows on AWS: webhooks through the HTTP API, ends over SQS, the ledger in DynamoDB.
func TestShowOnAWS(t *testing.T) {
	t.Parallel()
	inTime(t, testShowOnAWS)
}

func testShowOnAWS(t *testing.T) {
	s, cloud := newStage(t), newCloud(t)
	cloud.createSecret(t, fixture.Document(fixture.SecretKey))
	cloud.createTable(t, "giftstats")
	ends := cloud.createQueue(t, "ends", nil)
	environment := maps.Clone(cloud.environment)
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://giftstats", "GIFTSTATS_ENDPOINT": s.endpoint,
		"GIFTSTATS_LEDGER": "dynamodb://giftstats", "GIFTSTATS_QUEUE": queue(ends), "GIFTSTATS_DELIVER": s.customer.URL,
		"GIFTSTATS_LOG_LEVEL": "debug",
	})
	api, streamEnd := newFunction(t, "aws-api.zip", environment), newFunction(t, "aws-streamend.zip", environment)

	store, err := ledgerdynamodb.New(ledgerdynamodb.Config{Table: "giftstats", Environment: cloud.from(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.ledger = newLedger(t, store)
	s.ask = func(r eventtest.Request) eventtest.Answer {
		return eventtest.Read(t, api.invoke(t, eventtest.AWS[0].Event(r)))
	}
	s.report = func(event string) { cloud.send(t, ends, event) }
	s.work = func() {
		for processed := cloud.consume(t, ends, streamEnd); len(processed) > 0; processed = cloud.consume(t, ends, streamEnd) {
			if slices.Contains(processed, false) {
				t.Fatalf("an event failed:\n%s", streamEnd.Output())
			}
		}
	}
	s.sweep = func() { streamEnd.invoke(t, map[string]bool{"sweep": true}) }
	s.output = func() string { return api.Output() + streamEnd.Output() }
	s.test(t)
	for _, secret := range append(fixture.Secrets(), environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]) {
		if strings.Contains(s.output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

func newLedger(t *testing.T, store ledger.Store) *ledger.Ledger {
	t.Helper()
	l, err := ledger.New(ledger.Config{Store: store, Retention: time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
