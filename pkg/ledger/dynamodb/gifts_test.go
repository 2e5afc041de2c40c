package dynamodb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// withGifts returns a store with n gifts of a room, one in each second.
func withGifts(t *testing.T, n int) (*awsapi.Server, *dynamodb.Store) {
	t.Helper()
	cloud := start(t)
	store := newStore(t, cloud, ledgertest.NewClock().Now)
	for i := range n {
		if err := store.AddGift(t.Context(), ledgertest.NewGift("a", fmt.Sprint(i), i), ledgertest.Start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	return cloud, store
}

// A reader that waits for an answer does not hold up a consumer that has seen enough.
func TestReadersOfGiftsEndWithTheirConsumer(t *testing.T) {
	t.Parallel()
	cloud, store := withGifts(t, 100)
	cloud.Misbehave(awsapi.Fault{Action: "Query", Skip: 1, Times: -1, Latency: time.Hour})
	seen := 0
	for _, err := range store.Gifts(t.Context(), "a", ledgertest.Start, ledgertest.Start.Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("%d gifts, want 1", seen)
	}
}

func TestFailureBetweenPagesOfGifts(t *testing.T) {
	t.Parallel()
	cloud, store := withGifts(t, 100)
	cloud.LimitPages(2)
	cloud.Misbehave(awsapi.Fault{Action: "Query", Skip: 20, Times: -1, Code: "AccessDeniedException"})
	gifts, failures := 0, 0
	for _, err := range store.Gifts(t.Context(), "a", ledgertest.Start, ledgertest.Start.Add(time.Hour)) {
		switch {
		case err != nil:
			failures++
		case failures > 0:
			t.Fatal("a gift follows the error")
		default:
			gifts++
		}
	}
	if failures != 1 || gifts >= 100 {
		t.Errorf("%d gifts and %d errors", gifts, failures)
	}
}

// Gifts have whole milliseconds; the bounds may have parts of one.
func TestBoundsOfGifts(t *testing.T) {
	t.Parallel()
	_, store := withGifts(t, 2)
	second := ledgertest.Start.Add(time.Second)
	for _, test := range []struct {
		name        string
		from, until time.Time
		want        []string
	}{
		{name: "just after the first", from: ledgertest.Start.Add(1), until: second.Add(1), want: []string{"1"}},
		{name: "just before the second", from: ledgertest.Start.Add(-1), until: second.Add(-1), want: []string{"0"}},
		{name: "all times", from: time.Time{}, until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), want: []string{"0", "1"}},
		{name: "from after until", from: second, until: ledgertest.Start, want: nil},
	} {
		var got []string
		for gift, err := range store.Gifts(t.Context(), "a", test.from, test.until) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, gift.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
