package ledger

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Sum is a number of gifts and their coins.
type Sum struct {
	TotalCount int64 `json:"total_count"`
	TotalCoins int64 `json:"total_coins"`
}

// Add adds another sum. A total that does not fit becomes the largest number: the counts and prices of gifts come from webhooks whose
// bodies are not signed, and a sum that wraps around would be believed.
func (s *Sum) Add(other Sum) {
	s.TotalCount = saturated(s.TotalCount, other.TotalCount)
	s.TotalCoins = saturated(s.TotalCoins, other.TotalCoins)
}

func saturated(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Sender is what one account gave.
type Sender struct {
	Account string `json:"account"`
	Sum
}

// GiftTotal is what was given of one kind of gift.
type GiftTotal struct {
	GiftID string `json:"gift_id"`
	Sum
}

// Ranking tells who gave how much: by coins, then by gifts, both descending.
type Ranking struct {
	Senders     []Sender `json:"senders"`
	SenderCount int64    `json:"sender_count"`
	Sum
}

// Top returns the ranking with at most n senders; the sums stay those of all.
func (r Ranking) Top(n int) Ranking {
	r.Senders = r.Senders[:min(n, len(r.Senders))]
	return r
}

// Tally adds gifts up.
type Tally struct {
	receivers map[string]map[string]Sum // by receiver and sender
	gifts     map[string]Sum            // by gift id
	shares    int                       // gifts, each as often as it has receivers
}

// NewTally returns an empty Tally.
func NewTally() *Tally {
	return &Tally{receivers: map[string]map[string]Sum{}, gifts: map[string]Sum{}}
}

// Add counts a gift for each of its receivers, with its whole value.
func (t *Tally) Add(gift Gift) {
	t.shares += max(1, len(gift.Receivers))
	for _, receiver := range gift.Receivers {
		senders := t.receivers[receiver]
		if senders == nil {
			senders = map[string]Sum{}
			t.receivers[receiver] = senders
		}
		addTo(senders, gift.Sender, Sum{gift.Count, gift.Coins})
		addTo(t.gifts, gift.GiftID, Sum{gift.Count, gift.Coins})
	}
}

// maxShares is how many gifts are added up, each as often as it has receivers: several times as many as the largest shows have. A function
// has the memory and the time for them. Without a bound, invented gifts with 100 receivers each could keep a stream from being summarized.
const maxShares = 500_000

// Full reports whether there are more gifts than can be added up.
func (t *Tally) Full() bool { return t.shares > maxShares }

func addTo(sums map[string]Sum, key string, more Sum) {
	sum := sums[key]
	sum.Add(more)
	sums[key] = sum
}

// sums returns how many sums the tally holds.
func (t *Tally) sums() int {
	n := len(t.gifts)
	for _, senders := range t.receivers {
		n += len(senders)
	}
	return n
}

// clone returns a copy that shares nothing with t.
func (t *Tally) clone() *Tally {
	copied := &Tally{receivers: make(map[string]map[string]Sum, len(t.receivers)), gifts: maps.Clone(t.gifts), shares: t.shares}
	for receiver, senders := range t.receivers {
		copied.receivers[receiver] = maps.Clone(senders)
	}
	return copied
}

// Receivers lists the receivers, sorted.
func (t *Tally) Receivers() []string { return slices.Sorted(maps.Keys(t.receivers)) }

// Received returns what an account received, and from how many senders.
func (t *Tally) Received(account string) (sum Sum, senders int64) {
	for _, given := range t.receivers[account] {
		sum.Add(given)
	}
	return sum, int64(len(t.receivers[account]))
}

// Ranking ranks the senders of gifts to an account, or of all gifts if account is empty.
func (t *Tally) Ranking(account string) Ranking {
	given := t.receivers[account]
	if account == "" {
		given = map[string]Sum{}
		for _, senders := range t.receivers {
			for sender, sum := range senders {
				addTo(given, sender, sum)
			}
		}
	}
	ranking := Ranking{Senders: make([]Sender, 0, len(given)), SenderCount: int64(len(given))}
	for sender, sum := range given {
		ranking.Senders = append(ranking.Senders, Sender{sender, sum})
		ranking.Add(sum)
	}
	slices.SortFunc(ranking.Senders, func(a, b Sender) int {
		return cmp.Or(cmp.Compare(b.TotalCoins, a.TotalCoins), cmp.Compare(b.TotalCount, a.TotalCount), cmp.Compare(a.Account, b.Account))
	})
	return ranking
}

// Gifts lists the totals of each kind of gift, by coins, then by number, both descending.
func (t *Tally) Gifts() []GiftTotal {
	totals := make([]GiftTotal, 0, len(t.gifts))
	for id, sum := range t.gifts {
		totals = append(totals, GiftTotal{id, sum})
	}
	slices.SortFunc(totals, func(a, b GiftTotal) int {
		return cmp.Or(cmp.Compare(b.TotalCoins, a.TotalCoins), cmp.Compare(b.TotalCount, a.TotalCount), cmp.Compare(a.GiftID, b.GiftID))
	})
	return totals
}
