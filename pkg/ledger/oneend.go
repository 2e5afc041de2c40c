package ledger

import (
	"context"
	"slices"
	"time"
)

// This file decides which reports are about one end of a stream, and so share one summary. docs/stream-end.md states the rules under "One
// end, one summary".

// sameEnd is how far apart the times of two reports of one end may be, when nothing else identifies the stream. Tencent's services
// report one end seconds apart.
const sameEnd = time.Minute

// sameReport is how far apart the times of a repeated report of Tencent Chat may be.
const sameReport = 10 * time.Second

// timelessFor is how old an ended stream may be for a report without a time to be about it.
const timelessFor = 24 * time.Hour

// lateBy is how much later than Tencent Chat other sources may say that a stream ended. The sources that are not listed are never late.
var lateBy = map[string]time.Duration{"trtc": time.Minute, "css": time.Minute, "direct": 10 * time.Second}

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

// endedBy returns the open stream that a report of an end can be about: the newest that started before it, unless another end of that
// stream is known. In the second in which a room is dissolved and created again, it is the older one.
func (r *Room) endedBy(end End) *Stream {
	for i := len(r.Streams) - 1; i >= 0; i-- {
		if s := &r.Streams[i]; s.startedBefore(end) {
			if i > 0 {
				older := &r.Streams[i-1]
				if s.startsIn(end) && older.awaits(end) || older.End != nil && end.late(older.End) {
					return older
				}
			}
			if s.End != nil && !s.End.same(end) {
				return nil
			}
			return s
		}
	}
	return nil
}

// startedBefore reports whether the stream may have started before the end.
func (s *Stream) startedBefore(end End) bool {
	if s.precise(end) {
		return !s.CreatedAt.After(end.EndedAt)
	}
	return !s.Start().After(end.EndedAt) || s.reportedEarlier(end)
}

// reportedEarlier reports whether an end can be that of a stream of which nothing is known but a report with a later time: the stream
// started before both.
func (s *Stream) reportedEarlier(end End) bool {
	return s.End != nil && s.StartedAt.IsZero() && s.OpenedAt.Equal(s.End.EndedAt) && s.End.same(end) &&
		end.EndedAt.After(s.After) && !end.EndedAt.Before(s.OpenedAt.Add(-sameEnd))
}

// precise reports whether the order of the start and an end is known: Tencent Chat tells both in milliseconds.
func (s *Stream) precise(end End) bool { return end.Source == sourceLive && !s.CreatedAt.IsZero() }

// startsIn reports whether the stream started in the same second as the end, so that the order of the two is not known: a CreateTime has
// whole seconds.
func (s *Stream) startsIn(end End) bool {
	return !end.Timeless && !s.precise(end) && !s.StartedAt.IsZero() && s.StartedAt.Equal(end.EndedAt.Truncate(time.Second))
}

// awaits reports whether a report can be about the end of the stream, although the next one has started: the first report of its end, or
// the same one once more.
func (s *Stream) awaits(end End) bool {
	switch {
	case s.End == nil:
		return true
	case s.End.Source == sourceLive:
		return end.repeats(s.End)
	}
	return s.End.same(end)
}

// same reports whether another report can be about the same end. Tencent Chat reports every end once, so that two of its reports at
// different times are about two ends.
func (e *End) same(other End) bool {
	switch {
	case other.Timeless:
		return true
	case e.Source == sourceLive && other.Source == sourceLive:
		return other.EndedAt.Sub(e.EndedAt).Abs() <= sameReport
	}
	return !other.EndedAt.After(e.by().Add(sameEnd))
}

// late reports whether a report is more likely a late one of a known end than one of a stream that started since.
func (e *End) late(known *End) bool {
	return lateBy[e.Source] > 0 && !e.EndedAt.After(known.by().Add(lateBy[e.Source]))
}

// repeats reports whether a report of Tencent Chat, which has no id, is the known one once more.
func (e *End) repeats(known *End) bool {
	return e.Source == sourceLive && known.Source == sourceLive && e.EndedAt.Equal(known.EndedAt)
}

// again reports whether a report is another delivery of one with one of these ids.
func (e *End) again(ids ...string) bool {
	return slices.ContainsFunc(e.ids(), func(id string) bool { return slices.Contains(ids, id) })
}

// ids are what identifies the report. There may be none.
func (e *End) ids() []string {
	return slices.DeleteFunc([]string{e.EventID, e.ReportID}, func(id string) bool { return id == "" })
}

// reported reports whether a report is another delivery of one that is remembered of the ended stream.
func (e *End) reported(ended Ended) bool {
	return e.again(ended.EventID, ended.ReportID) || e.again(ended.Others...) || e.repeats(ended.end()) ||
		slices.ContainsFunc(e.ids(), func(id string) bool { return slices.Contains(ended.Taken, reportMark(id)) })
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
