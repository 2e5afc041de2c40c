package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
)

// experiment finds out whether get_gift_count counts what an account received or what it sent: it asks for the sender and the receiver
// of a gift, before and after.
type experiment struct {
	app  *app
	gift liveengine.Gift // without a GiftID, a person sends it in the app
	yes  bool            // send without asking

	in       io.Reader
	terminal bool // whether in is a terminal
	out      io.Writer
	interval time.Duration // between two questions whether the gift is counted
}

// questions is how often to ask whether the gift is counted. No page says how soon it is.
const questions = 10

const giftsUsage = "\nFor example: make whose-gifts SECRET=… ENDPOINT=singapore ROOM=test-room FROM=bob TO=alice"

// parse reads the arguments of the command.
func (e *experiment) parse(args []string) error {
	flags := flag.NewFlagSet("whose-gifts", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&e.gift.RoomID, "room", "", "a live room in which nobody else sends gifts")
	flags.StringVar(&e.gift.Sender, "from", "", "the account that sends the gift")
	flags.StringVar(&e.gift.Receiver, "to", "", "the account that receives it: the host of the room")
	flags.StringVar(&e.gift.GiftID, "gift", "", "the id of a gift to send by send_gift; if empty, a person sends one in the app")
	flags.BoolVar(&e.yes, "yes", false, "send the gift without asking")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w%s", err, giftsUsage)
	}
	for _, given := range []struct {
		name string
		err  error
	}{
		{name: "ROOM", err: giftstats.ValidateRoomID(e.gift.RoomID)},
		{name: "FROM", err: giftstats.ValidateAccount(e.gift.Sender)},
		{name: "TO", err: giftstats.ValidateAccount(e.gift.Receiver)},
	} {
		if given.err != nil {
			return fmt.Errorf("%s: %s%s", given.name, giftstats.AsError(given.err).Detail, giftsUsage)
		}
	}
	if e.gift.Sender == e.gift.Receiver {
		return errors.New("FROM and TO must be different accounts" + giftsUsage)
	}
	return nil
}

func (e *experiment) run(ctx context.Context) error {
	before, err := e.ask(ctx)
	if errors.Is(err, giftstats.CodeRoomNotFound) {
		return fmt.Errorf("there is no live room %q: start one in your app, with %q as its host", e.gift.RoomID, e.gift.Receiver)
	}
	if err != nil {
		return err
	}
	e.print("before the gift", before)
	if err := e.send(ctx); err != nil {
		return err
	}
	after, err := e.await(ctx, before)
	if err != nil {
		return err
	}
	e.print("after the gift", after)
	return e.conclude(after.from != before.from, after.to != before.to)
}

// received is what get_gift_count says about an account.
type received struct{ count, coins int64 }

type answers struct{ from, to received }

// ask asks for both accounts.
func (e *experiment) ask(ctx context.Context) (answers, error) {
	one := func(account string) (received, error) {
		stats, err := e.app.engine.GiftCount(ctx, giftstats.Query{RoomID: e.gift.RoomID, Account: account})
		if errors.Is(err, giftstats.CodeRoomNotFound) || ctx.Err() != nil {
			return received{}, err
		}
		if errors.Is(err, giftstats.CodeAccountNotFound) {
			return received{}, fmt.Errorf("the app has no account %q", account)
		}
		return received{stats.TotalCount, stats.TotalCoins}, e.app.verdict(err)
	}
	from, err := one(e.gift.Sender)
	if err != nil {
		return answers{}, err
	}
	to, err := one(e.gift.Receiver)
	return answers{from, to}, err
}

func (e *experiment) print(when string, a answers) {
	fmt.Fprintf(e.out, "get_gift_count %s:\n  %-24q gifts: %d, coins: %d\n  %-24q gifts: %d, coins: %d\n\n",
		when, e.gift.Sender, a.from.count, a.from.coins, e.gift.Receiver, a.to.count, a.to.coins)
}

// send sends the gift, or waits until a person has sent it.
func (e *experiment) send(ctx context.Context) error {
	what := fmt.Sprintf("one gift from %q to %q in the room %q", e.gift.Sender, e.gift.Receiver, e.gift.RoomID)
	if e.gift.GiftID == "" {
		fmt.Fprintf(e.out, "Now send %s with your app. Then press Enter. ", what)
		_, err := e.line(ctx)
		fmt.Fprintln(e.out)
		return err
	}
	if !e.yes {
		if !e.terminal {
			return errors.New("nothing was sent: run this on a terminal, or set YES=1 to send the gift without being asked")
		}
		fmt.Fprintf(e.out, "Send %s, of the kind %q? It is a real gift, which cannot be taken back and which your app may charge for. [y/N] ",
			what, e.gift.GiftID)
		if answer, err := e.line(ctx); err != nil || answer != "y" && answer != "Y" && answer != "yes" {
			return errors.Join(errors.New("nothing was sent"), err)
		}
	}
	err := e.app.sender.SendGift(ctx, e.gift)
	if err == nil {
		fmt.Fprintf(e.out, "Sent %s.\n\n", what)
		return nil
	}
	failed := giftstats.AsError(err)
	if failed.Upstream == nil {
		return errors.New("It is not known whether the gift was sent." + evidence(failed))
	}
	return errors.New("Tencent did not accept the gift." + evidence(failed))
}

// line reads a line. It returns early if ctx is done, as by Ctrl-C.
func (e *experiment) line(ctx context.Context) (string, error) {
	type result struct {
		text string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		scanner := bufio.NewScanner(e.in)
		if !scanner.Scan() {
			read <- result{err: errors.New("no answer: run this on a terminal")}
			return
		}
		read <- result{text: scanner.Text()}
	}()
	select {
	case r := <-read:
		return r.text, r.err
	case <-ctx.Done():
		return "", errors.New("interrupted")
	}
}

// await asks until the numbers of one of the accounts have changed, or often enough.
func (e *experiment) await(ctx context.Context, before answers) (answers, error) {
	for asked := 1; ; asked++ {
		after, err := e.ask(ctx)
		if err != nil || after != before || asked == questions {
			return after, err
		}
		select {
		case <-time.After(e.interval):
		case <-ctx.Done():
			return after, errors.New("interrupted")
		}
	}
}

// conclude says what the changes prove.
func (e *experiment) conclude(fromChanged, toChanged bool) error {
	switch {
	case toChanged && !fromChanged:
		fmt.Fprintf(e.out, "RECEIVER: only the numbers of the receiver, %q, changed. giftstats expects this, so its numbers are what each\n"+
			"account received. There is nothing to change.\n", e.gift.Receiver)
		return nil
	case fromChanged && !toChanged:
		return fmt.Errorf("SENDER: only the numbers of the sender, %q, changed. giftstats expects those of the receiver to change, so for\n"+
			"this app its numbers of an account are what the account sent. Do not pay by them. The totals of a room (GET /v1/room-stats,\n"+
			"and room in summaries) are right. Please report this: https://github.com/giftstats/giftstats/issues", e.gift.Sender)
	case fromChanged:
		return errors.New("NOT SETTLED: the numbers of both accounts changed, so there was more than one gift. Repeat this in a room in " +
			"which nobody else sends gifts")
	}
	return errors.New("NOT SETTLED: the numbers of neither account changed. Check that the gift was sent in this room. If it was, Tencent " +
		"may count it later: run this again after a minute, and compare the first numbers with these")
}
