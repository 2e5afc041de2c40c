package ledger_test

import (
	"testing"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// Nothing is known of a show but the reports of its end: they are about one end in whatever order they are processed.
func TestEndOfAnUnknownShowIsOneInAnyOrder(t *testing.T) {
	for _, test := range []struct {
		name          string
		first, second ledger.End
		closed        bool // the summary of the first report is stored when the second is processed
		same          bool
	}{
		{name: "the later time second", first: reported("live", 40), second: reported("trtc", 41), same: true},
		{name: "the later time second, stored", first: reported("live", 40), second: reported("trtc", 41), closed: true, same: true},
		{name: "the later time first", first: reported("trtc", 41), second: reported("live", 40), same: true},
		{name: "the later time first, stored", first: reported("trtc", 41), second: reported("live", 40), closed: true, same: true},
		{name: "the later time first, by a minute", first: reported("direct", 100), second: reported("trtc", 40), same: true},
		{name: "the later time first, by more", first: reported("direct", 101), second: reported("trtc", 40)},
		{name: "two webhooks of Tencent Chat", first: reported("live", 51), second: reported("live", 40)},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			first := b.end(test.first).StreamID
			if test.closed {
				b.finish(first)
			}
			if second := b.end(test.second).StreamID; (second == first) != test.same {
				t.Errorf("the reports are about the streams %q and %q; one end: %v", first, second, test.same)
			}
		})
	}
}

// A report cannot be about an unknown show if that began after the end in the report.
func TestEndBeforeAnUnknownShowIsNotItsOwn(t *testing.T) {
	b := newBook(t)
	b.create(0)
	b.end(reported("live", 30))
	b.finish(id(0))
	unknown := b.end(reported("live", 50)).StreamID
	if ending := b.end(reported("trtc", 29)); ending.StreamID != id(0) {
		t.Errorf("the report is about the stream %q, want %q and not %q", ending.StreamID, id(0), unknown)
	}
}
