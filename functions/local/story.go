package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/giftstats/giftstats/pkg/streamend"
)

// tell prints what the product does, as the story of one show: requests and their answers.
func (s *server) tell(ctx context.Context, out io.Writer) error {
	if s.demo == nil {
		return s.tellReal(ctx, out)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	fmt.Fprint(out, "A simulated live engine takes the place of Tencent. It sends its webhooks to\n"+
		"giftstats. The gifts: a rose is 1 coin, a car is 100, a rocket is 1000.\n\n")
	for _, part := range []func(context.Context, io.Writer) error{
		s.tellEarnings, s.tellMistake, s.tellSenders, s.tellEnd, s.tellStreams,
	} {
		if err := part(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) tellEarnings(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "1. A show begins in the room %s, with two hosts: %s and %s\n\n", fridayShow, host, guest)
	if err := s.demo.begin(fridayShow, "The Friday Show"); err != nil {
		return err
	}
	if err := s.demo.give(out, fridayShow, beforeSweep); err != nil {
		return err
	}
	fmt.Fprintf(out, "What has %s earned so far?\n\n", host)
	return s.ask(ctx, out, "/v1/gift-stats?room_id="+fridayShow+"&account="+host, http.StatusOK)
}

func (s *server) tellMistake(ctx context.Context, out io.Writer) error {
	fmt.Fprint(out, "2. A wrong room id gives a clear error\n\n")
	return s.ask(ctx, out, "/v1/gift-stats?room_id=no-such-room&account="+host, http.StatusNotFound)
}

func (s *server) tellSenders(ctx context.Context, out io.Writer) error {
	fmt.Fprint(out, "3. The show goes on: who are the top senders?\n\n")
	if err := s.app.Processor.Sweep(ctx); err != nil {
		return err
	}
	fmt.Fprint(out, "Once a minute, a sweep asks Tencent for the numbers of every live show, and\n"+
		"stores them as snapshots. It has just run. Then more gifts arrive:\n\n")
	if err := s.demo.give(out, fridayShow, afterSweep); err != nil {
		return err
	}
	return s.ask(ctx, out, "/v1/top-senders?room_id="+fridayShow, http.StatusOK)
}

func (s *server) tellEnd(ctx context.Context, out io.Writer) error {
	fmt.Fprint(out, "4. The show ends: the room is dissolved, and Tencent sends its last webhook\n\n")
	dissolved, err := s.demo.engine.DestroyRoom(ctx, fridayShow)
	if err != nil {
		return err
	}
	hook := dissolved.Webhook
	if hook.Err != nil || hook.Status != http.StatusOK {
		return fmt.Errorf("the webhook was not accepted: status %d, %w: %s", hook.Status, hook.Err, hook.Body)
	}
	fmt.Fprintf(out, "  POST /v1/webhooks/live?CallbackCommand=%s&...\n\n  200 OK\n  %s\n\n", hook.Command, hook.Body)
	if !s.delivers {
		fmt.Fprint(out, "giftstats delivers a summary to the receivers in GIFTSTATS_DELIVER.\n\n")
		return nil
	}
	fmt.Fprint(out, "giftstats delivers a signed summary. The receiver has verified its signature:\n\n")
	return s.tellSummary(ctx, out)
}

// tellSummary prints the summary that the customer has received, and what it proves.
func (s *server) tellSummary(ctx context.Context, out io.Writer) error {
	var received delivery
	select {
	case received = <-s.demo.customer.received:
	case <-ctx.Done():
		return errors.New("the summary was not delivered")
	}
	fmt.Fprintf(out, "  webhook-id: %s\n\n", received.id)
	if err := printJSON(out, received.body); err != nil {
		return err
	}
	var summary streamend.Summary
	if err := json.Unmarshal(received.body, &summary); err != nil {
		return err
	}
	if data := summary.Data; !data.Complete || data.Reconciled == nil || !*data.Reconciled {
		return errors.New("the summary is not complete and reconciled")
	}
	_, err := fmt.Fprintf(out, `Tencent forgets a room when it is dissolved, but giftstats has its numbers:

  %s: Tencent's own, as of the last sweep ("from": "snapshot")
  %s: Tencent's own, plus the gifts recorded since ("from": "ledger")

The summary is complete: every host has numbers. It is reconciled: together,
they equal the totals of the room.

`, host, guest)
	return err
}

func (s *server) tellStreams(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "5. The show is remembered: what has %s earned in the last 31 days?\n\n", guest)
	if !s.settings.Auth.UserSig {
		return s.ask(ctx, out, "/v1/streams?account="+guest, http.StatusOK)
	}
	sig, err := s.demo.userSig(guest)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "This time the app of %[1]s asks, with the UserSig of %[1]s, and gets only the\n"+
		"numbers of %[1]s. Your back office, with an API key, gets those of all hosts.\n\n", guest)
	credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte(guest+":"+sig))
	return s.askAs(ctx, out, credentials, "/v1/streams", http.StatusOK)
}

// tellReal names the real app. It fails if the app's secret cannot be read.
func (s *server) tellReal(ctx context.Context, out io.Writer) error {
	document, err := s.app.Secrets.Get(ctx)
	if err != nil {
		return cmp.Or(errors.Unwrap(err), err) // without the advice to look into a log: this is the log
	}
	_, err = fmt.Fprintf(out, "The app %d at %s, API keys: %d.\n\n", document.SDKAppID, s.settings.Endpoint, len(document.APIKeys))
	return err
}
