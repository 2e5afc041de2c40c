package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

// batch sends a batch of n queries, all of which must succeed, and returns how long the answer took.
func (w *world) batch(t *testing.T, n int) time.Duration {
	t.Helper()
	queries := strings.Repeat(`,{"room_id":"room_id","account":"user1"}`, n)[1:]
	started := time.Now()
	response := w.ask(eventtest.Request{
		Method: "POST", Path: "/v1/gift-stats", Header: bearer(fixture.APIKey), Body: `{"queries":[` + queries + `]}`,
	})
	var answer struct{ Succeeded int }
	if err := json.Unmarshal(response.Body.Bytes(), &answer); err != nil || answer.Succeeded != n {
		t.Errorf("%d of %d queries succeeded: %v: %s", answer.Succeeded, n, err, response.Body)
	}
	return time.Since(started)
}

func TestSharedRate(t *testing.T) {
	for _, test := range []struct {
		name   string
		own    string
		ledger ledger.Store
		most   time.Duration
		failed bool
	}{
		{name: "of a ledger", own: "0.1", ledger: memory.New(time.Now), most: time.Minute}, // its own rate alone would take three
		{name: "of a ledger that is down", own: "20", most: time.Minute, failed: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldConfig{ledger: test.ledger, variables: []string{
				"GIFTSTATS_LEDGER=dynamodb://table", "GIFTSTATS_RATE_LIMIT=" + test.own, "GIFTSTATS_RATE_SHARED=500",
			}})
			if took := w.batch(t, 20); took > test.most {
				t.Errorf("the batch took %v", took)
			}
			want := `"level":"WARN","msg":"shared rate not available; using this instance's own"`
			if failed := strings.Contains(w.log.String(), want); failed != test.failed {
				t.Errorf("the log has a line about the shared rate: %v, want %v:\n%s", failed, test.failed, w.log)
			}
			if counted := strings.Contains(w.log.String(), `{"Name":"rate_shared_errors","Unit":"Count"}`); counted != test.failed {
				t.Errorf("the log has the metric: %v, want %v", counted, test.failed)
			}
		})
	}
}

func TestNothingIsSharedWithoutALedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{variables: []string{"GIFTSTATS_RATE_LIMIT=50", "GIFTSTATS_RATE_SHARED=75"}})
	w.batch(t, 20)
}
