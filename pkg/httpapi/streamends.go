package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

type queuedResponse struct {
	EventID string `json:"event_id"`
	Status  string `json:"status"`
}

// streamEnd answers POST /v1/stream-ends: the customer's own report that a stream has ended.
func (a *api) streamEnd(x *exchange) error {
	if err := a.requireFullAccess(x); err != nil {
		return err
	}
	if _, err := x.parameters(); err != nil {
		return err
	}
	event, err := x.readStreamEnd()
	if err != nil {
		return err
	}
	x.roomID, x.eventID = event.RoomID, event.EventID
	if event.EndedAt == nil {
		reported := a.config.Now().UTC().Truncate(time.Millisecond)
		event.ReportedAt = &reported
	}
	if a.config.Ledger != nil {
		if err := event.CheckTime(a.config.Now()); err != nil {
			return err
		}
	}
	summary, err := a.config.StreamEnded(x.context(), event)
	switch {
	case err != nil:
		return notEnded(err, summary != nil)
	case summary == nil:
		return x.writeJSON(http.StatusAccepted, queuedResponse{event.EventID, "queued"})
	}
	// A copy, because the summary is what the ledger has stored. Every JSON response of this API ends with a newline.
	x.write(http.StatusOK, jsonType, slices.Concat(summary, []byte("\n")))
	return nil
}

// readStreamEnd reads the event in the body. The id of the request distinguishes events without an id and a time.
func (x *exchange) readStreamEnd() (streamend.Event, error) {
	var report streamend.Report
	if err := x.readJSON(&report); err != nil {
		return streamend.Event{}, err
	}
	if report.Source != nil && *report.Source != streamend.SourceDirect {
		return streamend.Event{}, giftstats.Invalid(
			"source is %.20q; leave it out or give %q: the others are for what Tencent reports", *report.Source, streamend.SourceDirect)
	}
	return report.Event(x.id)
}

// notEnded returns the error for an event that was not accepted. A failure with a code keeps it; one without is that of the queue or of
// a receiver. The cause is only logged, with all failures of several receivers: it may hold an address.
func notEnded(cause error, summarized bool) error {
	failure := giftstats.Error{Code: giftstats.CodeUpstreamUnavailable}
	var known *giftstats.Error
	switch {
	case errors.As(cause, &known):
		failure = *known
	case !summarized && errors.Is(cause, context.DeadlineExceeded):
		failure = *giftstats.AsError(cause)
	case !summarized:
		failure.Detail = "the event was not accepted; send it again later, with the same event_id"
	case permanent.Is(cause):
		failure.Code = giftstats.CodeUpstreamRejected
		failure.Detail = "a receiver of GIFTSTATS_DELIVER refused the summary; correct the receiver, then send the event again"
	default:
		failure.Detail = "a receiver of GIFTSTATS_DELIVER did not accept the summary; send the event again later, with the same event_id"
	}
	failure.Err = cause
	return &failure
}
