package dynamodb_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// largest returns a stream with 100 accounts, 101 rankings of 100 senders that no compression makes small, and a kind of gift for each
// sender.
func largest() ledger.Ended {
	ended := ledgertest.NewEnded("a", "1", 0)
	ended.Accounts, ended.Senders, ended.Gifts = nil, nil, nil
	for i := range ledger.MaxAccounts + 1 {
		ranking := ledger.Ranking{SenderCount: 1000, Sum: ledger.Sum{TotalCount: 1 << 60, TotalCoins: 1 << 62}}
		for j := range ledger.MaxSenders {
			sum := ledger.Sum{TotalCount: 1<<60 + int64(i*j), TotalCoins: 1<<62 - int64(i*j*j)}
			ranking.Senders = append(ranking.Senders, ledger.Sender{Account: rand.Text() + rand.Text()[:6], Sum: sum})
			ended.Gifts = append(ended.Gifts, ledger.GiftTotal{GiftID: rand.Text(), Sum: sum})
		}
		ended.Senders = append(ended.Senders, ranking)
		if i > 0 {
			ended.Accounts = append(ended.Accounts, rand.Text()+rand.Text()[:6])
		}
	}
	ended.Summary = []byte(`{"data":"` + rand.Text() + `"}`)
	return ended
}

func TestLargestEndedStream(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	store := newStore(t, cloud, ledgertest.NewClock().Now)
	ended := largest()
	stored, err := store.SaveEnded(t.Context(), ended)
	if err != nil {
		t.Fatal(err)
	}
	found, err := store.Ended(t.Context(), "a", "1")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(found.Summary, ended.Summary) || !bytes.Equal(stored.Summary, ended.Summary) {
		t.Error("the summary was changed")
	}
	if encoded(t, found) != encoded(t, stored) {
		t.Error("SaveEnded returned another stream than Ended")
	}
	if len(found.Senders) != len(ended.Senders) || len(found.Accounts) != len(ended.Accounts) {
		t.Fatalf("%d rankings of %d accounts are stored", len(found.Senders), len(found.Accounts))
	}
	for i, ranking := range found.Senders {
		kept := len(ranking.Senders)
		if kept != 50 || !slices.Equal(ranking.Senders, ended.Senders[i].Senders[:kept]) {
			t.Fatalf("ranking %d has %d senders, want the first 50", i, kept)
		}
		if ranking.Sum != ended.Senders[i].Sum || ranking.SenderCount != ended.Senders[i].SenderCount {
			t.Errorf("the sums of ranking %d were changed", i)
		}
	}
	if n := len(found.Gifts); n == 0 || !slices.Equal(found.Gifts, ended.Gifts[:n]) {
		t.Errorf("%d kinds of gifts are stored, want some of the first ones", n)
	}
	if len(ended.Senders[0].Senders) != ledger.MaxSenders {
		t.Error("the caller's stream was changed")
	}
	for _, account := range []string{ended.Accounts[0], ended.Accounts[99]} {
		query := everything()
		query.Account = account
		if streams, err := store.ListEnded(t.Context(), query); err != nil || len(streams) != 1 {
			t.Errorf("%d streams of the account, %v", len(streams), err)
		}
	}
}

func encoded(t *testing.T, ended ledger.Ended) string {
	t.Helper()
	raw, err := json.Marshal(ended)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestOrdinaryStreamKeepsAllSenders(t *testing.T) {
	t.Parallel()
	store := newStore(t, start(t), ledgertest.NewClock().Now)
	ended := largest()
	ended.Accounts, ended.Senders, ended.Gifts = ended.Accounts[:20], ended.Senders[:21], ended.Gifts[:100]
	stored, err := store.SaveEnded(t.Context(), ended)
	if err != nil {
		t.Fatal(err)
	}
	if encoded(t, stored) != encoded(t, ended) {
		t.Error("the stream was reduced")
	}
}

// The order is that of ledger.Position, to the nanosecond and with ids of which one begins with the other.
func TestOrderOfEndedStreams(t *testing.T) {
	t.Parallel()
	store := newStore(t, start(t), ledgertest.NewClock().Now)
	at := ledgertest.Start
	var want []ledger.Position
	for _, position := range []ledger.Position{
		{EndedAt: at, RoomID: "a", StreamID: "1"},
		{EndedAt: at, RoomID: "a", StreamID: "10"},
		{EndedAt: at, RoomID: "a!", StreamID: "1"},
		{EndedAt: at, RoomID: "a#", StreamID: "1"},
		{EndedAt: at, RoomID: "房", StreamID: "1"},
		{EndedAt: at.Add(1), RoomID: "a", StreamID: "2"},
		{EndedAt: at.Add(999), RoomID: "a", StreamID: "3"},
		{EndedAt: at.Add(time.Microsecond), RoomID: "a", StreamID: "4"},
		{EndedAt: time.Unix(0, 0).UTC(), RoomID: "a", StreamID: "5"},
	} {
		ended := ledgertest.NewEnded(position.RoomID, position.StreamID, 0)
		ended.EndedAt = position.EndedAt
		if _, err := store.SaveEnded(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		want = append(want, position)
	}
	slices.SortFunc(want, func(a, b ledger.Position) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	query := everything()
	query.Limit = 2
	var got []ledger.Position
	for range want {
		page, err := store.ListEnded(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, ended := range page {
			got = append(got, ended.Position())
			query.After = &got[len(got)-1]
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the order is\n%v, want\n%v", got, want)
	}
}

func TestBoundsOfQueries(t *testing.T) {
	t.Parallel()
	store := newStore(t, start(t), ledgertest.NewClock().Now)
	ended := ledgertest.NewEnded("a", "1", 0)
	if _, err := store.SaveEnded(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		from, to time.Time
		want     int
	}{
		{name: "all times", from: time.Time{}, to: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), want: 1},
		{name: "the moment alone", from: ended.EndedAt, to: ended.EndedAt.Add(1), want: 1},
		{name: "until the moment", from: time.Time{}, to: ended.EndedAt, want: 0},
		{name: "after the moment", from: ended.EndedAt.Add(1), to: ended.EndedAt.Add(time.Hour), want: 0},
		{name: "from after to", from: ended.EndedAt.Add(time.Hour), to: ended.EndedAt, want: 0},
	} {
		found, err := store.ListEnded(t.Context(), ledger.Query{From: test.from, To: test.to, Limit: 10})
		if err != nil || len(found) != test.want {
			t.Errorf("%s: %d streams, %v; want %d", test.name, len(found), err, test.want)
		}
	}
}

// The pointers of a stream that expired may stay for days, and point to the one that was stored in its place.
func TestPointersOfAnExpiredStream(t *testing.T) {
	t.Parallel()
	clock := ledgertest.NewClock()
	store := newStore(t, start(t), clock.Now)
	for hour := range 2 {
		ended := ledgertest.NewEnded("a", "1", hour)
		ended.Expires = clock.Now().Add(time.Hour)
		if _, err := store.SaveEnded(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
	}
	clock.Advance(-time.Minute) // the second one has not expired
	found, err := store.ListEnded(t.Context(), everything())
	if err != nil || len(found) != 1 {
		t.Errorf("%d streams are listed, %v; want the second one", len(found), err)
	}
	clock.Advance(-time.Hour) // a pointer that has not expired, either
	if found, err := store.ListEnded(t.Context(), everything()); err != nil || len(found) != 1 {
		t.Errorf("%d streams are listed, %v; want the one that is stored", len(found), err)
	}
}

func TestMarkTakenOfAnUnknownStream(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	store := newStore(t, cloud, ledgertest.NewClock().Now)
	if err := store.MarkTaken(t.Context(), "a", "1", "receiver"); err != ledger.ErrNotFound {
		t.Errorf("the error is %v", err)
	}
	if items := cloud.Items(table, ""); items != 0 {
		t.Errorf("%d items are stored, want none", items)
	}
}
