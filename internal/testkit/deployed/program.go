package deployed

import (
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/build"
)

// A machine that runs tests may be busy for seconds, so the limits of the clouds, and those of the program's settings, do not apply.
const (
	patience        = 5 * time.Minute // of an invocation
	attemptPatience = "30s"           // of one call to upstream
)

// program is the program of the package whose tests run in this process.
var program build.Tested

// Remove removes the program, when all tests are done.
func Remove() {
	if err := program.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// endAtDataRace returns the environment with the setting that makes a data race end the program, so that it fails the test.
func endAtDataRace(environment map[string]string) map[string]string {
	if !build.RaceDetector {
		return environment
	}
	environment = maps.Clone(environment)
	environment["GORACE"] = "halt_on_error=1"
	return environment
}
