package ledger

import (
	"fmt"
	"testing"
	"time"
)

// A hundred shows with very many senders must not use up the memory of a function.
func TestMemoryForTalliesIsBounded(t *testing.T) {
	start := time.Unix(0, 0)
	senders := func(n int) tallied {
		tally := NewTally()
		for i := range n {
			tally.Add(Gift{Sender: fmt.Sprint("sender ", i), Receivers: []string{"alice"}, GiftID: "rose", Count: 1, Coins: 1})
		}
		return tallied{tally, start, start, start}
	}
	var cache tallyCache
	for _, n := range []int{1, 30_000, 90_000, maxSums, 3, 70_000} {
		entry := senders(n)
		for i := range 3 {
			cache.put(fmt.Sprint(n, "-", i), entry)
			held := 0
			for _, entry := range cache.entries {
				held += entry.tally.sums()
			}
			if held > maxSums {
				t.Fatalf("the cache holds %d sums, want at most %d", held, maxSums)
			}
			if held != cache.sums {
				t.Fatalf("the cache counts %d sums and holds %d", cache.sums, held)
			}
		}
	}
	cache.put("show", senders(10))
	cache.put("show", senders(20))
	if got := cache.take("show", start, start).tally.sums(); got != 21 { // and one kind of gift
		t.Errorf("%d sums of the show are kept, want those of the second reading, 21", got)
	}
	if got := cache.take("show", start, start).tally.sums(); got != 0 {
		t.Errorf("an entry was taken twice: it has %d sums", got)
	}
}
