package main

import (
	"context"
	"fmt"
	"io"
	"net"
)

// runSandbox serves the sandbox until ctx is done.
func runSandbox(ctx context.Context, environ []string, address string, out, log io.Writer) error {
	s, err := startSandbox(environ, address, log)
	if err != nil {
		return err
	}
	defer s.close()
	s.introduce(out, address)
	return s.run(ctx)
}

// introduce prints the keys, and commands to begin with.
func (s *sandbox) introduce(out io.Writer, address string) {
	fmt.Fprintf(out, `giftstats with a simulated Tencent, to develop against. Everything is in memory.
The keys are the same at every start, and everybody may know them:

  API key        %s
  delivery_key   %s
  live_token     %s
  trtc_key       %s
  css_key        %s
  sdk_app_id     %d
  admin          %s
  secret_key     %s

`, sandboxAPIKey, sandboxDeliveryKey, sandboxLiveToken, sandboxTRTCKey, sandboxCSSKey, sandboxApp, sandboxAdmin, sandboxKey)
	if s.delivers {
		fmt.Fprint(out, "Summaries go to GIFTSTATS_DELIVER, signed with delivery_key.\n\n")
	} else {
		fmt.Fprint(out, "Summaries appear below, as log lines. To receive them, start with\n"+
			"make sandbox GIFTSTATS_DELIVER=http://127.0.0.1:PORT/PATH.\n\n")
	}
	fmt.Fprintf(out, `A show, in another terminal:

  URL=%s
  AUTH='Authorization: Bearer %s'

  curl $URL/sandbox/rooms -d '{"room_id":"show","owner":"alice"}'
  curl $URL/sandbox/rooms/show/gifts -d '
    {"gift_id":"rose","count":5,"sender":"carol","receivers":["alice"]}'
  curl -H "$AUTH" "$URL/v1/gift-stats?room_id=show&account=alice"
  curl $URL/sandbox/rooms/show -X DELETE
  curl -H "$AUTH" "$URL/v1/streams"

docs/sandbox.md lists all commands, including those that make calls fail and
drop webhooks.

`, s.url(), sandboxAPIKey)
	if s.settings.Console {
		fmt.Fprintf(out, "To see the numbers in a browser, open this page and enter the API key:\n\n  %s/\n\n", s.url())
	}
	if !loopback(address) {
		fmt.Fprintf(out, "Warning: other machines may reach %s, and can then use the keys above\n"+
			"and the paths under /sandbox/, which ask for no key.\n\n", address)
	}
	fmt.Fprintf(out, "Serving on %s until interrupted (Ctrl-C).\n", s.url())
}

// loopback reports whether only this machine can reach an address.
func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
