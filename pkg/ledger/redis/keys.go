package redis

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// prefix returns the beginning of all keys of an app.
func prefix(sdkAppID int64) string { return "giftstats:" + strconv.FormatInt(sdkAppID, 10) + ":" }

// These are the keys after the prefix.
const (
	allEndedKey = "ended"
	openKey     = "open"
	rateKey     = "rate"
)

func roomKey(id string) string           { return tag(id) + ":room" }
func giftsKey(room string) string        { return tag(room) + ":gifts" }
func endedKey(room, id string) string    { return tag(room) + ":ended:" + id }
func endedInKey(room string) string      { return tag(room) + ":ended" }
func endedWithKey(account string) string { return tag(account) + ":of" }
func leaseKey(name string) string        { return "lease:" + tag(name) }

var escapeBraces = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D")

// tag returns a name as a hash tag. The first closing brace ends a tag, so braces in the name are escaped.
func tag(name string) string { return "{" + escapeBraces.Replace(name) + "}" }

// timeWidth is the length of what sortable returns.
const timeWidth = 20

// sortable returns a time as text of a fixed width that sorts like the time.
func sortable(t time.Time) string {
	const last = 99_999_999_999
	switch seconds := t.Unix(); {
	case seconds < 0:
		return strings.Repeat("0", timeWidth)
	case seconds > last:
		return strings.Repeat("9", timeWidth)
	default:
		return fmt.Sprintf("%011d%09d", seconds, t.Nanosecond())
	}
}

// parseSortable reads what sortable returned.
func parseSortable(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text[:11], 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	nanoseconds, err := strconv.ParseInt(text[11:timeWidth], 10, 64)
	return time.Unix(seconds, nanoseconds).UTC(), err
}
