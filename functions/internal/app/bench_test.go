package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// One warm request, from the event to the encoded response, and for comparison a bare POST with net/http and a ready signature, to
// the same upstream in the same process. Only the difference of the two is meaningful.
func BenchmarkWarmRequest(b *testing.B) {
	w := newWorld(b, worldConfig{log: io.Discard})
	b.Run("bare POST", func(b *testing.B) {
		target, body := upstreamCall(b, w)
		b.ReportAllocs()
		for b.Loop() {
			response, err := http.Post(target, "application/json", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			var answer struct {
				ErrorCode int
				Response  struct{ TotalCoins int64 }
			}
			err = json.NewDecoder(response.Body).Decode(&answer)
			response.Body.Close()
			if err != nil || answer.Response.TotalCoins != 1 {
				b.Fatal(err, answer)
			}
		}
	})
	b.Run("Lambda event", func(b *testing.B) {
		f := must(aws.New(aws.Config{Handler: w.app.Handler, Logger: w.app.Logger}))
		payload := eventtest.Payload(b, eventtest.AWS[0].Event(fixture.Sample()))
		b.ReportAllocs()
		for b.Loop() {
			answer, err := f.Invoke(context.Background(), payload)
			if err != nil || !bytes.Contains(answer, []byte(`\"total_coins\":1`)) {
				b.Fatalf("%v: %s", err, answer)
			}
		}
	})
}

// upstreamCall returns the call that a warm request makes: its signed URL and its body.
func upstreamCall(t testing.TB, w *world) (target string, body []byte) {
	t.Helper()
	upstream := httptest.NewServer(w.engine)
	t.Cleanup(upstream.Close)
	query := url.Values{
		"sdkappid": {strconv.Itoa(fixture.AppID)}, "identifier": {fixture.Admin}, "usersig": {userSig(t, fixture.Admin)},
		"random": {"7"}, "contenttype": {"json"},
	}
	return upstream.URL + "/v4/live_engine_http_srv/get_gift_count?" + query.Encode(),
		[]byte(`{"RoomId":"room_id","From_Account":"user1"}`)
}

// A batch of 1,000 queries at 20 ms of upstream latency and without a limit: what remains is the fan-out.
func BenchmarkBatch(b *testing.B) {
	w := newWorld(b, worldConfig{log: io.Discard, level: slog.LevelWarn})
	w.engine.Misbehave(simulator.Fault{Times: -1, Latency: 20 * time.Millisecond})
	b.ReportAllocs()
	for b.Loop() {
		askBatch(b, w)
	}
}

// A batch of 1,000 queries at the documented 200 calls per second, which the simulator enforces, and 50 ms of latency: it
// should take 5 s, and no call should be refused.
func BenchmarkBatchAtTheLimit(b *testing.B) {
	w := newWorld(b, worldConfig{
		log: io.Discard, level: slog.LevelWarn, variables: []string{"GIFTSTATS_RATE_LIMIT=200"},
		simulator: func(c *simulator.Config) { c.Limits = simulator.DocumentedLimits() },
	})
	w.engine.Misbehave(simulator.Fault{Times: -1, Latency: 50 * time.Millisecond})
	for b.Loop() {
		askBatch(b, w)
	}
	b.ReportMetric(float64(w.engine.Peak("get_gift_count")), "peak-calls/s")
	b.ReportMetric(float64(w.engine.Count("get_gift_count")-giftstats.MaxBatch*b.N)/float64(b.N), "refused/op")
}

func askBatch(b *testing.B, w *world) {
	b.Helper()
	queries := strings.Repeat(`,{"room_id":"room_id","account":"user1"}`, giftstats.MaxBatch)[1:]
	response := w.ask(eventtest.Request{
		Method: "POST", Path: "/v1/gift-stats", Header: bearer(fixture.APIKey), Body: `{"queries":[` + queries + `]}`,
	})
	if !strings.Contains(response.Body.String(), `"succeeded":1000`) {
		b.Fatalf("%.200s", response.Body)
	}
}
