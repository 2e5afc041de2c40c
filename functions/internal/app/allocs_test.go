package app_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
)

// A warm request allocates little more than its call to upstream. The bound is there to notice work that every request would do
// twice.
func TestWarmRequestAllocates(t *testing.T) {
	const most = 135
	w := newWorld(t, worldConfig{log: io.Discard})
	upstream, call := upstreamCall(t, w)
	bare := fewestAllocations(func() {
		response, err := http.Post(upstream, "application/json", bytes.NewReader(call))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	})
	f := must(aws.New(aws.Config{Handler: w.app.Handler, Logger: w.app.Logger}))
	payload := eventtest.Payload(t, eventtest.AWS[0].Event(fixture.Sample()))
	whole := fewestAllocations(func() {
		if answer, err := f.Invoke(context.Background(), payload); err != nil || !bytes.Contains(answer, []byte(`\"total_coins\":1`)) {
			t.Fatalf("%v: %s", err, answer)
		}
	})
	t.Logf("%.0f allocations, %.0f of them for the call", whole, bare)
	if whole-bare > most {
		t.Errorf("%.0f allocations in addition to the %.0f of the call, want at most %d", whole-bare, bare, most)
	}
}

// fewestAllocations returns the allocations of the run with the fewest of many. Other goroutines may allocate during a run, and under
// the race detector a [sync.Pool] forgets some of what it is given, at random: both only add to the count.
func fewestAllocations(run func()) float64 {
	const runs = 200
	fewest := testing.AllocsPerRun(1, run)
	for range runs {
		fewest = min(fewest, testing.AllocsPerRun(1, run))
	}
	return fewest
}
