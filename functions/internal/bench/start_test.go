package bench

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/giftstats/giftstats/functions/internal/build"
	"github.com/giftstats/giftstats/pkg/simulator/lambdaruntime"
)

const starts = 301 // of each program

// BenchmarkStart is from the start of the process to its first request for an event.
func BenchmarkStart(b *testing.B) {
	once(b, func() {
		silent := listen(b)
		environment := map[string]string{
			"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": silent, "AWS_ENDPOINT_URL": silent,
			// So that each function has all its clients.
			"GIFTSTATS_QUEUE": "sqs://127.0.0.1:1/123456789012/ends", "GIFTSTATS_DELIVER": "sqs://127.0.0.1:1/123456789012/results,eventbridge://results",
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-key", "AWS_SESSION_TOKEN": "not-a-real-token",
		}
		programs := []struct {
			name, directory string
			goal            float64
			took            []time.Duration
		}{{name: "hello world", directory: "./hello"}, {name: "aws/api", directory: "../../aws/api", goal: 1.35}, {name: "aws/streamend", directory: "../../aws/streamend", goal: 1.7}}
		binaries := make([]string, len(programs))
		for i, program := range programs {
			binaries[i] = build.Program(b, program.directory, "lambda.norpc")
		}
		for range starts {
			for _, i := range rand.Perm(len(programs)) { // what ran before matters: in a fixed order up to 15 % to one of them
				function, err := lambdaruntime.Start(b.Context(), lambdaruntime.Config{Binary: binaries[i], Environment: environment})
				if err != nil {
					b.Fatal(err)
				}
				programs[i].took = append(programs[i].took, function.ColdStart())
				function.Close()
			}
		}
		base := median(programs[0].took)
		table.add(b, "start, hello world", milliseconds(base), "", "", noGoal)
		for _, program := range programs[1:] {
			took := median(program.took)
			table.add(b, "start, "+program.name, milliseconds(took), times(took, base), fmt.Sprintf("<= %.2f x", program.goal), goal(quotient(took, base) <= program.goal))
		}
	})
}

// listen gives the URL of a server that takes connections and never says a word, so that this process has nothing to do while
// the program starts.
func listen(b *testing.B) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}
