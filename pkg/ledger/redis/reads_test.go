package redis_test

import (
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

func TestReadsForAnAccountInARoomWithManyStreams(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	ledgertest.TestReads(t, open(t, config(server, ledgertest.NewClock().Now)), server.CommandCount)
}
