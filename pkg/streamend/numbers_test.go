package streamend

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

var (
	start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	gone  = giftstats.Errorf(giftstats.CodeRoomNotFound, "gone")
)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

func numbers(account string, count, coins int64, asOf time.Time) giftstats.Stats {
	return giftstats.Stats{RoomID: "r", Account: account, TotalCount: count, TotalCoins: coins, GiftSenderCount: 1, FetchedAt: asOf}
}

func answer(account string, count, coins int64) giftstats.Result {
	return giftstats.Result{Stats: numbers(account, count, coins, at(100))}
}

// live returns what the ledger knows of a stream of alice with bob on a seat.
func live(snapshots ...giftstats.Stats) *ledger.Stream {
	stream := &ledger.Stream{ID: "1", StartedAt: at(0), Owner: "alice", End: &ledger.End{EndedAt: at(100), Source: "live"}}
	stream.AddAccount("alice", true)
	stream.AddAccount("bob", false)
	for _, snapshot := range snapshots {
		stream.AddSnapshot(snapshot)
	}
	return stream
}

// named returns the stream after an event of the app that names an account.
func named(stream *ledger.Stream, account string) *ledger.Stream {
	stream.AddAccount(account, true)
	return stream
}

// alone returns what the ledger knows of a stream of alice alone.
func alone(snapshots ...giftstats.Stats) *ledger.Stream {
	stream := live(snapshots...)
	stream.Accounts = stream.Accounts[:1]
	return stream
}

func gift(second float64, count, coins int64, receivers ...string) ledger.Gift {
	return ledger.Gift{Sender: fmt.Sprint(second), Count: count, Coins: coins, Receivers: receivers, At: at(second)}
}

func room(count, coins int64) *giftstats.RoomTotals {
	return &giftstats.RoomTotals{TotalGiftsSent: count, TotalGiftCoins: coins, TotalUniqueGiftSenders: 7}
}

func describe(earnings []Earning) string {
	var parts []string
	for _, earning := range earnings {
		if earning.Stats == nil {
			parts = append(parts, fmt.Sprintf("%s %s", earning.Account, earning.Problem.Code))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %d/%d %s", earning.Account, earning.Stats.TotalCount, earning.Stats.TotalCoins, earning.From))
	}
	return strings.Join(parts, ", ")
}

// Every row of the table of sources in docs/stream-end.md: who is paid what, and why.
func TestSourceOfNumbers(t *testing.T) {
	both, one := []string{"alice", "bob"}, []string{"alice"}
	a60, b60 := numbers("alice", 5, 50, at(60)), numbers("bob", 2, 20, at(60))
	for _, test := range []struct {
		name  string
		known evidence
		want  string
	}{
		{
			name: "Tencent still answers",
			known: evidence{
				accounts: both, answers: []giftstats.Result{answer("alice", 6, 60), answer("bob", 3, 30)}, stream: live(a60, b60),
				totals: room(10, 100), totalsFrom: FromWebhook, gifts: []ledger.Gift{gift(70, 9, 90, "alice")},
			},
			want: "alice 6/60 upstream, bob 3/30 upstream",
		},
		{
			name: "Tencent answers for one of two",
			known: evidence{
				accounts: both, answers: []giftstats.Result{answer("alice", 6, 60), {Err: gone}}, stream: live(a60, b60), totals: room(9, 90),
				totalsFrom: FromUpstream, gifts: []ledger.Gift{gift(70, 1, 10, "bob")},
			},
			want: "alice 6/60 upstream, bob 3/30 ledger",
		},
		{
			name:  "Tencent answers with fewer gifts than before",
			known: evidence{accounts: one, answers: []giftstats.Result{answer("alice", 4, 60)}, stream: alone(a60), totals: room(5, 50)},
			want:  "alice 5/50 snapshot",
		},
		{
			name: "Tencent answers with fewer coins than before", want: "alice 5/50 snapshot",
			known: evidence{accounts: one, answers: []giftstats.Result{answer("alice", 6, 49)}, stream: alone(a60), totals: room(5, 50)},
		},
		{
			name: "Tencent does not know an account",
			known: evidence{
				accounts: both, answers: []giftstats.Result{answer("alice", 6, 60), {Err: giftstats.Errorf(giftstats.CodeAccountNotFound, "no")}},
			},
			want: "alice 6/60 upstream, bob account_not_found",
		},
		{
			name: "gifts since the snapshot, which add up",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(9, 90), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(59, 1, 10, "alice"), gift(61, 1, 10, "alice"), gift(62, 1, 10, "bob"),
			}},
			want: "alice 6/60 ledger, bob 3/30 ledger",
		},
		{
			name: "all gifts recorded, no snapshot",
			known: evidence{accounts: both, stream: live(), totals: room(3, 30), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(1, 1, 10, "alice"), gift(2, 2, 20, "alice"),
			}},
			want: "alice 3/30 ledger, bob 0/0 ledger",
		},
		{
			name: "all gifts recorded, totals from a snapshot",
			known: evidence{
				accounts: one, stream: alone(), totals: room(3, 30), totalsFrom: FromSnapshot, gifts: []ledger.Gift{gift(1, 3, 30, "alice")},
			},
			want: "alice 3/30 ledger",
		},
		{
			name: "the snapshot holds a gift of its own second",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(8, 80), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(60, 1, 10, "alice"), gift(61, 1, 10, "alice"),
			}},
			want: "alice 6/60 ledger, bob 2/20 snapshot",
		},
		{
			name: "a gift of two seconds before a snapshot is never counted on top: it could be counted twice",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(8, 80), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(50, 1, 10, "alice"), gift(59, 1, 10, "alice"),
			}},
			want: "alice 5/50 snapshot, bob 2/20 snapshot",
		},
		{
			name: "the snapshot holds a gift of five seconds after",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(8, 80), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(65, 1, 10, "bob"), gift(66, 1, 10, "alice"),
			}},
			want: "alice 6/60 ledger, bob 2/20 snapshot",
		},
		{
			name: "gifts that do not add up are not believed",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(9, 91), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(61, 1, 10, "alice"), gift(62, 1, 10, "bob"),
			}},
			want: "alice 5/50 snapshot, bob 2/20 snapshot",
		},
		{
			name: "coins that add up, gifts that do not",
			known: evidence{
				accounts: one, stream: alone(a60), totals: room(7, 60), totalsFrom: FromSnapshot, gifts: []ledger.Gift{gift(61, 1, 10, "alice")},
			},
			want: "alice 5/50 snapshot",
		},
		{
			name: "gifts without totals are not believed",
			known: evidence{
				accounts: one, stream: alone(a60), totalsFrom: FromNone, gifts: []ledger.Gift{gift(61, 1, 10, "alice")},
			},
			want: "alice 5/50 snapshot",
		},
		{
			name: "gifts of one that add up to less than his snapshot",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(7, 70), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(10, 6, 60, "alice"), gift(11, 1, 10, "bob"),
			}},
			want: "alice 5/50 snapshot, bob 2/20 snapshot",
		},
		{
			name: "gifts of one with more pieces and fewer coins than his snapshot",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(8, 80), totalsFrom: FromWebhook, gifts: []ledger.Gift{
				gift(10, 6, 40, "alice"), gift(11, 2, 40, "bob"),
			}},
			want: "alice 5/50 snapshot, bob 2/20 snapshot",
		},
		{
			name: "nothing was added: Tencent's numbers stand", want: "alice 5/50 snapshot, bob 2/20 snapshot",
			known: evidence{accounts: both, stream: live(a60, b60), totals: room(7, 70), totalsFrom: FromWebhook},
		},
		{
			name: "a guest without gifts when the totals are explained", want: "alice 5/50 snapshot, bob 0/0 ledger",
			known: evidence{accounts: both, stream: live(a60), totals: room(5, 50), totalsFrom: FromWebhook},
		},
		{
			name: "the owner alone, without a ledger", want: "alice 5/50 room",
			known: evidence{accounts: one, owner: "alice", totals: room(5, 50), totalsFrom: FromWebhook},
		},
		{
			name: "the owner and another account, without a ledger", want: "alice room_not_found, bob room_not_found",
			known: evidence{accounts: both, owner: "alice", totals: room(5, 50), totalsFrom: FromWebhook},
		},
		{
			name: "another account than the owner, without a ledger", want: "bob room_not_found",
			known: evidence{accounts: []string{"bob"}, owner: "alice", totals: room(5, 50), totalsFrom: FromWebhook},
		},
		{
			name: "owner not known", want: "alice room_not_found",
			known: evidence{accounts: one, totals: room(5, 50), totalsFrom: FromWebhook},
		},
		{
			name: "the owner receives, and a guest has a seat", want: "alice 9/90 room, bob 0/0 snapshot",
			known: evidence{
				accounts: both, owner: "alice", stream: live(a60, numbers("bob", 0, 0, at(60))), totals: room(9, 90), totalsFrom: FromWebhook,
			},
		},
		{
			name: "the owner receives, and a guest took a seat after the last sweep", want: "alice 9/90 room, bob 0/0 room",
			known: evidence{accounts: both, owner: "alice", stream: live(a60), totals: room(9, 90), totalsFrom: FromWebhook},
		},
		{
			name: "the owner receives, and Tencent does not know the guest", want: "alice 9/90 room, bob account_not_found",
			known: evidence{
				accounts: both, owner: "alice", stream: live(), totals: room(9, 90), totalsFrom: FromWebhook,
				answers: []giftstats.Result{{Err: gone}, {Err: giftstats.Errorf(giftstats.CodeAccountNotFound, "no")}},
			},
		},
		{
			name: "the app names another account: the totals are not the owner's alone", want: "alice 5/50 snapshot, bob room_not_found",
			known: evidence{accounts: both, owner: "alice", stream: named(live(a60), "bob"), totals: room(9, 90), totalsFrom: FromWebhook},
		},
		{
			name: "totals of another moment are not the owner's", want: "alice 5/50 snapshot",
			known: evidence{accounts: one, owner: "alice", stream: alone(a60), totals: room(9, 90), totalsFrom: FromSnapshot},
		},
		{
			name: "totals of Tencent after the end are not the owner's", want: "alice 5/50 snapshot",
			known: evidence{accounts: one, owner: "alice", stream: alone(a60), totals: room(9, 90), totalsFrom: FromUpstream},
		},
		{
			name: "the guest received gifts before", want: "alice 5/50 snapshot, bob 2/20 snapshot",
			known: evidence{accounts: both, owner: "alice", stream: live(a60, b60), totals: room(9, 90), totalsFrom: FromWebhook},
		},
		{
			name: "the guest is given a gift that does not add up", want: "alice 5/50 snapshot, bob room_not_found",
			known: evidence{
				accounts: both, owner: "alice", stream: live(a60), totals: room(9, 90), totalsFrom: FromWebhook,
				gifts: []ledger.Gift{gift(70, 1, 10, "bob")},
			},
		},
		{
			name: "gifts to the owner that do not add up: the totals are his", want: "alice 9/90 room",
			known: evidence{
				accounts: one, owner: "alice", stream: alone(a60), totals: room(9, 90), totalsFrom: FromWebhook,
				gifts: []ledger.Gift{gift(70, 1, 10, "alice")},
			},
		},
		{
			name: "totals with fewer gifts than the owner's snapshot", want: "alice 5/50 snapshot",
			known: evidence{accounts: one, owner: "alice", stream: alone(a60), totals: room(4, 90), totalsFrom: FromWebhook},
		},
		{
			name: "totals with fewer coins than the owner's snapshot", want: "alice 5/50 snapshot",
			known: evidence{accounts: one, owner: "alice", stream: alone(a60), totals: room(9, 49), totalsFrom: FromWebhook},
		},
		{
			name: "nothing is known", want: "alice room_not_found, bob room_not_found", known: evidence{accounts: both, stream: live()},
		},
		{
			name: "only a snapshot of one", want: "alice 5/50 snapshot, bob room_not_found", known: evidence{accounts: both, stream: live(a60)},
		},
		{
			name: "sums beyond what a number holds", want: "alice 1/4611686018427387904 snapshot",
			known: evidence{
				accounts: one, stream: alone(numbers("alice", 1, 1<<62, at(60))), totals: room(2, math.MinInt64), totalsFrom: FromSnapshot,
				gifts: []ledger.Gift{gift(70, 1, 1<<62, "alice")},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.known.roomID, test.known.endedAt, test.known.now, test.known.gone = "r", at(100), at(110), gone
			if got := describe(test.known.earnings()); got != test.want {
				t.Errorf("the numbers are\n%s\nand not\n%s", got, test.want)
			}
		})
	}
}

// Numbers that exceed 64 bits together must not seem to equal the totals of the room.
func TestDifferenceDoesNotOverflow(t *testing.T) {
	earnings := make([]Earning, 4)
	for i := range earnings {
		huge := numbers(fmt.Sprint(i), 1<<62, 1<<62, at(90))
		earnings[i] = Earning{Account: huge.Account, Stats: &huge, From: FromSnapshot}
	}
	want := ledger.Sum{TotalCount: -math.MaxInt64, TotalCoins: -math.MaxInt64}
	if got := difference(room(0, 0), earnings); got != want {
		t.Errorf("the difference is %+v, want %+v", got, want)
	}
}
