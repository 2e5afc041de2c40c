package ledger_test

import (
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// The second show of a room starts in the second in which the first one ends. Each report is about one of them, whatever has become of the
// other one.
func TestEndsAroundTheNextStart(t *testing.T) {
	vague := ledger.Sighting{At: at(100.9), StartedAt: at(100), Opens: true, Confirmed: true, Owner: "alice"}
	exact := vague
	exact.CreatedAt = at(100.9)
	for _, test := range []struct {
		name   string
		first  ledger.End // the zero End: nobody has reported it
		next   ledger.Sighting
		stored *ledger.End // the end of the next show, which is stored
		end    ledger.End
		want   string // the stream
	}{
		{name: "the webhook again", first: reported("live", 100.5), next: vague, end: reported("live", 100.5), want: id(0)},
		{name: "the webhook after the app", first: reported("direct", 100.5), next: vague, end: reported("live", 100.5), want: id(0)},
		{name: "the webhook, by the exact start", next: exact, end: reported("live", 100.5), want: id(0)},
		{name: "the next webhook, by the exact start", next: exact, end: reported("live", 100.95), want: id(100)},
		{
			name: "the next webhook, after the first one, by the exact start", first: reported("live", 100.5), next: exact,
			end: reported("live", 100.95), want: id(100),
		},
		{name: "the next webhook", first: reported("live", 100.5), next: vague, end: reported("live", 100.95), want: id(100)},
		{
			name: "the next webhook again", next: vague, stored: new(reported("live", 100.95)), end: reported("live", 100.95), want: id(100),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			b.create(0)
			if test.first.Source != "" {
				b.end(test.first)
			}
			b.see(test.next)
			if test.stored != nil {
				ending, err := b.RecordEnd(t.Context(), "r", id(100), *test.stored)
				b.must(err)
				b.finish(ending.StreamID)
			}
			if ending := b.end(test.end); ending.StreamID != test.want {
				t.Errorf("it ended stream %q, want %q", ending.StreamID, test.want)
			}
		})
	}
}
