package streamend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

const (
	faultEvents = 5000
	faultRate   = 0.2
	fakeSecret  = `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"not-a-real-key",` +
		`"delivery_key":"whsec_bm90LWEtcmVhbC1kZWxpdmVyeS1rZXkh"}`
)

// dice decide, from a seed, which calls fail and how.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

// roll gives 0 when all is well, else which of n faults it is to be, from 1.
func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.random.Float64() >= faultRate {
		return 0
	}
	return 1 + d.random.IntN(n)
}

// coins is what every account earned in a room: a number that cannot be right by chance.
func coins(roomID, account string) int64 {
	h := fnv.New32a()
	io.WriteString(h, roomID+"/"+account)
	return int64(h.Sum32())
}

type faultyStore struct{ *dice }

func (s faultyStore) Fetch(context.Context) ([]byte, error) {
	switch s.roll(3) {
	case 1:
		return nil, errors.New("store is down")
	case 2:
		return []byte(fakeSecret[:40]), nil
	case 3:
		return nil, nil
	}
	return []byte(fakeSecret), nil
}

// faultyUpstream answers like the live engine, and fails like a network.
type faultyUpstream struct{ *dice }

func (u faultyUpstream) RoundTrip(r *http.Request) (*http.Response, error) {
	var request struct {
		RoomID  string `json:"RoomId"`
		Account string `json:"From_Account"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return nil, err
	}
	n := coins(request.RoomID, request.Account)
	answer := fmt.Sprintf(`{"ActionStatus":"OK","ErrorCode":0,"Response":{"TotalCount":1,"TotalCoins":%d,"GiftSenderCount":1}}`, n)
	switch {
	case strings.HasSuffix(r.URL.Path, "get_room_info"):
		answer = `{"ActionStatus":"OK","ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":"owner"}}}`
	case strings.HasSuffix(r.URL.Path, "get_room_stats"):
		answer = fmt.Sprintf(`{"ActionStatus":"OK","ErrorCode":0,"Response":{"TotalViewers":1,"TotalGiftsSent":1,"TotalGiftCoins":%d,`+
			`"TotalUniqueGiftSenders":1,"TotalLikesReceived":1,"TotalMsgCount":1}}`, n)
	}
	status := 200
	switch u.roll(10) {
	case 1:
		return nil, errors.New("connection reset")
	case 2:
		status = 503
	case 3:
		answer = `{"ActionStatus":"FAIL","ErrorCode":100001,"ErrorInfo":"internal error"}`
	case 4:
		answer = answer[:len(answer)/2]
	case 5:
		answer = `{"ActionStatus":"OK","ErrorCode":0,"Response":{}}`
	case 6:
		answer = `{"ActionStatus":"FAIL","ErrorCode":60007,"ErrorInfo":"too often"}`
	case 7:
		status, answer = 403, "<html>a firewall's page</html>"
	case 8:
		status, answer = 413, `{"error":"a proxy's answer"}`
	case 9:
		answer = `{"ActionStatus":"FAIL","ErrorCode":60002,"ErrorInfo":"http parse error"}`
	case 10:
		answer = `{"ActionStatus":"FAIL","ErrorCode":123456,"ErrorInfo":"请求过于频繁，请稍后再试"}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

// faultyReceiver keeps what it is sent, by id; it may fail before or after it has taken a message.
type faultyReceiver struct {
	*dice
	mu    sync.Mutex
	taken map[string][]string
}

func (f *faultyReceiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	verifier, err := standardwebhooks.NewWebhook("whsec_bm90LWEtcmVhbC1kZWxpdmVyeS1rZXkh")
	if err == nil {
		err = verifier.Verify(body, r.Header)
	}
	if err != nil {
		return nil, err
	}
	fault := f.roll(3)
	if fault == 1 {
		return nil, errors.New("connection refused")
	}
	if fault != 2 { // 2 refuses it, 3 takes it and loses the answer
		f.mu.Lock()
		f.taken[r.Header.Get("webhook-id")] = append(f.taken[r.Header.Get("webhook-id")], string(body))
		f.mu.Unlock()
	}
	status := 200
	if fault != 0 {
		status = 500
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil)), Request: r,
	}, nil
}

// instance is a function's process after a cold start.
func instance(t *testing.T, d *dice, receiver *faultyReceiver) *streamend.Processor {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	secrets := secrettest.NewCache(secret.Config{Store: faultyStore{d}, TTL: time.Second})
	upstream, err := endpoint.Parse("https://upstream.example")
	if err != nil {
		t.Fatal(err)
	}
	client, err := liveengine.New(liveengine.Config{
		Endpoint: upstream, Secrets: secrets, Limiter: giftstats.NewLimiter(10_000), Timeout: time.Second, Attempts: 2,
		Logger: quiet, HTTPClient: &http.Client{Transport: faultyUpstream{d}},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := func(ctx context.Context) (string, error) {
		document, err := secrets.Get(ctx)
		if err != nil {
			return "", err
		}
		return document.DeliveryKey.Reveal(), nil
	}
	deliver, err := delivery.NewHTTPS(delivery.HTTPSConfig{URL: "https://customer.example", Key: key, Transport: receiver})
	if err != nil {
		t.Fatal(err)
	}
	processor, err := streamend.NewProcessor(streamend.Config{
		Rate: 10_000, Service: giftstats.NewService(client), Receivers: []delivery.Receiver{{Name: "customer", Deliverer: deliver}},
		WaitIdle: secrets.WaitIdle, Meter: new(telemetry.Meter), Now: time.Now, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return processor
}

// 5,000 ends of streams, and a fault in every fifth call to the secret store, to the upstream and to the receiver. What fails
// is retried, as by a queue. Every summary arrives with the right numbers, and a repeated one has the same id. An answer of a proxy or
// a code that nobody knows is not taken for a room that is gone.
func TestNothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dice{random: rand.New(rand.NewPCG(20261123, 1))}
		receiver := &faultyReceiver{dice: d, taken: map[string][]string{}}
		var queue []streamend.Message
		for i := range faultEvents {
			body := fmt.Sprintf(`{"event_id":"e-%d","room_id":"room-%d","accounts":["host"]}`, i, i)
			if i%3 == 0 { // the owner has to be looked up
				body = fmt.Sprintf(`{"event_id":"e-%d","room_id":"room-%d"}`, i, i)
			}
			queue = append(queue, streamend.Message{ID: fmt.Sprint(i), Body: []byte(body)})
		}
		rounds := 0
		for ; len(queue) > 0 && rounds < 50; rounds++ {
			queue = processRound(t, queue, func() *streamend.Processor { return instance(t, d, receiver) })
			time.Sleep(time.Minute) // the queue's visibility time-out
		}
		if len(queue) != 0 {
			t.Fatalf("%d events are still failing after %d rounds", len(queue), rounds)
		}
		checkTaken(t, receiver.taken)
		t.Logf("delivered in %d rounds", rounds)
	})
}

// processRound has the queue processed in batches of ten, each by a cold instance, and returns what failed.
func processRound(t *testing.T, queue []streamend.Message, start func() *streamend.Processor) []streamend.Message {
	var mu sync.Mutex
	var failed []streamend.Message
	var instances sync.WaitGroup
	for len(queue) > 0 {
		batch := queue[:min(10, len(queue))]
		queue = queue[len(batch):]
		instances.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for i, err := range start().ProcessAll(ctx, batch) {
				if err == nil {
					continue
				}
				if permanent.Is(err) {
					t.Errorf("permanent failure: %v", err)
				}
				mu.Lock()
				failed = append(failed, batch[i])
				mu.Unlock()
			}
		})
	}
	instances.Wait()
	return failed
}

func checkTaken(t *testing.T, taken map[string][]string) {
	t.Helper()
	repeats := 0
	for i := range faultEvents {
		bodies := taken[fmt.Sprintf("e-%d", i)]
		if len(bodies) == 0 {
			t.Errorf("event %d is lost", i)
			continue
		}
		repeats += len(bodies) - 1
		account, room := "host", fmt.Sprintf("room-%d", i)
		if i%3 == 0 {
			account = "owner"
		}
		for _, body := range bodies {
			var summary struct {
				Data struct {
					EventID  string `json:"event_id"`
					Complete bool
					Room     struct {
						Coins int64 `json:"total_gift_coins"`
					}
					Accounts []struct {
						Account string
						Coins   int64 `json:"total_coins"`
					}
				}
			}
			if err := json.Unmarshal([]byte(body), &summary); err != nil {
				t.Fatal(err)
			}
			data := summary.Data
			if data.EventID != fmt.Sprintf("e-%d", i) || !data.Complete {
				t.Errorf("event %d was delivered as %s", i, body)
			}
			if len(data.Accounts) != 1 || data.Accounts[0].Account != account {
				t.Errorf("event %d has other accounts than %s: %s", i, account, body)
				continue
			}
			if data.Accounts[0].Coins != coins(room, account) || data.Room.Coins != coins(room, "") {
				t.Errorf("event %d has wrong numbers: %s", i, body)
			}
		}
	}
	if len(taken) != faultEvents {
		t.Errorf("%d ids were delivered, want %d", len(taken), faultEvents)
	}
	if repeats == 0 {
		t.Error("nothing was delivered twice: the faults did not reach that far")
	}
}
