package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// check lists the document, makes one call, and prints what the answer proves.
//
// The call is get_gift_count, because it is the one that the product depends on: a plan without gifts is refused with 102001, which no
// page lists for get_room_info. The account is the administrator, because it exists.
func check(ctx context.Context, out io.Writer) error {
	a, err := open(ctx)
	if err != nil {
		return err
	}
	list(out, a.document)
	if err := checkKey(out, a.document, os.Getenv("KEY")); err != nil {
		return err
	}
	fmt.Fprintf(out, "Calling get_gift_count at %s for a room that does not exist.\n\n", a.endpoint)
	_, err = a.engine.GiftCount(ctx, giftstats.Query{RoomID: "giftstats-check-" + rand.Text(), Account: a.document.Admin})
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := a.verdict(err); err != nil {
		return err
	}
	fmt.Fprintf(out, "OK: key and region are right. At this host, Tencent accepts the signature of %q in the app %d.\n\n"+
		"This does not show whether the app's plan includes gifts, because Tencent may look for the room first, nor whether the address of\n"+
		"a function is allowed.\n", a.document.Admin, a.document.SDKAppID)
	return nil
}
