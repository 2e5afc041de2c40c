package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
)

// What a warm request allocates beside the call to upstream itself: a guard against doing work twice on the way of every
// request. Under the race detector the counts are a little higher, and the bound has room for that.
func TestWarmRequestAllocates(t *testing.T) {
	const most = 155
	w := newWorld(t, io.Discard, slog.LevelInfo, nil, "GIFTSTATS_RATE_LIMIT=100000")
	upstream, call := bareCall(t, w)
	bare := testing.AllocsPerRun(200, func() {
		response, err := http.Post(upstream, "application/json", bytes.NewReader(call))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	})
	f := must(aws.New(aws.Config{Handler: w.app.Handler, Logger: w.app.Logger}))
	payload := eventtest.Payload(t, eventtest.AWS[0].Event(sample()))
	whole := testing.AllocsPerRun(200, func() {
		if answer, err := f.Invoke(context.Background(), payload); err != nil || !bytes.Contains(answer, []byte(`\"total_coins\":1`)) {
			t.Fatalf("%v: %s", err, answer)
		}
	})
	t.Logf("%.0f allocations, %.0f of them for the call", whole, bare)
	if whole-bare > most {
		t.Errorf("%.0f allocations beside the %.0f of the call itself, want at most %d", whole-bare, bare, most)
	}
}
