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

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// End is a report that a stream has ended.
type End struct {
	EventID    string                `json:"event_id,omitempty"`  // the sender's own; empty if it is to be derived
	ReportID   string                `json:"report_id,omitempty"` // the same whenever this report is delivered again; may be empty
	EndedAt    time.Time             `json:"ended_at"`
	Until      time.Time             `json:"until,omitzero"` // when the stream had ended, if EndedAt is only when it was last seen, or wrong
	Reason     string                `json:"reason,omitempty"`
	Source     string                `json:"source"`
	Owner      string                `json:"owner,omitempty"`
	Accounts   []string              `json:"accounts,omitempty"` // named by the sender
	RoomTotals *giftstats.RoomTotals `json:"room_totals,omitempty"`
	TotalsAt   time.Time             `json:"totals_at,omitzero"` // when the room ended by the report that brought them, if it is another one

	// Timeless is true if the report named no time, so that EndedAt is when it arrived. It is about the newest stream.
	Timeless bool `json:"timeless,omitempty"`
	// Others are the ids of later reports without a time, which must not end the next stream when they are delivered again.
	Others []string `json:"others,omitempty"`
}

// by is the time by which the stream had ended: EndedAt, or, if nobody reported the end or EndedAt is wrong, the time when it was noticed.
func (e *End) by() time.Time { return latest(e.EndedAt, e.Until) }

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
		if candidate := room.endedBy(end); stream == nil && !candidate.passed(ended, end) {
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
			stream = room.endedBy(end)
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

// reportMark returns a short mark for an id of any length. No receiver has such a name.
func reportMark(id string) string {
	digest := sha256.Sum256([]byte(id))
	return "report " + hex.EncodeToString(digest[:8])
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
