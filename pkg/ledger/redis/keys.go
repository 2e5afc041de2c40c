package redis

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// keys is the prefix of all keys of an app.
type keys string

func keysOf(sdkAppID int64) keys { return keys("giftstats:" + strconv.FormatInt(sdkAppID, 10) + ":") }

func (k keys) room(id string) string           { return string(k) + tag(id) + ":room" }
func (k keys) gifts(room string) string        { return string(k) + tag(room) + ":gifts" }
func (k keys) ended(room, id string) string    { return string(k) + tag(room) + ":ended:" + id }
func (k keys) endedOf(room string) string      { return string(k) + tag(room) + ":ended" }
func (k keys) endedWith(account string) string { return string(k) + tag(account) + ":of" }
func (k keys) allEnded() string                { return string(k) + "ended" }
func (k keys) open() string                    { return string(k) + "open" }
func (k keys) lease(name string) string        { return string(k) + "lease:" + tag(name) }

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
