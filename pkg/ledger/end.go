package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Ending is the open stream that an end was recorded for. If the summary of that end is stored already, Stored is not nil; the
// stream may be closed then, so that Room does not have it any more.
type Ending struct {
	Room     Room
	StreamID string
	Stored   *Ended
}

// RecordEnd records a report that a stream of the room has ended. The first report of an end counts; later ones only add what it
// lacked. A report of an end whose summary is stored returns the stored one. If the ledger has no stream that can have ended then,
// the report opens one, so that the end of a stream that nobody announced has its numbers too. A streamID names the open stream
// that the report is about; it is empty if the report does not know it.
func (l *Ledger) RecordEnd(ctx context.Context, roomID, streamID string, end End) (Ending, error) {
	var ending Ending
	room, err := l.Update(ctx, roomID, func(room *Room) (bool, error) {
		ended, err := l.endedNear(ctx, roomID, end)
		if err != nil {
			return false, err
		}
		stream := room.reportedBy(end)
		if candidate := room.EndedBy(end); stream == nil && !candidate.passed(ended, end) {
			stream = candidate
		}
		if streamID != "" {
			stream = room.Stream(streamID)
		}
		if ended = repeated(ended, stream, end); len(ended) > 0 {
			ending = Ending{StreamID: ended[0].StreamID, Stored: &ended[0]}
			if stream == nil || stream.ID == ended[0].StreamID || !ended[0].covers(*stream) {
				return false, nil
			}
			_, removed := room.remove(stream.ID) // it was opened by a late sighting of the ended stream
			return removed, nil
		}
		if stream == nil {
			last, err := l.LastEnded(ctx, roomID)
			if err == nil && room.full() {
				err = unavailable("record the end", errors.New("too many ends of the room wait for their summaries"))
			}
			if err != nil {
				return false, err
			}
			room.open(Sighting{RoomID: roomID, At: end.EndedAt}, last)
			stream = room.EndedBy(end)
		}
		ending = Ending{StreamID: stream.ID}
		return stream.recordEnd(end.within(*stream, room.Next(stream.ID), l.config.Now())), nil
	})
	if err == nil && ending.Stored != nil {
		err = l.markReport(ctx, *ending.Stored, end)
	}
	ending.Room = room
	return ending, err
}

// maxRoom is how large the record of a room may become, in bytes, by reports of ends that belong to no known stream. DynamoDB takes 400 KB,
// and the streams that are in the record still grow.
const maxRoom = 128 << 10

// full reports whether a report of an end must not open another stream. While a receiver or Tencent is down, no stream is closed.
func (r *Room) full() bool {
	if len(r.Streams) < maxStreams {
		return false
	}
	record, err := json.Marshal(r)
	return err == nil && len(record) > maxRoom
}

// reportedBy returns the open stream that ended by an earlier delivery of the same report. Without a time in the report, nothing else
// tells that it is not about a stream that has started since.
func (r *Room) reportedBy(end End) *Stream {
	for i := range r.Streams {
		if known := r.Streams[i].End; known != nil && (end.again(known.EventID, known.ReportID) || end.again(known.Others...)) {
			return &r.Streams[i]
		}
	}
	return nil
}

// again reports whether a report is another delivery of one with one of these ids.
func (e *End) again(ids ...string) bool {
	return slices.ContainsFunc(e.ids(), func(id string) bool { return slices.Contains(ids, id) })
}

// ids are what identifies the report. There may be none.
func (e *End) ids() []string {
	return slices.DeleteFunc([]string{e.EventID, e.ReportID}, func(id string) bool { return id == "" })
}

// maxOthers bounds the reports without a time that are remembered of one end.
const maxOthers = 100

// markReport remembers a report without a time that came when the summary was stored.
func (l *Ledger) markReport(ctx context.Context, ended Ended, end End) error {
	if !end.Timeless || end.reported(ended) || len(ended.Taken) >= maxOthers {
		return nil
	}
	for _, id := range end.ids() {
		if err := l.MarkTaken(ctx, ended, reportMark(id)); err != nil {
			return err
		}
	}
	return nil
}

// reported reports whether a report is another delivery of one that is remembered of the ended stream.
func (e *End) reported(ended Ended) bool {
	return e.again(ended.EventID, ended.ReportID) || e.again(ended.Others...) || e.repeats(ended.end()) ||
		slices.ContainsFunc(e.ids(), func(id string) bool { return slices.Contains(ended.Taken, reportMark(id)) })
}

// reportMark returns a short mark for an id of any length. No receiver has such a name.
func reportMark(id string) string {
	digest := sha256.Sum256([]byte(id))
	return "report " + hex.EncodeToString(digest[:8])
}

// endedNear lists the ended streams of a room that a report may be about, newest first: at least five, and all of the day before. A
// room id can be used many times in an hour, and then a repeated report is about none of the last five.
func (l *Ledger) endedNear(ctx context.Context, roomID string, end End) ([]Ended, error) {
	const several = 5
	var near []Ended
	query := Query{RoomID: roomID, From: time.Unix(0, 0), To: end.EndedAt.Add(clockSkew), Limit: several}
	for {
		streams, err := l.config.Store.ListEnded(ctx, query)
		if err != nil {
			return nil, unavailable("read ended streams", err)
		}
		near = append(near, streams...)
		if len(streams) < query.Limit || near[len(near)-1].EndedAt.Before(end.EndedAt.Add(-timelessFor)) {
			return near, nil
		}
		last := near[len(near)-1].Position()
		query.After, query.Limit = &last, endedAtOnce
	}
}

// repeated returns those of the ended streams, newest first, that a report is about, if it is not about the open stream.
func repeated(ended []Ended, open *Stream, end End) []Ended {
	if i := slices.IndexFunc(ended, end.reported); i >= 0 {
		return ended[i : i+1]
	}
	newest := slices.IndexFunc(ended, func(e Ended) bool { return !e.start().After(end.EndedAt) })
	if open == nil && newest >= 0 {
		switch last := ended[newest]; {
		case end.Timeless && last.by().After(end.EndedAt.Add(-timelessFor)),
			!last.Gone && !last.StartedAt.IsZero() && last.StartedAt.Before(end.EndedAt):
			return ended[newest : newest+1]
		}
	}
	return slices.DeleteFunc(ended, func(e Ended) bool {
		switch {
		case open != nil && e.covers(*open):
			return false
		case open != nil && end.Source == SourceSweep:
			return true // it names the open stream, so its time does not matter
		case open != nil && !end.late(e.end()) && !open.startsIn(end):
			return true
		case end.Timeless:
			return true // the newest one is too old
		}
		return end.EndedAt.Before(e.start()) || !e.end().same(end)
	})
}

// passed reports whether a later stream of the room is stored that had started before the end. Then the report is not about this one, which
// only waits for its summary.
func (s *Stream) passed(ended []Ended, end End) bool {
	if s == nil || s.End != nil && end.late(s.End) {
		return false
	}
	return slices.ContainsFunc(ended, func(e Ended) bool {
		return s.Start().Before(e.StartedAt) && e.StartedAt.Before(end.EndedAt.Truncate(time.Second))
	})
}

// repeats reports whether a report of Tencent Chat, which has no id, is the known one once more.
func (e *End) repeats(known *End) bool {
	return e.Source == sourceLive && known.Source == sourceLive && e.EndedAt.Equal(known.EndedAt)
}

// timelessFor is how old an ended stream may be for a report without a time to be about it.
const timelessFor = 24 * time.Hour

// lateBy is how much later than Tencent Chat other sources may say that a stream ended. The sources that are not listed are never late.
var lateBy = map[string]time.Duration{"trtc": time.Minute, "css": time.Minute, "direct": 10 * time.Second}

// late reports whether a report is more likely a late one of a known end than one of a stream that started since.
func (e *End) late(known *End) bool {
	return lateBy[e.Source] > 0 && !e.EndedAt.After(known.by().Add(lateBy[e.Source]))
}

// start is the earliest time that is known to belong to the ended stream.
func (e *Ended) start() time.Time {
	if e.StartedAt.IsZero() {
		return e.EndedAt.Add(-sameEnd)
	}
	return e.StartedAt
}

// by is the time by which the stream had ended: EndedAt, or, if nobody reported the end, the time when it was noticed.
func (e *Ended) by() time.Time { return e.end().by() }

// end returns what identifies the end.
func (e *Ended) end() *End { return &End{EndedAt: e.EndedAt, Until: e.Until, Source: e.Source} }

// covers reports whether an open stream is the same as the ended one: two streams of a room never overlap, and a room that was not
// dissolved goes on until it is known to be created again.
func (e *Ended) covers(open Stream) bool {
	if !e.Gone && !e.StartedAt.IsZero() && open.StartedAt.IsZero() && open.After.Equal(e.by()) {
		return true // gifts or seats after a report of the end have opened it
	}
	switch {
	case e.Source == SourceSweep && open.StartedAt.Equal(e.StartedAt) && !open.StartedAt.IsZero() && !open.After.Before(e.by()):
		return false // Tencent has shown the room again
	case open.ID == e.StreamID:
		return true
	case !open.StartedAt.IsZero() && !e.StartedAt.IsZero():
		return open.StartedAt.Equal(e.StartedAt)
	case open.End != nil && open.End.by().Add(sameEnd).Before(e.EndedAt):
		return false // it has ended before, and waits for its summary
	}
	return !open.Start().After(e.by()) && !open.Start().Before(latest(e.StartedAt, e.After))
}

// within returns the report with the time by which the stream had ended, if EndedAt cannot be that time: Tencent has confirmed the stream
// since. Such a time is that of another time zone or of a wrong clock, or the room lived on. Without this, a report with the right time
// would be about another stream, and have a second summary.
func (e End) within(stream Stream, next, now time.Time) End {
	if e.Source != SourceSweep && e.EndedAt.Before(stream.ConfirmedAt) {
		e.Until = now
		if !next.IsZero() {
			e.Until = earliest(now, next.Add(-time.Millisecond))
		}
	}
	return e
}

// recordEnd adds a report to the stream, and reports whether that changed something. An end that only the sweep noticed is replaced
// by a report.
func (s *Stream) recordEnd(end End) bool {
	changed := false
	if s.Owner == "" && end.Owner != "" {
		s.Owner, changed = end.Owner, true
		s.addTrusted(end.Owner, nil)
	}
	named := end.Accounts
	if s.End != nil {
		named = slices.Concat(named, s.End.Accounts)
	}
	for _, account := range end.Accounts {
		changed = s.addTrusted(account, named) || changed // the app names those that may have received gifts
	}
	switch {
	case s.End == nil:
		s.End = &end
		return true
	case s.End.Source == SourceSweep && end.Source != SourceSweep:
		end.Others, s.End = s.End.Others, &end
		return true
	case s.End.RoomTotals == nil && end.RoomTotals != nil:
		s.End.RoomTotals, s.End.TotalsAt, changed = end.RoomTotals, end.EndedAt, true
		s.End.Owner = cmp.Or(end.Owner, s.End.Owner) // whom the totals are of
	}
	known := slices.Concat(s.End.ids(), s.End.Others)
	if ids := end.ids(); end.Timeless && len(ids) > 0 && !end.again(known...) && len(known) < maxOthers {
		s.End.Others, changed = append(s.End.Others, ids...), true
	}
	return changed
}
