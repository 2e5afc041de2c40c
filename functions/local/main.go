// Command local serves the same handler as the clouds on this machine. It calls a simulated live engine unless GIFTSTATS_ENDPOINT and
// GIFTSTATS_SECRET name a real app. With -sandbox, it serves a simulated app with fixed keys, to develop against.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "giftstats: %v\n", err)
		os.Exit(1)
	}
}

// run starts the server, shows what it does, and serves until ctx is done.
func run(ctx context.Context, args, environ []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(log)
	address := flags.String("addr", "127.0.0.1:8080", "host and port to listen on")
	once := flags.Bool("once", false, "exit after the story")
	sandbox := flags.Bool("sandbox", false, "serve giftstats and a simulated Tencent with fixed keys, to develop against")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if *sandbox {
		return runSandbox(ctx, environ, *address, out, log)
	}
	level := &slog.LevelVar{}
	level.Set(slog.LevelError) // log lines would interrupt the story
	server, err := start(environ, *address, log, level)
	if err != nil {
		return err
	}
	defer server.close()
	if err := server.tell(ctx, out); err != nil {
		if ctx.Err() != nil {
			return nil // interrupted
		}
		return err
	}
	if *once {
		return nil
	}
	if err := server.printCommands(out); err != nil {
		return err
	}
	level.Set(server.settings.LogLevel)
	fmt.Fprintf(out, "Serving on %s until interrupted (Ctrl-C).\n", server.url())
	return server.serve(ctx)
}
