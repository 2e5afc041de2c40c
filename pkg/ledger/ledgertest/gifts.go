package ledgertest

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

func encode(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// NewGift returns a gift in a room, so many seconds after Start.
func NewGift(room, id string, second int) ledger.Gift {
	return ledger.Gift{
		ID: id, RoomID: room, Sender: "carol", Receivers: []string{"alice"}, GiftID: "rose", Count: 1, Coins: 10,
		At: Start.Add(time.Duration(second) * time.Second),
	}
}

func (w *world) add(t *testing.T, gift ledger.Gift) {
	t.Helper()
	if err := w.store.AddGift(t.Context(), gift, w.later(time.Hour)); err != nil {
		t.Fatalf("AddGift: %v", err)
	}
}

func (w *world) giftIDs(t *testing.T, room string, from, until time.Time) []string {
	t.Helper()
	var ids []string
	for _, gift := range w.gifts(t, room, from, until) {
		ids = append(ids, gift.ID)
	}
	slices.Sort(ids)
	return ids
}

func gifts(t *testing.T, w *world) {
	if found := w.gifts(t, "a", time.Unix(0, 0), w.later(time.Hour)); len(found) != 0 {
		t.Errorf("a room without gifts has %v", found)
	}
	full := NewGift("a", "g0", 0)
	full.Receivers, full.Count, full.Coins = []string{"alice", "bob"}, 3, 300
	w.add(t, full)
	if found := w.gifts(t, "a", Start, Start.Add(time.Second)); len(found) != 1 || encode(t, found[0]) != encode(t, full) {
		t.Errorf("the gift is\n%s\nand not\n%s", encode(t, found), encode(t, full))
	}
	bare := NewGift("a", "g1", 1)
	bare.Receivers = nil
	w.add(t, bare)
	if found := w.gifts(t, "a", Start.Add(time.Second), Start.Add(2*time.Second)); len(found) != 1 || len(found[0].Receivers) != 0 {
		t.Errorf("a gift without receivers is %v", found)
	}
	for i := 2; i < 10; i++ {
		w.add(t, NewGift("a", fmt.Sprintf("g%d", i), i))
	}
	w.add(t, NewGift("b", "g5", 5))
	for _, test := range []struct {
		name        string
		from, until int
		want        []string
	}{
		{name: "all", from: -3600, until: 3600, want: []string{"g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9"}},
		{name: "from is included and until is not", from: 3, until: 6, want: []string{"g3", "g4", "g5"}},
		{name: "none", from: 6, until: 6, want: nil},
		{name: "later", from: 10, until: 100, want: nil},
	} {
		from, until := Start.Add(time.Duration(test.from)*time.Second), Start.Add(time.Duration(test.until)*time.Second)
		if got := w.giftIDs(t, "a", from, until); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if got := w.giftIDs(t, "a", time.Unix(0, 0), w.later(time.Hour)); len(got) != 10 {
		t.Errorf("from 1970 there are %v", got)
	}
}

func repeatedGifts(t *testing.T, w *world) {
	for range 3 {
		w.add(t, NewGift("a", "same", 1))
	}
	w.add(t, NewGift("a", "other", 1)) // a combo: two equal gifts in one second
	if got := w.giftIDs(t, "a", Start, w.later(time.Hour)); !slices.Equal(got, []string{"other", "same"}) {
		t.Errorf("the gifts are %v", got)
	}
}

func concurrentGifts(t *testing.T, w *world) {
	const writers, each = 8, 100
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() {
			for j := range each {
				gift := NewGift("a", fmt.Sprintf("%d-%d", i, j), j%10)
				for range 1 + j%2 { // half of the writes are repeated
					if err := w.store.AddGift(t.Context(), gift, w.later(time.Hour)); err != nil {
						t.Errorf("AddGift: %v", err)
					}
				}
			}
		})
	}
	running.Wait()
	tally := ledger.NewTally()
	for _, gift := range w.gifts(t, "a", Start, w.later(time.Hour)) {
		tally.Add(gift)
	}
	if sum, senders := tally.Received("alice"); sum.TotalCount != writers*each || sum.TotalCoins != writers*each*10 || senders != 1 {
		t.Errorf("the sum is %+v of %d senders", sum, senders)
	}
}

func droppedGifts(t *testing.T, w *world) {
	for i := range 5 {
		w.add(t, NewGift("a", fmt.Sprintf("g%d", i), i))
	}
	w.add(t, NewGift("b", "g0", 0))
	if err := w.store.DropGifts(t.Context(), "a", Start.Add(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := w.giftIDs(t, "a", Start.Add(3*time.Second), w.later(time.Hour)); !slices.Equal(got, []string{"g3", "g4"}) {
		t.Errorf("the later gifts are %v", got)
	}
	if got := w.giftIDs(t, "b", Start, w.later(time.Hour)); !slices.Equal(got, []string{"g0"}) {
		t.Errorf("the gifts of the other room are %v", got)
	}
}

func exactNumbers(t *testing.T, w *world) {
	gift := NewGift("a", "g", 0)
	gift.Count, gift.Coins = 1<<53+1, math.MaxInt64
	w.add(t, gift)
	if found := w.gifts(t, "a", Start, w.later(time.Hour)); len(found) != 1 || found[0].Count != gift.Count || found[0].Coins != gift.Coins {
		t.Errorf("the gift is %+v", found)
	}
	ended := NewEnded("a", "1", 0)
	ended.Gifts = []ledger.GiftTotal{{GiftID: "rose", Sum: ledger.Sum{TotalCount: 1<<53 + 1, TotalCoins: math.MaxInt64}}}
	stored, err := w.store.SaveEnded(t.Context(), ended)
	if err != nil || stored.Gifts[0] != ended.Gifts[0] {
		t.Errorf("the totals are %+v, %v", stored.Gifts, err)
	}
}
