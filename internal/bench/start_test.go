package bench

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
)

const (
	starts = 301 // of each program
	copies = 20  // of each program, since the place of a file in memory changes its start time
)

// BenchmarkStart measures the time from the start of the process to its first request for an event.
func BenchmarkStart(b *testing.B) {
	once(b, func() {
		silent := listen(b)
		programs := []*program{
			{name: "hello world", directory: "./hello"},
			{name: "aws/api", directory: build.Functions + "aws/api", goal: 1.55},
			{
				name: "aws/streamend", directory: build.Functions + "aws/streamend", goal: 1.75,
				deliver: "sqs://127.0.0.1:1/123456789012/results,eventbridge://results",
			},
		}
		for _, p := range programs {
			p.built = build.Program(b, p.directory, "lambda.norpc")
		}
		for n := range starts {
			if n%(starts/copies) == 0 {
				for _, p := range programs {
					p.binary = unpacked(b, p.built)
				}
			}
			for _, i := range rand.Perm(len(programs)) { // what ran before matters
				p := programs[i]
				function, err := lambdaruntime.Start(b.Context(), lambdaruntime.Config{Binary: p.binary, Environment: map[string]string{
					"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": silent, "GIFTSTATS_DELIVER": p.deliver,
					"GIFTSTATS_LEDGER": "dynamodb://giftstats",
					"AWS_ENDPOINT_URL": silent, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
					"AWS_SECRET_ACCESS_KEY": "not-a-real-key", "AWS_SESSION_TOKEN": "not-a-real-token",
				}})
				if err != nil {
					b.Fatal(err)
				}
				p.took = append(p.took, function.ColdStart())
				function.Close()
			}
		}
		base := median(programs[0].took)
		table.add(b, "start, hello world", milliseconds(base), "", "", noGoal)
		for _, p := range programs[1:] {
			took := median(p.took)
			limit, met := fmt.Sprintf("<= %.2f x", p.goal), goal(quotient(took, base) <= p.goal)
			table.add(b, "start, "+p.name, milliseconds(took), times(took, base), limit, met)
		}
	})
}

// program is a program under measurement.
type program struct {
	name, directory string
	deliver         string // GIFTSTATS_DELIVER, which decides on the clients besides that of the secret
	goal            float64
	built, binary   string // the linked file, and the copy that is started
	took            []time.Duration
}

// unpacked copies a program sequentially, as unpacking a zip does. The way a file was written changes its layout in memory, and a
// file that the linker wrote starts up to a fifth slower than its copy.
func unpacked(b *testing.B, program string) string {
	content, err := os.ReadFile(program)
	if err == nil {
		program += "-unpacked"
		err = os.WriteFile(program, content, 0o755)
	}
	if err != nil {
		b.Fatal(err)
	}
	return program
}

// listen returns the URL of a server that accepts connections and never answers, so that this process is idle while the program
// starts.
func listen(b *testing.B) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}
