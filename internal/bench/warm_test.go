package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	warmRounds = 11
	appTests   = "../../functions/internal/app"
)

var result = regexp.MustCompile(`(?m)^Benchmark\S*/(bare|Lambda)\S*\s+\d+\s+([\d.]+) ns/op.*?(\d+) allocs/op`)

// BenchmarkWarm runs the benchmark of a warm request and compares its two parts. The benchmark is in the package app, because it
// shares the set-up of its tests.
func BenchmarkWarm(b *testing.B) {
	once(b, func() {
		binary := filepath.Join(b.TempDir(), "app.test")
		if out, err := exec.Command("go", "test", "-c", "-o", binary, appTests).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		took, allocs := map[string][]time.Duration{}, map[string][]float64{}
		for range warmRounds {
			command := exec.Command(binary, "-test.run", "^$", "-test.bench", "^BenchmarkWarmRequest$", "-test.benchtime", "300ms")
			command.Dir = appTests // where its testdata is
			out, err := command.CombinedOutput()
			found := result.FindAllStringSubmatch(string(out), -1)
			if err != nil || len(found) != 2 {
				b.Fatalf("%v\n%s", err, out)
			}
			for _, line := range found {
				nanoseconds, timeErr := strconv.ParseFloat(line[2], 64)
				count, countErr := strconv.ParseFloat(line[3], 64)
				if timeErr != nil || countErr != nil {
					b.Fatal(strings.Join(line, " "))
				}
				took[line[1]] = append(took[line[1]], time.Duration(nanoseconds))
				allocs[line[1]] = append(allocs[line[1]], count)
			}
		}
		var added []time.Duration // in each round by itself: both parts had the same machine
		for i, bare := range took["bare"] {
			added = append(added, took["Lambda"][i]-bare)
		}
		bare, whole, extra := median(took["bare"]), median(took["Lambda"]), median(added)
		table.add(b, "warm request, bare POST", micro(bare), "", "", noGoal)
		table.add(b, "warm request, Lambda event", micro(whole), times(whole, bare), "<= 1.25 x", goal(quotient(whole, bare) <= 1.25))
		table.add(b, "warm request, added", micro(extra), "", "<= 60 µs", goal(extra <= 60*time.Microsecond))
		few, many := median(allocs["bare"]), median(allocs["Lambda"])
		figure, ratio := fmt.Sprintf("%.0f after %.0f", many, few), fmt.Sprintf("%.2f x", many/few)
		table.add(b, "warm request, allocations", figure, ratio, "<= 1.60 x", goal(many/few <= 1.6))
	})
}

func micro(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}
