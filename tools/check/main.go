// Command check asks Tencent whether the settings and the secret document of an app are right:
//
//	check
//
// The settings come from the environment, as those of the functions do. GIFTSTATS_SECRET may be in any of the stores that a function
// can read, so that the secret of a deployment can be checked from another machine, with credentials from the environment.
//
// It lists what the document contains, asks for the gifts of a room that does not exist, and says in one sentence what the answer
// proves. If anything is wrong, the sentence is on standard error, and the exit status is 1. Nothing secret is printed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		return errors.New("check takes no arguments: set GIFTSTATS_SECRET and GIFTSTATS_ENDPOINT in the environment")
	}
	return check(ctx, out)
}
