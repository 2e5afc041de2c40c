package main

import (
	"fmt"
	"io"
)

// printCommands prints what to try while the server runs. With the simulator, it begins the show that the commands ask about.
func (s *server) printCommands(out io.Writer) error {
	if s.demo == nil {
		return s.printRealCommands(out)
	}
	sig, err := s.demo.userSig(host)
	if err != nil {
		return err
	}
	if err := s.demo.begin(saturdayShow, "The Saturday Show"); err != nil {
		return err
	}
	s.printPage(out)
	_, err = fmt.Fprintf(out, `The next show begins: somebody sends a gift every %[1]d seconds. Ask in another
terminal (the key and the UserSig are made for this run):

  URL=%[2]s
  KEY=%[3]s
  AUTH="Authorization: Bearer $KEY"
  SIG='%[4]s'

  curl -H "$AUTH" "$URL/v1/gift-stats?room_id=%[5]s&account=%[7]s"
  curl -H "$AUTH" "$URL/v1/room-stats?room_id=%[5]s"
  curl -H "$AUTH" "$URL/v1/top-senders?room_id=%[5]s"

  curl -H "$AUTH" "$URL/v1/gift-stats?room_id=%[8]s&account=%[7]s"
  curl -H "$AUTH" "$URL/v1/streams"
  curl -H "$AUTH" -H 'Accept: text/csv' "$URL/v1/streams"

  curl -H "$AUTH" "$URL/v1/gift-stats" -H 'Content-Type: application/json' -d '
    {"queries":[{"room_id":"%[5]s","account":"%[6]s"},
                {"room_id":"%[5]s","account":"%[7]s"}]}'
  curl -H "$AUTH" "$URL/v1/stream-ends" -H 'Content-Type: application/json' -d '
    {"room_id":"%[8]s"}'
  curl -u "%[6]s:$SIG" "$URL/v1/gift-stats?room_id=%[5]s"
  curl "$URL/openapi.json"

With the last POST, your back end reports that a show is over. This show has
already ended, so the answer is its summary again. To create rooms and gifts of
your own, use make sandbox.

To see log lines, start with make run GIFTSTATS_LOG_LEVEL=info.
`, int(giftEvery.Seconds()), s.url(), s.demo.apiKey, sig, saturdayShow, host, guest, fridayShow)
	return err
}

func (s *server) printRealCommands(out io.Writer) error {
	s.printPage(out)
	fmt.Fprintf(out, "Use an API key whose SHA-256 is in the secret document:\n\n"+
		"  curl -H \"Authorization: Bearer $KEY\" '%s/v1/gift-stats?room_id=ROOM&account=HOST'\n\n", s.url())
	if s.sweeps {
		return nil
	}
	_, err := fmt.Fprint(out, "The rooms of this app are not swept, because every sweep makes calls to Tencent.\n"+
		"To sweep them once a minute, set GIFTSTATS_LEDGER=memory://.\n\n")
	return err
}

// printPage prints where the page is and, for the demo, how to sign in.
func (s *server) printPage(out io.Writer) {
	if !s.settings.Console {
		return
	}
	if s.demo == nil {
		fmt.Fprintf(out, "To see the numbers in a browser, open this page, which asks for an API key:\n\n  %s/\n\n", s.url())
		return
	}
	fmt.Fprintf(out, `Watch the next show in a browser. The page asks for this key, which is made for
this run:

  %s/#/now?room_id=%s
  %s

`, s.url(), saturdayShow, s.demo.apiKey)
}
