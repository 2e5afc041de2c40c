package httpapi

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/giftstats/giftstats/pkg/streamend"
)

const csvType = "text/csv; charset=utf-8; header=present" // RFC 4180, section 3

var csvHeader = []string{
	"room_id", "account", "started_at", "ended_at", "total_count", "total_coins", "gift_sender_count", "from", "reconciled", "event_id",
}

// writeStreamsCSV answers with one row for each account of each stream, or only for one account if it is not empty.
func (x *exchange) writeStreamsCSV(streams []endedStream, account string) error {
	var body bytes.Buffer
	table := csv.NewWriter(&body)
	table.UseCRLF = true // RFC 4180, section 2
	table.Write(csvHeader)
	for _, stream := range streams {
		for _, earning := range stream.earnings(account) {
			table.Write(stream.row(earning))
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	x.write(http.StatusOK, csvType, body.Bytes())
	return nil
}

// row returns the cells of an account. Those of unknown values are empty.
func (s endedStream) row(earning streamend.Earning) []string {
	var count, coins, senders, reconciled string
	if stats := earning.Stats; stats != nil {
		count, coins = strconv.FormatInt(stats.TotalCount, 10), strconv.FormatInt(stats.TotalCoins, 10)
		senders = strconv.FormatInt(stats.GiftSenderCount, 10)
	}
	if s.data.Reconciled != nil {
		reconciled = strconv.FormatBool(*s.data.Reconciled)
	}
	return []string{
		textCell(s.RoomID), textCell(earning.Account), timeCell(s.StartedAt), timeCell(s.EndedAt),
		count, coins, senders, textCell(earning.From), reconciled, textCell(s.EventID),
	}
}

// formula matches the beginning of what a spreadsheet would run as a formula: at the start of a cell, or after a semicolon, which
// separates cells where the comma is the decimal mark. Japanese spreadsheets take the full-width signs as well.
//
// It is compiled when it is first needed, because most instances never answer with CSV.
//
// Source: https://owasp.org/www-community/attacks/CSV_Injection
var formula = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|;)([" ]*[=+\-@\t\r\n＝＋－＠])`) })

// textCell puts an apostrophe before each formula.
func textCell(text string) string { return formula().ReplaceAllString(text, "$1'$2") }

func timeCell(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
