// Command streamend is the Tencent SCF function that processes the ends of streams.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tencentyun/scf-go-lib/cloudfunction"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/tencentclients"
	"github.com/giftstats/giftstats/pkg/streamend/tencent"
)

func main() {
	function, err := newFunction()
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	cloudfunction.StartHandler(function)
}

// newFunction builds the function from the environment, and starts to connect to the upstream. It does not read the secret:
// the credentials for the secret store arrive only with each event.
func newFunction() (*tencent.Function, error) {
	a, err := tencentclients.App(app.StreamEnd)
	if err != nil {
		return nil, err
	}
	function, err := tencent.New(tencent.Config{Processor: a.Processor})
	if err != nil {
		return nil, err
	}
	go a.Client.Warm(context.Background())
	return function, nil
}
