package app

import (
	"testing"
	"time"
)

// A sender of a webhook waits for the response, for 2 seconds (Tencent Chat) or 5 (TRTC). So only the events of a queue may wait.
func TestSummaryWaitsOnlyBehindAQueue(t *testing.T) {
	for _, test := range []struct {
		name string
		role Role
		want time.Duration
	}{
		{name: "api", role: API, want: 0},
		{name: "stream end", role: StreamEnd, want: 5 * time.Second},
	} {
		if got := (Config{Role: test.role}).settle(); got != test.want {
			t.Errorf("a summary of the role %q waits for %v, want %v", test.name, got, test.want)
		}
	}
}
