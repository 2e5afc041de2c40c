package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// paymentPeriods lists streams as a payer does: by account, by room and altogether, in periods that follow each other, whose edges are
// also the very moments of ends and those a nanosecond beside them. Every stream is in one period, and on one page of it.
func paymentPeriods(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(20261126, 1))
	rooms, accounts := []string{"r", "r {1}#"}, []string{"alice", "alice2"}
	edges := []time.Time{Start}
	var all []ledger.Ended
	add := func(id int, endedAt time.Time) {
		ended := NewEnded(rooms[random.IntN(len(rooms))], fmt.Sprint(id), 0)
		ended.EndedAt, ended.Accounts, ended.Senders = endedAt, nil, nil
		for _, account := range accounts {
			if random.IntN(2) == 0 {
				ended.Accounts = append(ended.Accounts, account)
			}
		}
		all = append(all, w.end(t, ended))
	}
	for i := range 24 {
		at := Start.Add(time.Duration(random.Int64N(int64(4 * time.Hour))))
		switch random.IntN(3) {
		case 0:
			at = at.Truncate(time.Hour) // several streams end in the same moment
		case 1:
			edges = append(edges, at.Add(time.Duration(random.IntN(3)-1)))
		}
		add(i, at)
	}
	end := Start.Add(5 * time.Hour)
	edges = append(edges, Start.Add(time.Hour), Start.Add(2*time.Hour), end)
	slices.SortFunc(edges, time.Time.Compare)
	for _, account := range append(accounts, "") {
		for _, room := range append(rooms, "") {
			listed := map[string]int{}
			for i := range len(edges) - 1 {
				query := ledger.Query{Account: account, RoomID: room, From: edges[i], To: edges[i+1]}
				for _, name := range w.listInPages(t, query, 1+random.IntN(9)) {
					listed[name]++
				}
			}
			whole := ledger.Query{Account: account, RoomID: room, From: Start, To: end}
			for _, ended := range all {
				name, want := ended.RoomID+"/"+ended.StreamID, 0
				if whole.Includes(ended) {
					want = 1
				}
				if listed[name] != want {
					t.Errorf("account %q, room %q: %s is listed %d times, want %d", account, room, name, listed[name], want)
				}
			}
		}
	}
}
