package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// TestReads checks that what a store reads of an account's streams in a room does not grow with the history of the room: every app user
// may ask for their own streams in any room. The store is empty; calls counts its calls so far.
func TestReads(t *testing.T, store ledger.Store, calls func() int) {
	for i := range 100 {
		ended := NewEnded("daily", fmt.Sprint(i), i*60)
		if i == 0 {
			ended.Accounts = append(ended.Accounts, "guest")
		}
		if _, err := store.SaveEnded(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		account string
		found   int
		calls   int
	}{
		{account: "stranger", calls: 1},
		{account: "guest", found: 1, calls: 2},
		{account: "alice", found: 1, calls: 2},
	} {
		before := calls()
		streams, err := store.ListEnded(t.Context(), ledger.Query{
			RoomID: "daily", Account: test.account, From: time.Unix(0, 0), To: Start.Add(1000 * time.Hour), Limit: 1,
		})
		if err != nil || len(streams) != test.found {
			t.Errorf("%s: %d streams, %v; want %d", test.account, len(streams), err, test.found)
		}
		if got := calls() - before; got > test.calls {
			t.Errorf("%s: %d calls, want at most %d", test.account, got, test.calls)
		}
	}
}
