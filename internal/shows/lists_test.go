package shows_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// earned is what each account earned in each stream, by the id of the summary.
type earned map[string]map[string]ledger.Sum

func (e earned) add(id, account string, sum ledger.Sum) error {
	if e[id] == nil {
		e[id] = map[string]ledger.Sum{}
	}
	if _, twice := e[id][account]; twice {
		return fmt.Errorf("%s has two entries of %s", id, account)
	}
	e[id][account] = sum
	return nil
}

func (e earned) sum() (sum ledger.Sum) {
	for _, accounts := range e {
		for _, more := range accounts {
			sum.Add(more)
		}
	}
	return sum
}

// checkLists compares what GET /v1/streams says about the evening with the summaries that were delivered, as a payer does who trusts only
// one of them: for all hosts and for one, for one room, in two periods, as JSON and as CSV.
func (w *world) checkLists(planned []*show) {
	w.t.Helper()
	summaries := w.summaries()
	middle := *summaries[planned[0].room][0].Data.EndedAt // the very moment of an end
	for _, host := range []string{"", planned[0].hosts[0], planned[len(planned)-1].hosts[0]} {
		for _, room := range []string{"", planned[0].room, "no-room"} {
			delivered := earned{}
			for _, summary := range slices.Concat(slices.Collect(maps.Values(summaries))...) {
				if room == "" || summary.Data.RoomID == room {
					w.deliveredTo(delivered, summary.Data, host)
				}
			}
			for _, kind := range []string{"application/json", "text/csv"} {
				listed := earned{}
				for _, period := range []url.Values{
					{"from": {"1999-01-01"}, "to": {middle.Format(time.RFC3339Nano)}}, {"from": {middle.Format(time.RFC3339Nano)}, "to": {"2001-01-01"}},
				} {
					for name, value := range map[string]string{"account": host, "room_id": room, "limit": "7"} {
						if value != "" {
							period.Set(name, value)
						}
					}
					w.list(listed, kind, period)
				}
				if !maps.EqualFunc(listed, delivered, maps.Equal[map[string]ledger.Sum]) {
					w.t.Errorf("host %q, room %q: as %s, %+v in %d streams are listed, and %+v in %d were delivered",
						host, room, kind, listed.sum(), len(listed), delivered.sum(), len(delivered))
				}
			}
		}
	}
}

func (w *world) deliveredTo(delivered earned, data streamend.Data, host string) {
	for _, earning := range data.Accounts {
		if host != "" && earning.Account != host {
			continue
		}
		var sum ledger.Sum
		if earning.Stats != nil {
			sum = ledger.Sum{TotalCount: earning.Stats.TotalCount, TotalCoins: earning.Stats.TotalCoins}
		}
		if err := delivered.add(data.EventID, earning.Account, sum); err != nil {
			w.t.Error(err)
		}
	}
}

// list reads all pages of a list.
func (w *world) list(listed earned, kind string, query url.Values) {
	w.t.Helper()
	link := regexp.MustCompile(`^<\?(.*)>; rel="next"$`)
	for next := query.Encode(); next != ""; {
		request := httptest.NewRequest(http.MethodGet, "/v1/streams?"+next, nil)
		request.Header.Set("Authorization", "Bearer "+apiKey)
		request.Header.Set("Accept", kind)
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			w.t.Fatalf("GET %s: %d %s", request.URL, answer.Code, answer.Body)
		}
		read := w.readCSV
		if kind == "application/json" {
			read = w.readJSON
		}
		if err := read(listed, answer.Body.String(), query.Get("account")); err != nil {
			w.t.Errorf("GET %s: %v", request.URL, err)
		}
		next = ""
		if found := link.FindStringSubmatch(answer.Header().Get("Link")); found != nil {
			next = found[1]
		}
	}
}

// readJSON also checks the sums of the page.
func (w *world) readJSON(listed earned, body, account string) error {
	var page struct {
		Streams []struct {
			EventID  string `json:"event_id"`
			Accounts []streamend.Earning
		}
		ledger.Sum
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		return err
	}
	var sum ledger.Sum
	for _, stream := range page.Streams {
		here := earned{}
		w.deliveredTo(here, streamend.Data{EventID: stream.EventID, Accounts: stream.Accounts}, account)
		for name, more := range here[stream.EventID] {
			sum.Add(more)
			if err := listed.add(stream.EventID, name, more); err != nil {
				return err
			}
		}
	}
	if sum != page.Sum {
		return fmt.Errorf("the sums of a page are %+v, those of its entries %+v", page.Sum, sum)
	}
	return nil
}

// readCSV reads the columns of pkg/httpapi/csv.go. Unknown numbers are empty.
func (w *world) readCSV(listed earned, body, _ string) error {
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range rows[1:] {
		var sum ledger.Sum
		sum.TotalCount, _ = strconv.ParseInt(row[4], 10, 64)
		sum.TotalCoins, _ = strconv.ParseInt(row[5], 10, 64)
		if err := listed.add(row[9], row[1], sum); err != nil {
			return err
		}
	}
	return nil
}
