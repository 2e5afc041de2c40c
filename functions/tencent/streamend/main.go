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

// main connects to the upstream before the first event. It does not read the secret: the credentials for the secret store arrive only
// with each event.
func main() {
	a, err := tencentclients.App(app.StreamEnd)
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	go a.Client.Warm(context.Background())
	cloudfunction.StartHandler(tencent.New(a.Processor))
}
