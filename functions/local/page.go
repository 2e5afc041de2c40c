package main

import (
	"fmt"
	"io"
)

// page prints where the page is and, for the demo, how to sign in.
func (s *server) page(out io.Writer) {
	if !s.settings.Console {
		return
	}
	if s.demo == nil {
		fmt.Fprintf(out, "There is a page to look at, which asks for an API key:\n\n  %s/\n\n", s.url())
		return
	}
	fmt.Fprintf(out, `Watch the next show in a browser. The page asks for this key, which is made for
this run:

  %s/#/now?room_id=%s
  %s

`, s.url(), saturdayShow, s.demo.apiKey)
}
