package ledger_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// coins are totals of a room.
func coins(n int64) *giftstats.RoomTotals { return &giftstats.RoomTotals{TotalGiftCoins: n} }

// reported returns an end that a source reports at a second.
func reported(source string, second float64) ledger.End {
	return ledger.End{EndedAt: at(second), Source: source}
}

// timeless returns an own event without a time that arrives at a second.
func timeless(second float64) ledger.End {
	return ledger.End{EndedAt: at(second), Source: "direct", Timeless: true}
}

// delivered returns an own event without a time, like timeless, whose carrier delivers it again under the same id.
func delivered(second float64) ledger.End {
	end := timeless(second)
	end.ReportID = "report"
	return end
}

// show is a stream from 0 s on.
func show(b *book) { b.create(0) }

// ended is a stream from 0 s to 100 s whose end Tencent Chat reported, but whose summary is not stored yet.
func ended(b *book) {
	b.create(0)
	b.end(ledger.End{EndedAt: at(100), Source: "live", RoomTotals: coins(7)})
}

// finished is a stream from 0 s to 100 s whose summary is stored.
func finished(b *book) {
	ended(b)
	b.finish(id(0))
}

// waiting is a stream from 0 s on whose end nobody reported. The next one started at 200 s, was reported as ended at 230 s, when Tencent
// still answered, and is stored.
func waiting(b *book) {
	b.create(0)
	b.create(200)
	b.end(reported("direct", 230))
	b.ended(ledger.Ended{StreamID: id(200), StartedAt: at(200), EndedAt: at(230), Source: "direct"})
	b.must(b.Close(b.t.Context(), "r", id(200)))
}

// id returns the id of the stream that started at a second.
func id(second float64) string { return strconv.FormatInt(at(second).Unix(), 10) }

// A report that is taken for another end than its own makes a second summary, or swallows one.
func TestRecordEnd(t *testing.T) {
	for _, test := range []struct {
		name     string
		before   func(*book)
		streamID string // that the report names
		end      ledger.End
		stream   string // the id of the stream that it ended
		stored   bool   // its summary is stored already
		want     string // the open streams afterwards
	}{
		{
			name: "first report", before: show, end: reported("live", 100), stream: id(0),
			want: "since 0s: alice owns; alice; ended 1m40s by live",
		},
		{
			name: "live repeated a millisecond later", before: ended, end: reported("live", 100.001), stream: id(0),
			want: "since 0s: alice owns; alice; ended 1m40s by live with 7 coins",
		},
		{
			name: "live repeated with other totals", before: ended, stream: id(0),
			end:  ledger.End{EndedAt: at(100), Source: "live", RoomTotals: coins(900), Owner: "mallory"},
			want: "since 0s: alice owns; alice; ended 1m40s by live with 7 coins",
		},
		{
			name: "live, twenty seconds before a known live end", before: ended, end: reported("live", 80), stream: seen(80),
			want: "since 0s: alice owns; alice; ended 1m40s by live with 7 coins | seen 1m20s:  owns; ; ended 1m20s by live",
		},
		{
			name: "TRTC a minute later", before: ended, end: reported("trtc", 160), stream: id(0),
			want: "since 0s: alice owns; alice; ended 1m40s by live with 7 coins",
		},
		{
			name: "live after TRTC brings the totals", stream: id(0), end: ledger.End{EndedAt: at(100), Source: "live", RoomTotals: coins(7)},
			before: func(b *book) { b.create(0); b.end(reported("trtc", 101)) },
			want:   "since 0s: alice owns; alice; ended 1m41s by trtc with 7 coins",
		},
		{
			name: "a report replaces the end that the sweep noticed", stream: id(0), end: reported("live", 100),
			before: func(b *book) {
				b.create(0)
				b.end(ledger.End{EndedAt: at(60), Until: at(120), Source: "sweep"})
			},
			want: "since 0s: alice owns; alice; ended 1m40s by live",
		},
		{
			name: "the sweep does not replace a report", before: ended, streamID: id(0), end: reported("sweep", 60), stream: id(0),
			want: "since 0s: alice owns; alice; ended 1m40s by live with 7 coins",
		},
		{name: "live repeated, stored", before: finished, end: reported("live", 100.001), stream: id(0), stored: true},
		{name: "TRTC a minute later, stored", before: finished, end: reported("trtc", 160), stream: id(0), stored: true},
		{name: "own event of a moment before, stored", before: finished, end: reported("direct", 95), stream: id(0), stored: true},
		{
			name: "a report after the sweep's summary", end: reported("live", 100), stream: id(0), stored: true,
			before: func(b *book) {
				b.create(0)
				b.end(ledger.End{EndedAt: at(60), Until: at(120), Source: "sweep"})
				b.finish(id(0))
			},
		},
		{
			name: "own event repeated under its id, days later", stream: id(0), stored: true,
			end: ledger.End{EventID: "e-1", EndedAt: at(1e6), Source: "direct"},
			before: func(b *book) {
				b.create(0)
				b.end(ledger.End{EventID: "e-1", EndedAt: at(100), Source: "direct"})
				b.finish(id(0))
			},
		},
		{
			name: "own event repeated under its id while another show is open", stream: id(0), stored: true,
			end: ledger.End{EventID: "e-1", EndedAt: at(400), Source: "direct"},
			before: func(b *book) {
				b.create(0)
				b.end(ledger.End{EventID: "e-1", EndedAt: at(100), Source: "direct"})
				b.finish(id(0))
				b.create(200)
			},
			want: "since 3m20s: alice owns; alice",
		},
		{
			name: "own event repeated under its id after another show has ended", stream: id(0), stored: true,
			end: ledger.End{EventID: "e-1", EndedAt: at(400), Source: "direct", Timeless: true},
			before: func(b *book) {
				b.create(0)
				b.end(ledger.End{EventID: "e-1", EndedAt: at(100), Source: "direct"})
				b.finish(id(0))
				b.create(200)
				b.finish(b.end(reported("live", 300)).StreamID)
			},
		},
		{
			name: "live long after an own event, while the room still existed", stream: id(0), stored: true, end: reported("live", 4000),
			before: func(b *book) {
				b.create(0)
				b.end(reported("direct", 100))
				b.ended(ledger.Ended{StreamID: id(0), StartedAt: at(0), EndedAt: at(100), Source: "direct"})
				b.must(b.Close(b.t.Context(), "r", id(0)))
			},
		},
		{
			name: "own event without a time, of a show that nobody has seen, after the next one", end: timeless(100), stream: seen(100),
			before: func(b *book) { b.create(200); b.end(reported("live", 300)); b.finish(id(200)) },
			want:   "seen 1m40s:  owns; ; ended 1m40s by direct",
		},
		{
			name: "late own event of a show that was reported too early, after the next one", stream: id(0), stored: true,
			end: reported("direct", 190),
			before: func(b *book) {
				b.create(0)
				b.end(reported("direct", 100))
				b.ended(ledger.Ended{StreamID: id(0), StartedAt: at(0), EndedAt: at(100), Source: "direct"})
				b.must(b.Close(b.t.Context(), "r", id(0)))
				b.create(200)
				b.end(reported("live", 300))
				b.finish(id(200))
			},
		},
		{
			name: "live of a show that was reported too early, while an older one waits for its summary", stream: id(200), stored: true,
			end: ledger.End{EndedAt: at(240), Source: "live", RoomTotals: coins(7)}, before: waiting,
			want: "since 0s: alice owns; alice; ended 0s by sweep",
		},
		{
			name: "own event without a time, while an older one waits for its summary", stream: id(200), stored: true,
			end: timeless(9000), before: waiting, want: "since 0s: alice owns; alice; ended 0s by sweep",
		},
		{
			name: "own event without a time delivered again while another show is open", stream: id(0), end: delivered(300),
			before: func(b *book) { b.create(0); b.end(delivered(100)); b.create(200) },
			want:   "since 0s: alice owns; alice; ended 1m40s by direct | since 3m20s: alice owns; alice",
		},
		{
			name: "own event without a time delivered again, stored, while another show is open", stream: id(0), stored: true,
			end: delivered(300), before: func(b *book) { b.create(0); b.end(delivered(100)); b.finish(id(0)); b.create(200) },
			want: "since 3m20s: alice owns; alice",
		},
		{
			name: "end of a stream that nobody announced", end: ledger.End{EndedAt: at(100), Source: "live", Owner: "alice"}, stream: seen(100),
			want: "seen 1m40s: alice owns; alice; ended 1m40s by live",
		},
		{
			name: "another end of the room, whose start was not announced", before: finished, end: reported("live", 400), stream: seen(400),
			want: "seen 6m40s:  owns; ; ended 6m40s by live",
		},
		{
			name: "another live end soon after", before: finished, end: reported("live", 111), stream: seen(111),
			want: "seen 1m51s:  owns; ; ended 1m51s by live",
		},
		{
			name: "end of the older show while another one is open", stream: id(0), end: reported("live", 150),
			before: func(b *book) { b.create(0); b.create(200) },
			want:   "since 0s: alice owns; alice; ended 2m30s by live | since 3m20s: alice owns; alice",
		},
		{
			name: "stored end of the older show while another one is open", stream: id(0), stored: true, end: reported("live", 100),
			before: func(b *book) { finished(b); b.create(105) }, want: "since 1m45s: alice owns; alice",
		},
		{
			name: "TRTC's late report of the older show while another one is open", stream: id(0), stored: true, end: reported("trtc", 160),
			before: func(b *book) { finished(b); b.create(105) }, want: "since 1m45s: alice owns; alice",
		},
		{
			name: "TRTC's report of the newer show", stream: id(105), end: reported("trtc", 161),
			before: func(b *book) { finished(b); b.create(105) }, want: "since 1m45s: alice owns; alice; ended 2m41s by trtc",
		},
		{
			name: "live's report of the newer, short show", stream: id(105), end: reported("live", 130),
			before: func(b *book) { finished(b); b.create(105) }, want: "since 1m45s: alice owns; alice; ended 2m10s by live",
		},
		{
			name: "own event that is a few seconds late, and the room was created again", stream: id(0), stored: true,
			end: reported("direct", 109), before: func(b *book) { finished(b); b.create(103) },
			want: "since 1m43s: alice owns; alice",
		},
		{
			name: "own event that is a few seconds late, the older end is not stored", stream: id(0), end: reported("direct", 109),
			before: func(b *book) { b.create(0); b.end(reported("live", 100)); b.create(103) },
			want:   "since 0s: alice owns; alice; ended 1m40s by live | since 1m43s: alice owns; alice",
		},
		{
			name: "own event about the newer, short show", stream: id(105), end: reported("direct", 130),
			before: func(b *book) { finished(b); b.create(105) }, want: "since 1m45s: alice owns; alice; ended 2m10s by direct",
		},
		{
			name: "CSS's late report of the older show while another one is open", stream: id(0), stored: true, end: reported("css", 130),
			before: func(b *book) { finished(b); b.create(105) }, want: "since 1m45s: alice owns; alice",
		},
		{
			name: "a minute before a stored end whose start is not known", stream: seen(100), stored: true, end: reported("trtc", 40),
			before: func(b *book) { b.end(reported("live", 100)); b.finish(seen(100)) },
		},
		{
			name: "more than a minute before a stored end whose start is not known", stream: seen(39), end: reported("trtc", 39),
			before: func(b *book) { b.end(reported("live", 100)); b.finish(seen(100)) }, want: "seen 39s:  owns; ; ended 39s by trtc",
		},
		{
			name: "a later report names the owner", stream: seen(5), end: ledger.End{EndedAt: at(100), Source: "live", Owner: "alice"},
			before: func(b *book) {
				b.see(ledger.Sighting{At: at(5), Opens: true, Receivers: []string{"bob"}})
				b.end(reported("trtc", 100))
			},
			want: "seen 5s: alice owns; bob, alice; ended 1m40s by trtc",
		},
		{
			name: "a later own event names an account", stream: id(0), before: ended,
			end:  ledger.End{EndedAt: at(100), Source: "direct", Accounts: []string{"carol"}},
			want: "since 0s: alice owns; alice, carol; ended 1m40s by live with 7 coins",
		},
		{
			name: "the sweep names the newer stream", streamID: id(200), stream: id(200), end: reported("sweep", 199),
			before: func(b *book) { b.create(0); b.create(200) },
			want:   "since 0s: alice owns; alice; ended 0s by sweep | since 3m20s: alice owns; alice; ended 3m19s by sweep",
		},
		{
			name: "the sweep names the stream that it misses", streamID: id(0), stream: id(0), end: reported("sweep", 50),
			before: func(b *book) { b.create(0) }, want: "since 0s: alice owns; alice; ended 50s by sweep",
		},
		{
			name: "a report without a time ends the open stream", before: show, end: timeless(500), stream: id(0),
			want: "since 0s: alice owns; alice; ended 8m20s by direct",
		},
		{
			name: "a report without a time, much later, before the summary is stored", before: ended, end: timeless(80000), stream: id(0),
			want: "since 0s: alice owns; alice; ended 1m40s by live with 7 coins",
		},
		{
			name: "a report without a time, less than a day after the stored end", before: finished, stored: true,
			end: timeless(100 + 86399), stream: id(0),
		},
		{
			name: "a report without a time, more than a day after the stored end", before: finished,
			end: timeless(100 + 86401), stream: seen(100 + 86401), want: "seen 24h1m41s:  owns; ; ended 24h1m41s by direct",
		},
		{
			name: "a report without a time while another show is open", before: func(b *book) { finished(b); b.create(200) },
			end: timeless(300), stream: id(200), want: "since 3m20s: alice owns; alice; ended 5m0s by direct",
		},
		{
			name: "accounts and owner of an own event", stream: seen(5), before: func(b *book) {
				b.see(ledger.Sighting{At: at(5), Opens: true, Receivers: []string{"bob"}})
			},
			end:  ledger.End{EndedAt: at(100), Source: "direct", Owner: "alice", Accounts: []string{"bob", "carol"}},
			want: "seen 5s: alice owns; bob, alice, carol; ended 1m40s by direct",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(t)
			b.clock.Advance(500 * time.Second)
			if test.before != nil {
				test.before(b)
			}
			ending, err := b.RecordEnd(t.Context(), "r", test.streamID, test.end)
			b.must(err)
			if ending.StreamID != test.stream {
				t.Errorf("it ended stream %q, want %q", ending.StreamID, test.stream)
			}
			if stored := ending.Stored != nil; stored != test.stored {
				t.Errorf("the summary is stored: %v, want %v", stored, test.stored)
			}
			b.wantRoom(test.want)
		})
	}
}
