// Command check asks Tencent about an app. The settings come from the environment, as those of the functions do. GIFTSTATS_SECRET may be
// in any of the stores that a function can read, so that the secret of a deployment can be checked from another machine, with credentials
// from the environment.
//
//	check
//
// asks whether the settings and the secret document are right. It lists what the document contains, asks for the gifts of a room that does
// not exist, and says in one sentence what the answer proves.
//
//	check whose-gifts -room ROOM -from ACCOUNT -to ACCOUNT [-gift GIFT] [-yes]
//
// finds out whether get_gift_count counts the gifts that an account received, as giftstats assumes, or those that it sent.
//
// If anything is wrong, a sentence on standard error says what, and the exit status is 1. Nothing secret is printed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in *os.File, out io.Writer) error {
	switch {
	case len(args) == 0:
		return check(ctx, out)
	case args[0] == "whose-gifts":
		return whoseGifts(ctx, args[1:], in, out)
	}
	return errors.New("usage: check, or check whose-gifts -room ROOM -from ACCOUNT -to ACCOUNT [-gift GIFT] [-yes]; " +
		"GIFTSTATS_SECRET and GIFTSTATS_ENDPOINT belong in the environment")
}

func whoseGifts(ctx context.Context, args []string, in *os.File, out io.Writer) error {
	e := &experiment{in: in, terminal: isTerminal(in), out: out, interval: 2 * time.Second}
	if err := e.parse(args); err != nil {
		return err
	}
	var err error
	if e.app, err = open(ctx); err != nil {
		return err
	}
	return e.run(ctx)
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
