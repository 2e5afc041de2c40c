package redis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// Every app user may ask for their own streams in any room. What that reads must not grow with the history of the room.
func TestReadsForAnAccountInARoomWithManyStreams(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	store := open(t, config(server, ledgertest.NewClock().Now))
	for i := range 100 {
		ended := ledgertest.NewEnded("daily", fmt.Sprint(i), i*60)
		if i == 0 {
			ended.Accounts = append(ended.Accounts, "guest")
		}
		if _, err := store.SaveEnded(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		account  string
		found    int
		commands int
	}{
		{account: "stranger", commands: 1},
		{account: "guest", found: 1, commands: 2},
		{account: "alice", found: 1, commands: 2},
	} {
		before := server.CommandCount()
		streams, err := store.ListEnded(t.Context(), ledger.Query{
			RoomID: "daily", Account: test.account, From: time.Unix(0, 0), To: ledgertest.Start.Add(1000 * time.Hour), Limit: 1,
		})
		if err != nil || len(streams) != test.found {
			t.Errorf("%s: %d streams, %v; want %d", test.account, len(streams), err, test.found)
		}
		if got := server.CommandCount() - before; got > test.commands {
			t.Errorf("%s: %d commands, want at most %d", test.account, got, test.commands)
		}
	}
}
