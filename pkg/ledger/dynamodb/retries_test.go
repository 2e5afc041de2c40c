package dynamodb

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The webhook of a gift has one second in all. What the retries of a call wait leaves most of it to DynamoDB.
func TestRetriesFitIntoASecond(t *testing.T) {
	const most = 200 * time.Millisecond
	for _, mode := range []aws.RetryMode{"", aws.RetryModeStandard, aws.RetryModeAdaptive} {
		retryer := newRetryer(mode)
		if attempts := retryer.MaxAttempts(); attempts != 3 {
			t.Errorf("mode %q: %d attempts, want 3", mode, attempts)
		}
		var longest time.Duration
		for range 1000 { // the waits are random
			var waits time.Duration
			for attempt := 1; attempt < retryer.MaxAttempts(); attempt++ {
				wait, err := retryer.RetryDelay(attempt, errors.New("throttled"))
				if err != nil {
					t.Fatal(err)
				}
				waits += wait
			}
			longest = max(longest, waits)
		}
		if longest > most {
			t.Errorf("mode %q: the retries of a call wait for %v, want at most %v", mode, longest, most)
		}
	}
}
