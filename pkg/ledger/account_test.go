package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// flood is what somebody can send with the captured URL of a webhook: gifts to accounts that are made up.
func (b *book) flood(name string, n int) {
	b.t.Helper()
	var receivers []string
	for i := range n {
		receivers = append(receivers, fmt.Sprint(name, i))
	}
	for some := range slices.Chunk(receivers, 100) {
		b.see(ledger.Sighting{At: at(1), Opens: true, Receivers: some})
	}
}

// sweep records that Tencent knows only some of the accounts, and what they have received.
func (b *book) sweep(second float64, received map[string]int64) {
	b.t.Helper()
	b.change(func(stream *ledger.Stream) {
		for _, account := range slices.Clone(stream.Accounts) {
			if count, known := received[account.Account]; known {
				stream.AddSnapshot(stats(account.Account, count, count, at(second)))
			} else {
				stream.MarkUnknown(account.Account)
			}
		}
	})
}

func (b *book) wantAccounts(accounts ...string) {
	b.t.Helper()
	stream := b.room().Streams[0]
	for _, account := range accounts {
		if stream.Account(account) == nil {
			b.t.Errorf("%s is not among the accounts", account)
		}
	}
	if len(stream.Accounts) > ledger.MaxAccounts {
		b.t.Errorf("%d accounts, want at most %d", len(stream.Accounts), ledger.MaxAccounts)
	}
}

func TestMadeUpAccountsDoNotDisplaceHosts(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.see(ledger.Sighting{At: at(1), Seated: []string{"bob", "carol"}})
	b.sweep(10, map[string]int64{"alice": 0, "bob": 3, "carol": 0})
	b.flood("first", 500)
	b.wantAccounts("alice", "bob")
	b.sweep(70, map[string]int64{"alice": 0, "bob": 3, "carol": 0})
	b.flood("second", 500)
	b.wantAccounts("alice", "bob")
}

func TestMadeUpAccountsDoNotKeepGuestsOutAfterASweep(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.flood("made-up", 500)
	b.see(ledger.Sighting{At: at(2), Seated: []string{"bob"}})
	if b.room().Streams[0].Account("bob") != nil {
		t.Fatal("there was a place for bob, so that this test shows nothing")
	}
	b.sweep(10, map[string]int64{"alice": 7, "made-up0": 0})
	b.see(ledger.Sighting{At: at(20), Seated: []string{"bob"}})
	b.see(ledger.Sighting{At: at(20), Receivers: []string{"carol"}})
	b.wantAccounts("alice", "bob", "carol", "made-up0")
}

// The flood came before the webhook of the new room, and goes on: somebody announces other owners, until Tencent is asked.
func TestMadeUpAccountsDoNotKeepTheOwnerOut(t *testing.T) {
	b := newBook(t)
	b.flood("made-up", 500)
	b.create(0)
	b.wantAccounts("alice")
	announce := func() {
		for i := range 500 {
			owner := fmt.Sprint("owner", i)
			b.see(ledger.Sighting{At: at(2), StartedAt: at(0), Opens: true, Confirmed: true, Owner: owner})
		}
	}
	announce()
	b.wantAccounts("made-up0", "made-up1", "made-up97") // one of them may be a guest that Tencent was not asked about yet
	b.see(ledger.Sighting{At: at(3), StartedAt: at(0), Opens: true, Confirmed: true, Answered: true, Owner: "alice"})
	b.sweep(10, map[string]int64{"alice": 0})
	announce()
	b.flood("more", 500)
	b.wantAccounts("alice")
}

// The app knows its hosts, and reports are authenticated.
func TestMadeUpAccountsDoNotKeepOutThoseThatTheAppNames(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.see(ledger.Sighting{At: at(1), Seated: []string{"bob"}})
	b.sweep(10, map[string]int64{"alice": 0, "bob": 3})
	b.flood("made-up", 500)
	var named []string
	for i := range 98 {
		named = append(named, fmt.Sprint("host", i))
	}
	b.end(ledger.End{EndedAt: at(100), Source: "direct", Accounts: named})
	b.wantAccounts(append(named, "alice", "bob")...)
	b.see(ledger.Sighting{At: at(99), Receivers: []string{"late"}})
	b.wantAccounts(append(named, "alice", "bob")...)
}

// The ledger learns of a receiver by its gifts only if there was a place; the summary must not lack it for an idle account.
func TestReceiversOfGiftsComeBeforeIdleAccounts(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.flood("made-up", 99)
	b.sweep(10, map[string]int64{"alice": 5})
	tally := ledger.NewTally()
	for _, receiver := range []string{"bob", "made-up3"} {
		tally.Add(ledger.Gift{Sender: "carol", Receivers: []string{receiver}, GiftID: "rose", Count: 1, Coins: 1})
	}
	stream := b.room().Streams[0]
	accounts := stream.WithReceivers(tally)
	for _, want := range []string{"alice", "bob", "made-up3"} {
		if !slices.Contains(accounts, want) {
			t.Errorf("%s is not among the accounts of the summary", want)
		}
	}
	if len(accounts) != ledger.MaxAccounts {
		t.Errorf("%d accounts, want %d", len(accounts), ledger.MaxAccounts)
	}
}

// Somebody floods the room before its end, when no sweep follows that would find out: a guest must not lose its gifts to such accounts.
// Those that the app names keep their places.
func TestReceiversOfGiftsComeBeforeAccountsThatNobodyConfirmed(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.see(ledger.Sighting{At: at(1), Seated: []string{"bob"}})
	b.sweep(10, map[string]int64{"alice": 5, "bob": 0})
	b.flood("made-up", 500)
	b.end(ledger.End{EndedAt: at(100), Source: "direct", Accounts: []string{"carol"}})
	stream := b.room().Streams[0]
	if stream.Account("bob") != nil {
		t.Fatal("bob has kept its place, so that this test shows nothing")
	}
	tally := ledger.NewTally()
	tally.Add(ledger.Gift{Sender: "dave", Receivers: []string{"bob"}, GiftID: "rose", Count: 1, Coins: 1})
	accounts := stream.WithReceivers(tally)
	for _, want := range []string{"alice", "bob", "carol"} {
		if !slices.Contains(accounts, want) {
			t.Errorf("%s is not among the accounts of the summary", want)
		}
	}
	if len(accounts) != ledger.MaxAccounts {
		t.Errorf("%d accounts, want %d", len(accounts), ledger.MaxAccounts)
	}
}
