//go:build soak

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// playShows plays one show after the other. The last one is played to its end.
func (s *soak) playShows(ctx context.Context, stage int) {
	for n := 0; ctx.Err() == nil; n++ {
		room := fmt.Sprintf("soak-%d-%d", stage, n)
		if err := s.playShow(ctx, room, stage); err != nil {
			s.t.Errorf("show in %s: %v", room, err)
			return
		}
		pause(ctx, time.Duration(rand.IntN(2000))*time.Millisecond)
	}
}

func (s *soak) playShow(ctx context.Context, room string, stage int) error {
	engine := s.server.demo.engine
	if err := engine.CreateRoom(simulator.RoomInfo{RoomID: room, Owner: host, IsSeatEnabled: true, MaxSeatCount: 4}); err != nil {
		return err
	}
	s.mu.Lock()
	s.live[stage] = room
	s.mu.Unlock()
	if err := engine.TakeSeat(room, guest, 0); err != nil {
		return err
	}
	given := 10 + rand.IntN(20)
	for range given {
		pause(ctx, 500*time.Millisecond+time.Duration(rand.IntN(500))*time.Millisecond)
		sent := saturdayGifts[rand.IntN(len(saturdayGifts))]
		sent.RoomID = room
		if err := engine.SendGift(sent); err != nil {
			return err
		}
	}
	// The context of the load is over when the last shows end.
	dissolved, err := engine.DestroyRoom(context.WithoutCancel(ctx), room)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shows[room] = true
	s.gifts += given
	if dissolved.Webhook.Err != nil || dissolved.Webhook.Status != http.StatusOK {
		s.dropped++
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// soakFaults are the ways in which Tencent fails.
var soakFaults = []struct {
	name  string
	fault simulator.Fault
}{
	{name: "slow, 100 ms", fault: simulator.Fault{Latency: 100 * time.Millisecond}},
	{name: "slower than the time limit", fault: simulator.Fault{Latency: 800 * time.Millisecond}},
	{name: "status 502 of a proxy", fault: simulator.Fault{Status: http.StatusBadGateway}},
	{name: "code 60007, too many calls", fault: simulator.Fault{Code: 60007, Info: "too many calls"}},
	{name: "code 70500, server error", fault: simulator.Fault{Code: 70500, Info: "server error, try again"}},
	{name: "a page instead of JSON", fault: simulator.Fault{Body: []byte("<html>maintenance</html>")}},
	{name: "half an answer", fault: simulator.Fault{CutBody: true}},
	{name: "connection reset", fault: simulator.Fault{Reset: true}},
}

// spoil makes single calls fail, and now and then all calls for a moment, so that no retry helps.
func (s *soak) spoil(ctx context.Context) {
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		next := soakFaults[n%len(soakFaults)]
		next.fault.Times = 1
		if n%9 == 0 { // for as long as a call is tried
			next.fault.Times = 25
			if next.fault.Latency > 0 {
				next.fault.Times = 150
			}
		}
		s.faults[next.name] += next.fault.Times
		s.server.demo.engine.Misbehave(next.fault)
	}
}

// fillJournal makes the simulator remember as many calls as it ever does, so that its own memory does not grow later.
func fillJournal(engine *simulator.Engine) {
	query := "?" + strings.Repeat("x", 600) // about the length of a signed call
	for range 10_000 {
		request := httptest.NewRequest(http.MethodPost, "/v4/live_engine_http_srv/none"+query, strings.NewReader("{}"))
		engine.ServeHTTP(httptest.NewRecorder(), request)
	}
}

// soakReceiver takes summaries. It is down for a tenth of the time, and fails now and then, before or after it has taken one.
type soakReceiver struct {
	t        *testing.T
	site     *httptest.Server
	verifier atomic.Pointer[standardwebhooks.Webhook]
	began    time.Time
	healed   atomic.Bool
	refused  atomic.Int64
	repeated atomic.Int64

	mu    sync.Mutex
	taken map[string]map[string]string // bodies by room and id
}

func newSoakReceiver(t *testing.T) *soakReceiver {
	r := &soakReceiver{t: t, began: time.Now(), taken: map[string]map[string]string{}}
	r.site = httptest.NewServer(r)
	t.Cleanup(r.site.Close)
	return r
}

func (r *soakReceiver) url() string { return r.site.URL }
func (r *soakReceiver) heal()       { r.healed.Store(true) }

// down reports whether it is the time, in the middle of the soak, when no summary is taken.
func (r *soakReceiver) down() bool {
	passed := time.Since(r.began)
	return !r.healed.Load() && passed > *soakTime*45/100 && passed < *soakTime*55/100
}

func (r *soakReceiver) fails() bool { return !r.healed.Load() && rand.Float64() < 0.1 }

func (r *soakReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err == nil {
		err = r.verifier.Load().Verify(body, request.Header)
	}
	if err != nil {
		r.t.Errorf("a delivery is not valid: %v", err)
	}
	if r.down() || r.fails() {
		r.refused.Add(1)
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	r.take(request.Header.Get(standardwebhooks.HeaderWebhookID), body)
	if r.fails() {
		r.refused.Add(1)
		http.Error(w, "taken, but the answer fails", http.StatusServiceUnavailable)
	}
}

func (r *soakReceiver) take(id string, body []byte) {
	var summary streamend.Summary
	if err := json.Unmarshal(body, &summary); err != nil {
		r.t.Errorf("a summary is not valid: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.taken[summary.Data.RoomID]
	if taken == nil {
		taken = map[string]string{}
		r.taken[summary.Data.RoomID] = taken
	}
	before, repeated := taken[id]
	if repeated {
		r.repeated.Add(1)
	}
	if repeated && before != string(body) {
		r.t.Errorf("two bodies under the id %s:\n%s\n%s", id, before, body)
	}
	taken[id] = string(body)
}

// summaries returns the ids of the summaries that were taken, by room.
func (r *soakReceiver) summaries() map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string][]string{}
	for room, taken := range r.taken {
		for id := range taken {
			ids[room] = append(ids[room], id)
		}
		slices.Sort(ids[room])
	}
	return ids
}
