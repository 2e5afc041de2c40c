package dynamodb_test

import (
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

func TestReadsForAnAccountInARoomWithManyStreams(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	ledgertest.TestReads(t, newStore(t, cloud, ledgertest.NewClock().Now), func() int {
		return cloud.Calls("Query") + cloud.Calls("GetItem") + cloud.Calls("BatchGetItem")
	})
}
