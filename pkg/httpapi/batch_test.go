package httpapi_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Only the rate limit of this process refuses a batch as a whole. If Tencent refuses each of its queries, each has an error.
func TestBatchBeyondTheRateLimit(t *testing.T) {
	contract, batch := openAPI(t), postBatch(`{"queries":[{"room_id":"r","account":"a"},{"room_id":"r","account":"b"}]}`)
	for _, test := range []struct {
		name  string
		cause error
		want  int
	}{
		{name: "of this process", cause: giftstats.ErrNoTurn, want: 429},
		{name: "of Tencent", want: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			failure := &giftstats.Error{Code: giftstats.CodeRateLimited, Detail: "d", RetryAfter: 1500 * time.Millisecond, Err: test.cause}
			response := send(newHandler(t, engine{failure}, document, io.Discard, nil), batch)
			if response.Code != test.want {
				t.Fatalf("status %d, want %d: %s", response.Code, test.want, response.Body)
			}
			if after := response.Header().Get("Retry-After"); (after == "2") != (test.want == 429) {
				t.Errorf("Retry-After is %q", after)
			}
			contract.check(t, batch.request(), response)
		})
	}
}

// One query that has an answer, or another error, keeps the answers of all.
func TestBatchPartlyBeyondTheRateLimit(t *testing.T) {
	failure := &giftstats.Error{Code: giftstats.CodeRateLimited, Detail: "d", Err: giftstats.ErrNoTurn}
	for _, query := range []string{`{"room_id":"r","account":"unlucky"}`, `{"room_id":"","account":"a"}`} {
		batch := postBatch(fmt.Sprintf(`{"queries":[{"room_id":"r","account":"a"},%s]}`, query))
		if response := send(newHandler(t, engine{failure}, document, io.Discard, nil), batch); response.Code != 200 {
			t.Errorf("%s: status %d: %s", query, response.Code, response.Body)
		}
	}
}
