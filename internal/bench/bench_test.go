// Package bench measures what a deployment costs in time and memory, and prints one table: make bench. docs/performance.md
// explains the lines.
//
// The programs are the real ones, in processes of their own, under the simulated runtimes. Programs that are compared run
// alternately, and each figure is a median, so that ratios are meaningful even on a busy machine. No benchmark fails because it is
// slow; the tests that guard the speed count allocations, calls and connections.
package bench

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	table.print(os.Stdout)
	os.Exit(code)
}

// table collects the lines of all benchmarks of the run.
var table report

type report struct{ lines map[string][]string } // by the name of the benchmark

// order is the order of the benchmarks in the table: from the start of a function to the end of a stream, then the less important.
var order = []string{
	"BenchmarkStart", "BenchmarkFirstAnswer", "BenchmarkWarm", "BenchmarkBatch", "BenchmarkShared", "BenchmarkStreamEnd",
	"BenchmarkGifts", "BenchmarkTopSenders", "BenchmarkSweep", "BenchmarkSigning", "BenchmarkSize",
}

// verdict says whether a goal is met. It is empty if there is no goal.
type verdict string

const noGoal verdict = ""

func goal(met bool) verdict {
	if met {
		return "met"
	}
	return "NOT MET"
}

func (r *report) add(b *testing.B, what, figure, ratio, goal string, met verdict) {
	if r.lines == nil {
		r.lines = map[string][]string{}
	}
	r.lines[b.Name()] = append(r.lines[b.Name()], strings.Join([]string{what, figure, ratio, goal, string(met)}, "\t| "))
}

func (r *report) print(to io.Writer) {
	if len(r.lines) == 0 {
		return
	}
	writer := tabwriter.NewWriter(to, 0, 0, 1, ' ', 0)
	fmt.Fprintln(writer, "what\t| figure\t| ratio\t| goal\t|")
	for _, name := range order {
		for _, line := range r.lines[name] {
			fmt.Fprintln(writer, line)
		}
	}
	writer.Flush()
}

// median of the values, which it sorts.
func median[T time.Duration | float64](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func times(value, base time.Duration) string { return fmt.Sprintf("%.2f x", quotient(value, base)) }

func quotient(value, base time.Duration) float64 { return float64(value) / float64(base) }

// once runs measure in the first round of a benchmark only. Each benchmark repeats its measurements itself.
func once(b *testing.B, measure func()) {
	if b.N == 1 {
		measure()
	}
}
