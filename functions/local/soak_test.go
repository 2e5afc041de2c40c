//go:build soak

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

var (
	soakTime = flag.Duration("soak", 10*time.Minute, "how long the load and the shows go on")
	soakRate = flag.Int("rate", 50, "requests per second")
	vegeta   = flag.String("vegeta", "", "path of the load tool vegeta")
)

const (
	stages     = 10               // shows at once
	settleTime = 5 * time.Minute  // for the summaries that are still missing when the faults are over
	sweepPause = 10 * time.Second // between two sweeps then
)

// soak is the local server under load, with everything failing now and then.
type soak struct {
	t        *testing.T
	server   *server
	receiver *soakReceiver
	log      *soakLog

	mu      sync.Mutex
	shows   map[string]bool // ids of the rooms, each of one show
	live    []string        // the room of each stage
	gifts   int
	dropped int // last webhooks of a show that were lost or not accepted
	faults  map[string]int
	hits    map[hit]int
	samples []sample
}

// hit is one line of the error table.
type hit struct {
	target string
	status int
	code   string // of a problem
}

// sample is what the process uses at one moment, after a collection of garbage.
type sample struct {
	heap, goroutines int
	others           int // goroutines that belong to no request: the number of requests that wait follows the load
}

// TestSoak runs the local server under load for -soak. It fails if memory or goroutines grow, if an answer is not one that the faults
// explain, or if a show gets no summary or two.
func TestSoak(t *testing.T) {
	s := newSoak(t)
	fillJournal(s.server.demo.engine)
	background, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.server.serve(background) })
	load, cancel := context.WithTimeout(background, *soakTime)
	defer cancel()
	var loading sync.WaitGroup
	for n := range stages {
		loading.Go(func() { s.playShows(load, n) })
	}
	loading.Go(func() { s.spoil(load) })
	loading.Go(func() { s.attack(load) })
	loading.Go(func() { s.measure(load) })
	loading.Wait()
	s.settle()
	stop()
	running.Wait()
	s.print(os.Stdout)
	s.checkSamples()
	s.checkHits()
	s.checkSummaries()
	s.log.check(t)
}

func newSoak(t *testing.T) *soak {
	s := &soak{
		t: t, log: &soakLog{lines: map[string]int{}}, receiver: newSoakReceiver(t), shows: map[string]bool{}, live: make([]string, stages),
		faults: map[string]int{}, hits: map[hit]int{},
	}
	for stage := range s.live {
		s.live[stage] = saturdayShow // until its first show begins
	}
	var err error
	s.server, err = start([]string{
		"GIFTSTATS_DELIVER=" + s.receiver.url() + "/summaries", "GIFTSTATS_TIMEOUT=500ms", "GIFTSTATS_LEDGER=memory://",
	}, "127.0.0.1:0", s.log, slog.LevelWarn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.server.close(); err != nil {
			t.Error(err)
		}
	})
	s.receiver.verifier.Store(s.server.demo.customer.verifier)
	if err := s.server.demo.begin(saturdayShow, "The Saturday Show"); err != nil {
		t.Fatal(err)
	}
	for command, probability := range map[string]float64{
		simulator.AfterDestroyRoom: 0.2, simulator.AfterCreateRoom: 0.1, simulator.AfterSeatInfoChanged: 0.1, simulator.BeforeSendGift: 0.05,
	} {
		if err := s.server.demo.engine.LoseWebhooks(simulator.WebhookLoss{Command: command, Probability: probability}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// settle ends all faults, and sweeps until every show has a summary. The sweep after that would deliver a second one.
func (s *soak) settle() {
	s.server.demo.engine.Heal()
	s.receiver.heal()
	ctx, cancel := context.WithTimeout(s.t.Context(), settleTime)
	defer cancel()
	ticker := time.NewTicker(sweepPause)
	defer ticker.Stop()
	for missing := 1; missing > 0; {
		missing = s.missing()
		if err := s.server.app.Processor.Sweep(ctx); err != nil {
			s.t.Errorf("sweep without faults: %v", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *soak) missing() int {
	summaries := s.receiver.summaries()
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := 0
	for room := range s.shows {
		if len(summaries[room]) == 0 {
			missing++
		}
	}
	return missing
}

// measure takes 120 samples.
func (s *soak) measure(ctx context.Context) {
	ticker := time.NewTicker(*soakTime / 120)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			runtime.GC()
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			s.samples = append(s.samples, sample{int(memory.HeapAlloc), runtime.NumGoroutine(), withoutRequest(s.t)})
		case <-ctx.Done():
			return
		}
	}
}

// ofRequests are functions in the stacks of the goroutines that belong to a request: those of its connection, and the queries of a batch.
var ofRequests = []string{"net/http.(*conn)", "net/http.(*connReader)", "net/http.(*persistConn)", "giftstats.(*Service).GiftStatsBatch"}

// withoutRequest returns the number of goroutines that belong to no request.
func withoutRequest(t *testing.T) int {
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Error(err)
	}
	_, groups, _ := strings.Cut(profile.String(), "\n") // after the headline, goroutines with the same stack are one group
	count := 0
	for group := range strings.SplitSeq(strings.TrimSpace(groups), "\n\n") {
		number, stack, _ := strings.Cut(group, " @ ")
		if slices.ContainsFunc(ofRequests, func(function string) bool { return strings.Contains(stack, function) }) {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Errorf("the profile of goroutines has the group %q", group)
		}
		count += n
	}
	return count
}

// thirds returns the medians of the first and of the last third.
func (s *soak) thirds(of func(sample) int) (first, last int) {
	median := func(samples []sample) int {
		values := make([]int, len(samples))
		for i, one := range samples {
			values[i] = of(one)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	n := len(s.samples) / 3
	return median(s.samples[:n]), median(s.samples[len(s.samples)-n:])
}

func heap(s sample) int       { return s.heap }
func goroutines(s sample) int { return s.goroutines }
func others(s sample) int     { return s.others }

// checkSamples allows the heap a tenth more in the last third than in the first one, and what the ledger remembers of each show. Every
// stage may happen to wait for the answer to a webhook. The number of requests that wait follows the load of the machine; when the server
// is closed, none of their goroutines may be left (TestMain).
func (s *soak) checkSamples() {
	if len(s.samples) < 30 {
		s.t.Fatalf("only %d samples: the soak is too short, or the machine too busy", len(s.samples))
	}
	remembered := len(s.shows) * 16 << 10
	if first, last := s.thirds(heap); last > first+first/10+remembered {
		s.t.Errorf("the heap has grown from %d to %d bytes; %d of them may be remembered streams", first, last, remembered)
	}
	if first, last := s.thirds(others); last > first+stages {
		s.t.Errorf("%d goroutines that belong to no request in the first third, %d in the last", first, last)
	}
	if first, last := s.thirds(goroutines); last > first+first/2 {
		s.t.Errorf("%d goroutines in the first third, %d in the last", first, last)
	}
}

func (s *soak) checkSummaries() {
	summaries := s.receiver.summaries()
	for room := range s.shows {
		if ids := summaries[room]; len(ids) != 1 {
			s.t.Errorf("the show in %s has %d summaries, want 1: %v", room, len(ids), ids)
		}
	}
	for room := range summaries {
		if !s.shows[room] {
			s.t.Errorf("%s has a summary, but no show has ended there", room)
		}
	}
}

// print prints the table.
func (s *soak) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	firstHeap, lastHeap := s.thirds(heap)
	firstRoutines, lastRoutines := s.thirds(goroutines)
	firstOthers, lastOthers := s.thirds(others)
	fmt.Fprintf(w, "\nsoak of %v\tfirst third\tlast third\tratio\n", *soakTime)
	fmt.Fprintf(w, "heap after a collection, kB\t%d\t%d\t%.2f\n", firstHeap/1000, lastHeap/1000, float64(lastHeap)/float64(firstHeap))
	fmt.Fprintf(w, "goroutines\t%d\t%d\t%.2f\n", firstRoutines, lastRoutines, float64(lastRoutines)/float64(firstRoutines))
	fmt.Fprintf(w, "those without a request\t%d\t%d\t%.2f\n", firstOthers, lastOthers, float64(lastOthers)/float64(firstOthers))
	fmt.Fprintf(w, "\nshows\tgifts\tends not reported\tsummaries missing\trefused by the receiver\trepeated\n")
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\n",
		len(s.shows), s.gifts, s.dropped, s.missing(), s.receiver.refused.Load(), s.receiver.repeated.Load())
	fmt.Fprintf(w, "\nfault of Tencent\tcalls\n")
	for _, name := range slices.Sorted(maps.Keys(s.faults)) {
		fmt.Fprintf(w, "%s\t%d\n", name, s.faults[name])
	}
	fmt.Fprintf(w, "\nrequest\tstatus\tcode\tanswers\n")
	for _, one := range slices.SortedFunc(maps.Keys(s.hits), func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.status, b.status), cmp.Compare(a.code, b.code))
	}) {
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\n", one.target, one.status, cmp.Or(one.code, "-"), s.hits[one])
	}
	fmt.Fprintf(w, "\nlog line\tcode\tlines\n")
	for _, line := range slices.Sorted(maps.Keys(s.log.lines)) {
		fmt.Fprintf(w, "%s\t%d\n", line, s.log.lines[line])
	}
	fmt.Fprintln(w)
	w.Flush()
}

// soakLog counts the lines of the log.
type soakLog struct {
	mu    sync.Mutex
	lines map[string]int
	bad   []string
}

func (l *soakLog) Write(line []byte) (int, error) {
	var record struct{ Msg, Code string }
	err := json.Unmarshal(line, &record)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[record.Msg+"\t"+cmp.Or(record.Code, "-")]++
	if (err != nil || record.Code == "internal") && len(l.bad) < 10 {
		l.bad = append(l.bad, string(line))
	}
	return len(line), nil
}

func (l *soakLog) check(t *testing.T) {
	for _, line := range l.bad {
		t.Errorf("a log line that no fault explains: %s", line)
	}
}
