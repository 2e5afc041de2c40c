package streamend

import (
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// What a summary claims of itself: if it is wrongly true, someone pays a wrong amount.
func TestClaimsOfASummary(t *testing.T) {
	both := []string{"alice", "bob"}
	yes, no := true, false
	for _, test := range []struct {
		name         string
		known        evidence
		reconciled   *bool
		unattributed *ledger.Sum
		complete     bool
		roomFrom     string
	}{
		{
			name: "sums equal the totals", reconciled: &yes, complete: true, roomFrom: FromWebhook,
			known: evidence{accounts: both, totals: room(7, 70), totalsFrom: FromWebhook},
		},
		{
			name: "coins are missing", reconciled: &no, unattributed: &ledger.Sum{TotalCoins: 1}, complete: true, roomFrom: FromUpstream,
			known: evidence{accounts: both, totals: room(7, 71), totalsFrom: FromUpstream},
		},
		{
			name: "gifts are missing", reconciled: &no, unattributed: &ledger.Sum{TotalCount: 1}, complete: true, roomFrom: FromUpstream,
			known: evidence{accounts: both, totals: room(8, 70), totalsFrom: FromUpstream},
		},
		{
			name: "more than the totals", reconciled: &no, unattributed: &ledger.Sum{TotalCount: -1, TotalCoins: -10}, complete: true,
			known: evidence{accounts: both, totals: room(6, 60), totalsFrom: FromUpstream}, roomFrom: FromUpstream,
		},
		{
			name: "an account without numbers", reconciled: &no, unattributed: &ledger.Sum{TotalCount: 2, TotalCoins: 20}, roomFrom: FromUpstream,
			known: evidence{accounts: []string{"alice", "carol"}, totals: room(7, 70), totalsFrom: FromUpstream},
		},
		{
			name: "sums equal totals of before the end", reconciled: &yes, complete: true, roomFrom: FromSnapshot,
			known: evidence{accounts: both, totals: room(7, 70), totalsFrom: FromSnapshot},
		},
		{
			name: "more than totals of before the end", reconciled: &no, unattributed: &ledger.Sum{TotalCount: -1, TotalCoins: -10},
			complete: true, roomFrom: FromSnapshot,
			known: evidence{accounts: both, totals: room(6, 60), totalsFrom: FromSnapshot},
		},
		{name: "no totals", known: evidence{accounts: both}, roomFrom: FromNone},
		{
			name: "no accounts", known: evidence{totals: room(0, 0), totalsFrom: FromWebhook}, reconciled: &yes, roomFrom: FromWebhook,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.known.roomID, test.known.gone, test.known.endedAt, test.known.now = "r", gone, at(100), at(110)
			test.known.stream = live(numbers("alice", 5, 50, at(60)), numbers("bob", 2, 20, at(60)))
			data := test.known.summary(Data{EventID: "e"}).Data
			wantPointer(t, "reconciled", data.Reconciled, test.reconciled)
			wantPointer(t, "unattributed", data.Unattributed, test.unattributed)
			if data.Complete != test.complete {
				t.Errorf("complete is %v, want %v", data.Complete, test.complete)
			}
			if data.RoomFrom != test.roomFrom {
				t.Errorf("the totals are from %q, want %q", data.RoomFrom, test.roomFrom)
			}
		})
	}
}

func wantPointer[T comparable](t *testing.T, name string, got, want *T) {
	t.Helper()
	switch {
	case got == nil && want == nil:
	case got == nil || want == nil:
		t.Errorf("%s is present: %v, want %v", name, got != nil, want != nil)
	case *got != *want:
		t.Errorf("%s is %+v, want %+v", name, *got, *want)
	}
}

// What an entry says besides its sums.
func TestFieldsOfEarnings(t *testing.T) {
	sequence := int64(3)
	snapshot := numbers("alice", 5, 50, at(60))
	snapshot.GiftSenderCount, snapshot.Sequence, snapshot.UpstreamRequestID = 4, &sequence, "Id-1"
	for _, test := range []struct {
		name    string
		known   evidence
		senders int64
		asOf    time.Time
		request string
	}{
		{name: "snapshot", known: evidence{stream: alone(snapshot)}, senders: 4, asOf: at(60), request: "Id-1"},
		{
			name: "upstream", known: evidence{answers: []giftstats.Result{{Stats: giftstats.Stats{GiftSenderCount: 9, FetchedAt: at(101)}}}},
			senders: 9, asOf: at(101),
		},
		{
			name: "ledger, which missed senders", senders: 4, asOf: at(100),
			known: evidence{stream: alone(snapshot), totals: room(6, 60), gifts: []ledger.Gift{gift(70, 1, 10, "alice")}},
		},
		{
			name: "ledger, which saw more senders", senders: 6, asOf: at(100),
			known: evidence{stream: alone(snapshot), totals: room(6, 60), gifts: []ledger.Gift{
				gift(1, 1, 10, "alice"), gift(2, 1, 10, "alice"), gift(3, 1, 10, "alice"), gift(4, 1, 10, "alice"), gift(5, 1, 10, "alice"),
				gift(70, 1, 10, "alice"),
			}},
		},
		{
			name: "room", known: evidence{owner: "alice", totals: room(5, 50), totalsFrom: FromWebhook}, senders: 7, asOf: at(100),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.known.roomID, test.known.accounts, test.known.endedAt, test.known.now = "r", []string{"alice"}, at(100), at(110)
			earning := test.known.earnings()[0]
			if earning.Stats == nil {
				t.Fatalf("the entry has the problem %+v", earning.Problem)
			}
			if got := earning.Stats.GiftSenderCount; got != test.senders {
				t.Errorf("%d senders, want %d", got, test.senders)
			}
			if !earning.AsOf.Equal(test.asOf) {
				t.Errorf("as of %v, want %v", earning.AsOf, test.asOf)
			}
			if got := earning.Stats.UpstreamRequestID; got != test.request {
				t.Errorf("the id of Tencent's answer is %q, want %q", got, test.request)
			}
		})
	}
}
