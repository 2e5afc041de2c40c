package httpapi

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxAge returns the age of an answer that a request is content with: the directive max-age of RFC 9111, section 5.2.1.1. It is 0 if
// the request wants a new answer: without the directive, with one that is malformed, or with no-cache. If the directive is repeated,
// the lowest value counts.
func maxAge(cacheControl []string) time.Duration {
	const never = int64(math.MaxInt64)
	lowest := never
	for directive := range strings.SplitSeq(strings.Join(cacheControl, ","), ",") {
		name, value, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-cache":
			return 0
		case "max-age":
			lowest = min(lowest, parseSeconds(value))
		}
	}
	if lowest == never {
		return 0
	}
	return time.Duration(lowest) * time.Second
}

// maxDeltaSeconds is the highest number of seconds that RFC 9111, section 1.2.2, asks recipients to support.
const maxDeltaSeconds = 1 << 31

// parseSeconds reads delta-seconds, which a sender may have put in quotes. It returns 0 for anything else.
func parseSeconds(text string) int64 {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds > maxDeltaSeconds { // only digits: the error means that it is out of range
		return maxDeltaSeconds
	}
	return seconds
}
