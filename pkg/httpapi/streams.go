package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

const (
	defaultStreams = 100                 // streams of a page
	defaultRange   = 31 * 24 * time.Hour // before the end of the range
	clockSkew      = 10 * time.Minute    // how far ahead of ours the clock may be that an end was reported by
)

// streams answers GET /v1/streams: the streams that ended in a range of time, newest first, with what each account earned.
func (a *api) streams(x *exchange) error {
	x.Header().Add("Vary", "Accept")
	self, err := a.authenticate(x)
	if err != nil {
		return err
	}
	remembered, err := a.requireLedger()
	if err != nil {
		return err
	}
	values, err := x.parameters("account", "room_id", "from", "to", "limit", "cursor")
	if err != nil {
		return err
	}
	query, err := streamsQuery(self, values, a.config.Now())
	if err != nil {
		return err
	}
	x.roomID, x.account = query.RoomID, query.Account
	ended, next, err := pageOf(x.context(), remembered, query)
	if err != nil {
		return err
	}
	streams, err := decodeStreams(ended)
	if err != nil {
		return err
	}
	if next != nil {
		x.Header().Set("Link", nextLink(values, *next))
	}
	if prefersCSV(x.request.Header.Values("Accept")) {
		return x.writeStreamsCSV(streams, query.Account)
	}
	return x.writeJSON(http.StatusOK, newPage(streams, query.Account, self != "", next))
}

// streamsQuery reads the parameters of a request that arrived at now.
func streamsQuery(self string, values url.Values, now time.Time) (query ledger.Query, err error) {
	query.RoomID = values.Get("room_id")
	if query.Account, err = accountFor(self, values); err != nil {
		return query, err
	}
	if values.Has("account") {
		if err := giftstats.ValidateAccount(query.Account); err != nil {
			return query, err
		}
	}
	if values.Has("room_id") {
		if err := giftstats.ValidateRoomID(query.RoomID); err != nil {
			return query, err
		}
	}
	if query.From, query.To, err = timeRange(values, now); err != nil {
		return query, err
	}
	if query.Limit, err = limit(values, defaultStreams); err != nil {
		return query, err
	}
	if values.Has("cursor") {
		query.After, err = ledger.ParseCursor(values.Get("cursor"))
	}
	return query, err
}

// timeRange reads from and to. Without them, it returns the last 31 days; streams that have just ended are part of them, even if the
// end was reported by a clock ahead of ours.
func timeRange(values url.Values, now time.Time) (from, to time.Time, err error) {
	if from, err = timeOf(values, "from"); err != nil {
		return from, to, err
	}
	if to, err = timeOf(values, "to"); err != nil {
		return from, to, err
	}
	end := to
	if to.IsZero() {
		end, to = now, now.Add(clockSkew)
	}
	if from.IsZero() {
		from = end.Add(-defaultRange)
	}
	switch {
	case !to.After(from) && !values.Has("to"):
		return from, to, giftstats.Invalid("from %s is in the future; without to, the range ends now", from.Format(time.RFC3339))
	case !to.After(from):
		return from, to, giftstats.Invalid("from (%s) must be before to (%s)", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return from, to, nil
}

// maxPageBytes bounds what is stored of the streams of a page. Lambda and SCF refuse responses above 6 MB, in which quotes are escaped:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxPageBytes = 3 << 20

// pageOf returns the streams of a page: as many as one response can hold, and at most query.Limit. It also returns the position to go on
// after, nil at the end.
func pageOf(ctx context.Context, remembered *ledger.Ledger, query ledger.Query) (page []ledger.Ended, next *ledger.Position, err error) {
	const giftBytes = 200 // of a kind of gift at most
	size, most := 0, query.Limit
	query.Limit++ // whether there are more
	for ended, err := range remembered.EachEnded(ctx, query) {
		if err != nil {
			return nil, nil, err
		}
		size += len(ended.Summary) + giftBytes*len(ended.Gifts)
		if n := len(page); n == most || n > 0 && size > maxPageBytes {
			last := page[n-1].Position()
			return page, &last, nil
		}
		ended.Senders = nil // a page does not have them
		page = append(page, ended)
	}
	return page, nil, nil
}

// nextLink returns a Link header for the next page: RFC 8288. Its target is relative, because only the caller knows under which
// address a gateway serves this API.
func nextLink(values url.Values, next ledger.Position) string {
	query := url.Values{}
	for name, given := range values {
		query[name] = given
	}
	query.Set("cursor", next.Cursor())
	return fmt.Sprintf(`<?%s>; rel="next"`, query.Encode())
}

// endedStream is an ended stream with the content of its summary.
type endedStream struct {
	ledger.Ended
	data streamend.Data
}

func decodeStreams(ended []ledger.Ended) ([]endedStream, error) {
	streams := make([]endedStream, len(ended))
	for i, stream := range ended {
		var err error
		if streams[i], err = decodeStream(stream); err != nil {
			return nil, err
		}
	}
	return streams, nil
}

func decodeStream(ended ledger.Ended) (endedStream, error) {
	var summary streamend.Summary
	if err := json.Unmarshal(ended.Summary, &summary); err != nil {
		return endedStream{}, fmt.Errorf("decode the summary of stream %s of room %s: %w", ended.StreamID, ended.RoomID, err)
	}
	return endedStream{ended, summary.Data}, nil
}

// earnings returns the entry of an account, or those of all accounts if account is empty.
func (s endedStream) earnings(account string) []streamend.Earning {
	earnings := make([]streamend.Earning, 0, len(s.data.Accounts))
	for _, earning := range s.data.Accounts {
		if account == "" || earning.Account == account {
			earnings = append(earnings, earning)
		}
	}
	return earnings
}
