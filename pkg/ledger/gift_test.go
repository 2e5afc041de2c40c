package ledger_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

func TestNewGift(t *testing.T) {
	many := slices.Repeat([]string{"bob"}, 101)
	for _, test := range []struct {
		name         string
		count, price int64
		change       func(*ledger.Gift)
		coins        int64
		err          string
	}{
		{name: "count times price", count: 3, price: 10, coins: 30},
		{name: "free", count: math.MaxInt64, price: 0, coins: 0},
		{name: "none", count: 0, price: math.MaxInt64, coins: 0},
		{name: "largest value", count: 1 << 31, price: 1 << 31, coins: 1 << 62},
		{name: "one more", count: 1, price: 1<<62 + 1, err: "the value of the gift is too large"},
		{name: "overflow of int64", count: 1 << 32, price: 1 << 31, err: "the value of the gift is too large"},
		{name: "overflow of uint64 to a small number", count: 1 << 33, price: 1 << 31, err: "the value of the gift is too large"},
		{name: "negative count", count: -1, price: 1, err: "negative"},
		{name: "negative price", count: 1, price: -1, err: "negative"},
		{name: "both negative", count: -1, price: -1, err: "negative"},
		{name: "no room", change: func(g *ledger.Gift) { g.RoomID = "" }, err: "room_id"},
		{name: "no sender", change: func(g *ledger.Gift) { g.Sender = "" }, err: "account"},
		{name: "invalid receiver", change: func(g *ledger.Gift) { g.Receivers = []string{"bob", ""} }, err: "account"},
		{name: "no receiver", count: 1, price: 1, change: func(g *ledger.Gift) { g.Receivers = nil }, coins: 1},
		{name: "100 receivers", count: 1, price: 1, change: func(g *ledger.Gift) { g.Receivers = many[:100] }, coins: 1},
		{name: "101 receivers", change: func(g *ledger.Gift) { g.Receivers = many }, err: "more than 100 receivers"},
		{name: "no time", change: func(g *ledger.Gift) { g.At = time.Time{} }, err: "no time"},
		{name: "gift id of 128 bytes", change: func(g *ledger.Gift) { g.GiftID = strings.Repeat("g", 128) }},
		{name: "gift id with a control character", change: func(g *ledger.Gift) { g.GiftID = "ro\x01se" }, err: "control character"},
		{name: "gift id of 129 bytes", change: func(g *ledger.Gift) { g.GiftID = strings.Repeat("g", 129) }, err: "longer than 128 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			gift := ledger.Gift{RoomID: "r", Sender: "carol", Receivers: []string{"alice"}, GiftID: "rose", Count: test.count, At: at(0)}
			if test.change != nil {
				test.change(&gift)
			}
			made, err := ledger.NewGift(gift, test.price)
			switch {
			case test.err == "" && err != nil:
				t.Errorf("NewGift failed: %v", err)
			case test.err == "" && made.Coins != test.coins:
				t.Errorf("the gift is worth %d coins, want %d", made.Coins, test.coins)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("the error is %v, want one with %q", err, test.err)
			}
		})
	}
}

func given(sender, giftID string, count, coins int64, receivers ...string) ledger.Gift {
	return ledger.Gift{Sender: sender, GiftID: giftID, Count: count, Coins: coins, Receivers: receivers}
}

// Each receiver gets the whole value, and each sender is ranked by all that he gave.
func TestTallyAddsUp(t *testing.T) {
	tally := ledger.NewTally()
	for _, gift := range []ledger.Gift{
		given("dan", "rose", 1, 10, "alice"),
		given("dan", "car", 1, 30, "alice", "bob"),
		given("eve", "rose", 5, 40, "alice"),
		given("fay", "rose", 3, 40, "bob"),
		given("ann", "rose", 3, 40, "bob"),
	} {
		tally.Add(gift)
	}
	if got := tally.Receivers(); !slices.Equal(got, []string{"alice", "bob"}) {
		t.Errorf("the receivers are %v", got)
	}
	sum, senders := tally.Received("alice")
	if want := (ledger.Sum{TotalCount: 7, TotalCoins: 80}); sum != want || senders != 2 {
		t.Errorf("alice received %+v from %d senders, want %+v from 2", sum, senders, want)
	}
	if sum, senders := tally.Received("nobody"); sum != (ledger.Sum{}) || senders != 0 {
		t.Errorf("nobody received %+v from %d senders", sum, senders)
	}
	all := tally.Ranking("")
	wantSenders(t, all.Senders, "dan 3/70", "eve 5/40", "ann 3/40", "fay 3/40")
	if want := (ledger.Sum{TotalCount: 14, TotalCoins: 190}); all.Sum != want || all.SenderCount != 4 {
		t.Errorf("the ranking sums up %+v of %d senders, want %+v of 4", all.Sum, all.SenderCount, want)
	}
	top := all.Top(1)
	wantSenders(t, top.Senders, "dan 3/70")
	if top.Sum != all.Sum || top.SenderCount != 4 {
		t.Errorf("the sums of the first one are %+v of %d senders, want those of all", top.Sum, top.SenderCount)
	}
	wantSenders(t, all.Top(9).Senders, "dan 3/70", "eve 5/40", "ann 3/40", "fay 3/40")
	wantSenders(t, tally.Ranking("bob").Senders, "ann 3/40", "fay 3/40", "dan 1/30")
	wantSenders(t, tally.Ranking("nobody").Senders)
	var kinds []ledger.Sender // in the same form
	for _, gift := range tally.Gifts() {
		kinds = append(kinds, ledger.Sender{Account: gift.GiftID, Sum: gift.Sum})
	}
	wantSenders(t, kinds, "rose 12/130", "car 2/60")
}

// The order of senders and of gifts is the same: by coins, then by number, then by name.
func TestOrderOfGifts(t *testing.T) {
	tally := ledger.NewTally()
	for _, gift := range []ledger.Gift{
		given("s", "b", 1, 10, "alice"), given("s", "a", 1, 10, "alice"), given("s", "c", 2, 10, "alice"), given("s", "d", 1, 11, "alice"),
	} {
		tally.Add(gift)
	}
	var order string
	for _, gift := range tally.Gifts() {
		order += gift.GiftID
	}
	if order != "dcab" {
		t.Errorf("the order is %s, want dcab", order)
	}
}

// A sum that wraps around would rank the largest sender last, or would equal the totals of a room by chance.
func TestSumsDoNotWrapAround(t *testing.T) {
	tally := ledger.NewTally()
	for range 4 {
		tally.Add(given("dan", "rose", math.MaxInt64/2, 1<<62, "alice"))
	}
	want := ledger.Sum{TotalCount: math.MaxInt64, TotalCoins: math.MaxInt64}
	if sum, _ := tally.Received("alice"); sum != want {
		t.Errorf("alice received %+v, want %+v", sum, want)
	}
	if got := tally.Ranking("").Sum; got != want {
		t.Errorf("the sum of the ranking is %+v, want %+v", got, want)
	}
	if got := tally.Gifts()[0].Sum; got != want {
		t.Errorf("the sum of the gift is %+v, want %+v", got, want)
	}
}
