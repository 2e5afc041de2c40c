package dynamodb_test

import (
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// Every app user may ask for their own streams in any room. What that reads must not grow with the history of the room.
func TestReadsForAnAccountInARoomWithManyStreams(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	store := newStore(t, cloud, ledgertest.NewClock().Now)
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
		account string
		found   int
		reads   int
	}{
		{account: "stranger", reads: 1},
		{account: "guest", found: 1, reads: 2},
		{account: "alice", found: 1, reads: 2},
	} {
		query := everything()
		query.RoomID, query.Account, query.Limit = "daily", test.account, 1
		before := reads(cloud)
		streams, err := store.ListEnded(t.Context(), query)
		if err != nil || len(streams) != test.found {
			t.Errorf("%s: %d streams, %v; want %d", test.account, len(streams), err, test.found)
		}
		if got := reads(cloud) - before; got > test.reads {
			t.Errorf("%s: %d calls, want at most %d", test.account, got, test.reads)
		}
	}
}

func reads(cloud *awsapi.Server) int {
	return cloud.Calls("Query") + cloud.Calls("GetItem") + cloud.Calls("BatchGetItem")
}
