package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

const (
	fleetSize     = 20
	batchers      = 18 // instances that get batches
	largestBatch  = 200
	loadTime      = time.Minute
	betweenSingle = time.Second // for each instance, on average
)

// BenchmarkShared measures the shared rate: the calls of many instances together, what one instance gets alone, and what is left without
// the ledger.
func BenchmarkShared(b *testing.B) {
	once(b, func() {
		const allowed = 200
		rates := rates{own: 4, shared: 110} // 190 with all instances, a little below the limit as in the deployments
		addAlone(b)
		for _, f := range []*fleet{fleetOnAWS(b, fleetSize, rates), fleetOnSCF(b, fleetSize, rates)} {
			f.add(b, f.load(b), allowed)
		}
		addOutage(b)
	})
}

// outcome is what the callers of a fleet saw.
type outcome struct {
	took              time.Duration
	calls             int // at Tencent
	answered, refused int
	missing           int             // queries without an answer
	beside, elsewhere []time.Duration // single requests to instances with batches, and to others
}

// load sends bursts of batches and single requests for a minute.
func (f *fleet) load(b *testing.B) outcome {
	single := f.single(b)
	for _, invoke := range f.instances { // reads the secret, and connects
		if _, err := invoke(b.Context(), single); err != nil {
			b.Fatal(err)
		}
	}
	var batches [][]byte
	for size := 50; size <= largestBatch; size += 50 {
		batches = append(batches, f.batch(b, size))
	}
	var o outcome
	var mu sync.Mutex
	var running sync.WaitGroup
	before, started := f.calls(), time.Now()
	for i, invoke := range f.instances {
		if i < batchers {
			running.Go(func() {
				for time.Since(started) < loadTime {
					n := rand.IntN(len(batches))
					payload, err := invoke(b.Context(), batches[n])
					if err != nil {
						b.Error(err)
						return
					}
					found := succeeded(b, payload)
					mu.Lock()
					o.answered, o.missing = o.answered+found, o.missing+50*(n+1)-found
					mu.Unlock()
					time.Sleep(rand.N(time.Second))
				}
			})
		}
		if i < batchers && f.atOnce == 1 {
			continue
		}
		running.Go(func() {
			for time.Since(started) < loadTime {
				time.Sleep(time.Duration(rand.ExpFloat64() * float64(betweenSingle)))
				asked := time.Now()
				if _, err := invoke(b.Context(), single); err != nil {
					b.Error(err)
					return
				}
				took := time.Since(asked)
				mu.Lock()
				o.answered++
				if i < batchers {
					o.beside = append(o.beside, took)
				} else {
					o.elsewhere = append(o.elsewhere, took)
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	o.took, o.calls = time.Since(started), f.calls()-before
	o.refused = o.calls - o.answered
	return o
}

func (f *fleet) add(b *testing.B, o outcome, allowed int) {
	table.add(b, fmt.Sprintf("%d instances, batches and single requests, %s", len(f.instances), f.name),
		rate(float64(o.calls)/o.took.Seconds()), "", "", noGoal)
	peak := f.engine.Peak("get_gift_count")
	table.add(b, "  most calls in any second", strconv.Itoa(peak), "", "<= 200 + 1 %", goal(peak <= allowed+allowed/100))
	share := 100 * float64(o.refused) / float64(o.calls)
	refused := fmt.Sprintf("%d of %d", o.refused, o.calls)
	table.add(b, "  refused and repeated", refused, fmt.Sprintf("%.1f %%", share), "<= 1 %", goal(share <= 1))
	table.add(b, "  queries without an answer", strconv.Itoa(o.missing), "", "0", goal(o.missing == 0))
	if len(o.beside) > 0 {
		table.add(b, "  single request beside a batch, p50", milliseconds(percentile(o.beside, 50)), "", "", noGoal)
		table.add(b, "  the same, p99", milliseconds(percentile(o.beside, 99)), "", "", noGoal)
	}
	table.add(b, "  single request to another instance, p50", milliseconds(percentile(o.elsewhere, 50)), "", "", noGoal)
	table.add(b, "  the same, p99", milliseconds(percentile(o.elsewhere, 99)), "", "", noGoal)
	if writes := f.writes(); writes > 0 {
		perCall := float64(writes) / float64(o.calls)
		table.add(b, "  writes to the ledger for each call", fmt.Sprintf("%.3f", perCall), "", "<= 0.15", goal(perCall <= 0.15))
	}
}

// addAlone measures the largest batch with the rates of template.yaml.
func addAlone(b *testing.B) {
	rates := rates{own: 3, shared: 75}
	f := fleetOnAWS(b, 1, rates)
	if _, err := f.instances[0](b.Context(), f.single(b)); err != nil {
		b.Fatal(err)
	}
	payload, started := f.batch(b, giftstats.MaxBatch), time.Now()
	answer, err := f.instances[0](b.Context(), payload)
	took := time.Since(started)
	if n := succeeded(b, answer); err != nil || n != giftstats.MaxBatch {
		b.Fatalf("%d queries were answered, %v", n, err)
	}
	table.add(b, "batch of 1,000, one instance with 3 + 75/s", seconds(took), "", "< 15 s", goal(took < 15*time.Second))
	used := giftstats.MaxBatch / took.Seconds() / (rates.own + rates.shared)
	table.add(b, "  of the rate", fmt.Sprintf("%.0f %%", 100*used), "", ">= 85 %", goal(used >= 0.85))
	table.add(b, "  writes to the ledger", strconv.Itoa(f.writes()), "", "", noGoal)
}

// addOutage measures an instance with a large batch while the ledger fails for ten seconds and is silent for ten.
func addOutage(b *testing.B) {
	rates := rates{own: 10, shared: 75}
	f := fleetOnAWS(b, 1, rates)
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	payload := f.batch(b, giftstats.MaxBatch)
	for range f.atOnce {
		running.Go(func() {
			for ctx.Err() == nil {
				f.instances[0](ctx, payload)
			}
		})
	}
	defer running.Wait()
	defer cancel()
	time.Sleep(2 * time.Second)
	before := f.perSecond(5 * time.Second)
	f.down(awsapi.Fault{Status: 500, Code: "InternalServerError"})
	time.Sleep(time.Second) // slots that were reserved before
	failing := f.perSecond(9 * time.Second)
	f.down(awsapi.Fault{Latency: time.Hour})
	silent := f.perSecond(10 * time.Second)
	f.down(awsapi.Fault{Latency: toTable})
	time.Sleep(5 * time.Second)
	after := f.perSecond(5 * time.Second)
	full := goal(before >= 0.85*(rates.own+rates.shared))
	table.add(b, "one instance with 10 + 75/s", rate(before), "", ">= 72/s", full)
	table.add(b, "  while the ledger fails, 10 s", rate(failing), "", ">= 9.5/s", goal(failing >= 0.95*rates.own))
	table.add(b, "  while the ledger is silent, 10 s", rate(silent), "", ">= 9.5/s", goal(silent >= 0.95*rates.own))
	table.add(b, "  from 5 s after that", rate(after), "", ">= 72/s", goal(after >= 0.85*(rates.own+rates.shared)))
}

// down lets all calls to the ledger fail in one way, until the next one.
func (f *fleet) down(fault awsapi.Fault) {
	f.cloud.Heal()
	fault.Times = -1
	f.cloud.Misbehave(fault)
}
