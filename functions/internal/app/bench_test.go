package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// One warm request, from event to encoded answer, beside a bare net/http POST with a ready signature to the same upstream in
// the same process. Compare the two, not either with anything else.
func BenchmarkWarmRequest(b *testing.B) {
	w := newWorld(b, io.Discard, slog.LevelInfo, nil, "GIFTSTATS_RATE_LIMIT=100000")
	b.Run("bare POST", func(b *testing.B) {
		target, body := bareCall(b, w)
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
		payload := eventtest.Payload(b, eventtest.AWS[0].Event(sample()))
		b.ReportAllocs()
		for b.Loop() {
			answer, err := f.Invoke(context.Background(), payload)
			if err != nil || !bytes.Contains(answer, []byte(`\"total_coins\":1`)) {
				b.Fatalf("%v: %s", err, answer)
			}
		}
	})
}

// bareCall is the call that a warm request makes: its URL, signed already, and its body.
func bareCall(t testing.TB, w *world) (target string, body []byte) {
	t.Helper()
	upstream := httptest.NewServer(w.engine)
	t.Cleanup(upstream.Close)
	sig, err := usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: appID, Account: "administrator", Key: fakeKey})
	if err != nil {
		t.Fatal(err)
	}
	return upstream.URL + "/v4/live_engine_http_srv/get_gift_count?sdkappid=1400000000&identifier=administrator&random=7&contenttype=json&usersig=" + url.QueryEscape(sig),
		[]byte(`{"RoomId":"room_id","From_Account":"user1"}`)
}

// A batch of 1,000 queries at 20 ms of upstream latency and without a limit: what is left is the fan-out.
func BenchmarkBatch(b *testing.B) {
	w := newWorld(b, io.Discard, slog.LevelWarn, nil, "GIFTSTATS_RATE_LIMIT=100000")
	w.engine.Misbehave(simulator.Fault{Times: -1, Latency: 20 * time.Millisecond})
	b.ReportAllocs()
	for b.Loop() {
		askBatch(b, w)
	}
}

// A batch of 1,000 queries at the documented 200 calls per second, which the simulator enforces, and 50 ms of latency: it
// should take 5 s, and have no call refused.
func BenchmarkBatchAtTheLimit(b *testing.B) {
	w := newWorld(b, io.Discard, slog.LevelWarn, func(c *simulator.Config) { c.Limits = simulator.DocumentedLimits() }, "GIFTSTATS_RATE_LIMIT=200")
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
	batch := eventtest.Request{Method: "POST", Path: "/v1/gift-stats", Header: bearer(apiKey), Body: fmt.Sprintf(`{"queries":[%s]}`, queries)}
	recorder := httptest.NewRecorder()
	w.app.Handler.ServeHTTP(recorder, request(batch))
	if !strings.Contains(recorder.Body.String(), `"succeeded":1000`) {
		b.Fatal(recorder.Body.String()[:200])
	}
}
