package webhook

import (
	"time"

	"github.com/giftstats/giftstats/pkg/lenient"
)

// maxClockError is how far Tencent's clock may be ahead of ours.
const maxClockError = 5 * time.Minute

// earliest is before any webhook. A time in the wrong unit, such as seconds in the place of milliseconds, is earlier.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// timeOf converts a Unix time in the given unit. It returns the zero time if the time is missing or cannot be true: before earliest,
// or later than now by more than maxClockError. Such a time counts as missing, because what the webhook reports has happened anyway.
func timeOf(number lenient.Int, unit time.Duration, now time.Time) time.Time {
	perSecond := int64(time.Second / unit)
	seconds := number.Value / perSecond
	if seconds < earliest.Unix() || seconds > now.Add(maxClockError).Unix() {
		return time.Time{}
	}
	return time.Unix(seconds, number.Value%perSecond*int64(unit)).UTC()
}
