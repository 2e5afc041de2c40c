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

// main connects to the upstream ahead of the first event, but does not read the secret: the credentials for it come with each
// event only.
func main() {
	a, err := tencentclients.App()
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	go a.Client.Warm(context.Background())
	cloudfunction.StartHandler(tencent.New(a.Processor))
}
