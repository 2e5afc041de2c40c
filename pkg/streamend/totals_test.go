package streamend

import (
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// Which totals are believed. The body of a webhook is not signed: who has seen one can send another body within a minute.
func TestTotalsOfTheRoom(t *testing.T) {
	for _, test := range []struct {
		name     string
		brought  *giftstats.RoomTotals // by the event
		answered *giftstats.RoomTotals // by Tencent after the end
		last     *giftstats.RoomTotals // while the room was live
		want     *giftstats.RoomTotals
		from     string
	}{
		{name: "brought", brought: room(6, 60), answered: room(7, 70), last: room(5, 50), want: room(6, 60), from: FromWebhook},
		{name: "brought, equal to the last ones", brought: room(5, 50), last: room(5, 50), want: room(5, 50), from: FromWebhook},
		{name: "brought, nothing else known", brought: room(6, 60), want: room(6, 60), from: FromWebhook},
		{name: "forged: fewer gifts", brought: room(4, 60), last: room(5, 50), want: room(5, 50), from: FromSnapshot},
		{name: "forged: fewer coins", brought: room(6, 49), last: room(5, 50), want: room(5, 50), from: FromSnapshot},
		{
			name: "forged, and Tencent answers", brought: room(4, 60), answered: room(7, 70), last: room(5, 50),
			want: room(7, 70), from: FromUpstream,
		},
		{name: "answered", answered: room(7, 70), last: room(5, 50), want: room(7, 70), from: FromUpstream},
		{name: "answered less than before", answered: room(4, 40), last: room(5, 50), want: room(5, 50), from: FromSnapshot},
		{name: "last", last: room(5, 50), want: room(5, 50), from: FromSnapshot},
		{name: "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			known := evidence{stream: &ledger.Stream{End: &ledger.End{RoomTotals: test.brought}}}
			if test.answered != nil {
				known.totals, known.totalsFrom = test.answered, FromUpstream
			}
			if test.last != nil {
				known.stream.AddTotals(giftstats.RoomStats{RoomTotals: *test.last, FetchedAt: at(60)})
			}
			known = known.withTotals()
			if known.totalsFrom != test.from {
				t.Errorf("the totals are from %q, want %q", known.totalsFrom, test.from)
			}
			if (known.totals == nil) != (test.want == nil) {
				t.Fatalf("the totals are %+v, want %+v", known.totals, test.want)
			}
			if test.want != nil && *known.totals != *test.want {
				t.Errorf("the totals are %+v, want %+v", *known.totals, *test.want)
			}
		})
	}
}
