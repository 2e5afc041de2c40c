// Command api is the Tencent SCF function that answers HTTP events.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tencentyun/scf-go-lib/cloudfunction"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/tencentstore"
	"github.com/giftstats/giftstats/pkg/gateway/tencent"
	"github.com/giftstats/giftstats/pkg/settings"
)

func main() {
	handler, err := run()
	if err != nil {
		fmt.Fprint(os.Stderr, app.Fatal(err))
		os.Exit(1)
	}
	cloudfunction.StartHandler(handler)
}

// run connects to the upstream ahead of the first event, but does not read the secret: the credentials for it come with each
// event only.
func run() (*tencent.Function, error) {
	s, err := settings.Parse(os.Environ(), settings.Tencent)
	if err != nil {
		return nil, err
	}
	store, err := tencentstore.Open(*s.Secret)
	if err != nil {
		return nil, err
	}
	logger := app.Logger(os.Stdout, s.LogLevel)
	a, err := app.New(s, store, logger)
	if err != nil {
		return nil, err
	}
	go a.Client.Warm(context.Background())
	return tencent.New(a.Handler, tencent.Options{Logger: logger}), nil
}
