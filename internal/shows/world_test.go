package shows_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

const (
	faultRate = 0.2
	document  = `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"not-a-real-key","webhook":{"live_token":"not-a-real-token"},
		"api_keys":{"payer":"` + apiKeyHash + `"}}`
	apiKey     = "not-a-real-api-key"
	apiKeyHash = "8e135c7a51ec9b9527aca886b8400dac9732594a53b72e8ac5bcdfc9681cbcbb"
)

// world is the whole system: Tencent, the function that takes webhooks, the queue, the function that processes ends, and receivers.
type world struct {
	t       *testing.T
	random  *dice
	faults  atomic.Int64
	calm    atomic.Bool // no faults any more
	engine  *simulator.Engine
	handler http.Handler
	store   ledger.Store
	secrets *secret.Cache

	mu       sync.Mutex
	queue    []queued
	reports  int                          // messages of report
	received map[string]map[string][]byte // by receiver and event id
	lost     map[string]bool              // rooms whose last gift was not recorded
	ends     map[string]bool              // rooms whose live end was queued
}

type queued struct {
	message streamend.Message
	due     time.Time
}

type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (d *dice) chance(p float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.Float64() < p
}

var errFault = errors.New("simulated fault")

// fault reports whether something is to fail.
func (w *world) fault() bool {
	if w.calm.Load() || !w.random.chance(faultRate) {
		return false
	}
	w.faults.Add(1)
	return true
}

func newWorld(t *testing.T, random *rand.Rand) *world {
	w := &world{
		t: t, random: &dice{random: random}, received: map[string]map[string][]byte{"one": {}, "two": {}},
		lost: map[string]bool{}, ends: map[string]bool{},
	}
	w.secrets = secrettest.NewCache(secret.Config{Store: fixedSecret{}})
	w.store = faultyStore{memory.New(time.Now), w}
	var err error
	w.engine, err = simulator.New(simulator.Config{
		SDKAppID: 1400000000, Admin: "administrator", SecretKey: "not-a-real-key", Limits: map[string]int{}, MaxBadSignatures: -1,
		Transport: toHandler{w}, Rand: rand.NewPCG(seed, 2),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.engine.SetWebhook("https://giftstats.example/v1/webhooks/live", "not-a-real-token")
	for command, probability := range map[string]float64{simulator.AfterDestroyRoom: 0.2, simulator.AfterCreateRoom: 0.1} {
		if err := w.engine.LoseWebhooks(simulator.WebhookLoss{Command: command, Probability: probability}); err != nil {
			t.Fatal(err)
		}
	}
	w.handler, err = httpapi.New(httpapi.Config{
		Service: giftstats.NewService(w.client()), Secrets: w.secrets, Auth: httpapi.Auth{APIKey: true}, Version: "test",
		Meter: new(telemetry.Meter), Now: time.Now, Logger: slog.New(slog.DiscardHandler), StreamEnded: w.enqueue, Ledger: w.ledger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type fixedSecret struct{}

func (fixedSecret) Fetch(context.Context) ([]byte, error) { return []byte(document), nil }

func (w *world) ledger() *ledger.Ledger {
	l, err := ledger.New(ledger.Config{Store: w.store, Retention: 400 * 24 * time.Hour, Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) client() *liveengine.Client {
	client, err := liveengine.New(liveengine.Config{
		Endpoint: &url.URL{Scheme: "https", Host: "upstream.example"}, Secrets: w.secrets, Limiter: giftstats.NewLimiter(10_000),
		Timeout: time.Second, Attempts: 2, Logger: slog.New(slog.DiscardHandler), HTTPClient: &http.Client{Transport: toEngine{w}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// processor is that of a function after a cold start.
func (w *world) processor() *streamend.Processor {
	var receivers []delivery.Receiver
	for name := range w.received {
		receivers = append(receivers, delivery.Receiver{Name: name, Deliverer: receiver{w, name}})
	}
	p, err := streamend.NewProcessor(streamend.Config{
		Rate: 10_000, Service: giftstats.NewService(w.client()), Receivers: receivers, Ledger: w.ledger(), Settle: 5 * time.Second,
		WaitIdle: w.secrets.WaitIdle, Meter: new(telemetry.Meter), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// toEngine carries calls to Tencent.
type toEngine struct{ w *world }

func (e toEngine) RoundTrip(r *http.Request) (*http.Response, error) {
	if e.w.fault() {
		return nil, errFault
	}
	recorder := httptest.NewRecorder()
	e.w.engine.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// toHandler carries webhooks of Tencent.
type toHandler struct{ w *world }

func (h toHandler) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	h.w.handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// receiver takes summaries. It may fail before or after it has taken one.
type receiver struct {
	w    *world
	name string
}

func (r receiver) Deliver(_ context.Context, m delivery.Message) error {
	fails := r.w.fault()
	if fails && r.w.random.chance(0.5) {
		return errFault
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	taken := r.w.received[r.name]
	if before, ok := taken[m.ID]; ok && string(before) != string(m.Body) {
		r.w.t.Errorf("receiver %s got two bodies under one id:\n%s\n%s", r.name, before, m.Body)
	}
	taken[m.ID] = slices.Clone(m.Body)
	if fails {
		return errFault
	}
	return nil
}

// enqueue is the queue's end where events enter. Now and then it repeats one.
func (w *world) enqueue(_ context.Context, event streamend.Event) ([]byte, error) {
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[event.RoomID] = true
	w.queue = append(w.queue, queued{streamend.Message{ID: event.EventID, Body: body}, time.Now()})
	if w.random.chance(0.1) {
		w.queue = append(w.queue, queued{streamend.Message{ID: event.EventID, Body: body}, time.Now().Add(20 * time.Second)})
	}
	return nil, nil
}

// processQueue hands out the messages that are due, in batches of ten. Those that fail are due again after 30 s.
func (w *world) processQueue() {
	w.mu.Lock()
	var due []queued
	w.queue = slices.DeleteFunc(w.queue, func(q queued) bool {
		if !q.due.After(time.Now()) {
			due = append(due, q)
			return true
		}
		return false
	})
	w.mu.Unlock()
	for batch := range slices.Chunk(due, 10) {
		messages := make([]streamend.Message, len(batch))
		for i, q := range batch {
			messages[i] = q.message
		}
		ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
		for i, err := range w.processor().ProcessAll(ctx, messages) {
			if permanent.Is(err) {
				w.t.Errorf("permanent failure of %s: %v", messages[i].Body, err)
			}
			if err != nil {
				w.mu.Lock()
				w.queue = append(w.queue, queued{messages[i], time.Now().Add(30 * time.Second)})
				w.mu.Unlock()
			}
		}
		cancel()
	}
}

func (w *world) sweep() {
	ctx, cancel := context.WithTimeout(w.t.Context(), 70*time.Second)
	defer cancel()
	w.processor().ProcessAll(ctx, []streamend.Message{{ID: "timer", Body: []byte(`{"sweep":true}`)}})
}

// every calls do again and again until ctx ends, also while an earlier call is running.
func (w *world) every(ctx context.Context, interval time.Duration, do func()) {
	go func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				go do()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// settle lets the queue and the sweep finish without further faults.
func (w *world) settle() {
	w.calm.Store(true)
	for range 20 {
		time.Sleep(time.Minute)
		w.processQueue()
		w.sweep()
	}
	if open, err := w.store.OpenRooms(w.t.Context()); err != nil || len(open) > 0 {
		w.t.Errorf("open rooms are left: %v, %v", open, err)
	}
}

func (w *world) begin(s *show) {
	if err := w.engine.CreateRoom(simulator.RoomInfo{RoomID: s.room, Owner: s.hosts[0], IsSeatEnabled: true, MaxSeatCount: 8}); err != nil {
		w.t.Errorf("%s: %v", s, err)
	}
	s.created = w.engine.LastWebhook().Status == http.StatusOK
	for i, host := range s.hosts {
		if err := errors.Join(w.engine.EnterRoom(s.room, host), w.engine.TakeSeat(s.room, host, int64(i))); err != nil {
			w.t.Errorf("%s: %v", s, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[s.room] = false
}

func (w *world) give(s *show, sent simulator.SentGift) {
	before, _ := w.engine.GiftCount(s.room, sent.Receivers[0])
	w.mu.Lock()
	w.lost[s.room] = false
	w.mu.Unlock()
	if err := w.engine.SendGift(sent); err != nil {
		w.t.Errorf("%s: gift: %v", s, err)
		return
	}
	after, err := w.engine.GiftCount(s.room, sent.Receivers[0])
	if err != nil {
		w.t.Errorf("%s: %v", s, err)
	}
	more := ledger.Sum{TotalCount: after.TotalCount - before.TotalCount, TotalCoins: after.TotalCoins - before.TotalCoins}
	host := s.given[sent.Receivers[0]]
	host.TotalCount += more.TotalCount
	host.TotalCoins += more.TotalCoins
	s.given[sent.Receivers[0]] = host
	s.total.TotalCount += more.TotalCount
	s.total.TotalCoins += more.TotalCoins
	w.mu.Lock()
	defer w.mu.Unlock()
	s.recorded = s.recorded && !w.lost[s.room]
}

func (w *world) delivered() map[string]map[string][]byte { return w.received }

// summaries returns what a receiver got, by room.
func (w *world) summaries() map[string][]streamend.Summary {
	byRoom := map[string][]streamend.Summary{}
	for _, body := range w.received["one"] {
		var summary streamend.Summary
		if err := json.Unmarshal(body, &summary); err != nil {
			w.t.Fatal(err)
		}
		byRoom[summary.Data.RoomID] = append(byRoom[summary.Data.RoomID], summary)
	}
	return byRoom
}

// about returns those of the summaries that are about the show.
func (s *show) about(summaries []streamend.Summary) []streamend.Summary {
	return slices.DeleteFunc(slices.Clone(summaries), func(summary streamend.Summary) bool {
		at := *summary.Data.EndedAt
		if summary.Data.StartedAt != nil {
			at = *summary.Data.StartedAt
		}
		return at.Before(s.start) || at.After(s.end.Add(2*time.Second))
	})
}

// faultyStore fails before or after it has done what it was asked for.
type faultyStore struct {
	ledger.Store
	w *world
}

// around calls do, with a fault before or after it now and then.
func (f faultyStore) around(do func() error) error {
	fails := f.w.fault()
	if fails && f.w.random.chance(0.5) {
		return errFault
	}
	if err := do(); err != nil || !fails {
		return err
	}
	return errFault
}

func (f faultyStore) Rooms(ctx context.Context, ids []string) (rooms []ledger.Room, err error) {
	err = f.around(func() error { rooms, err = f.Store.Rooms(ctx, ids); return err })
	return rooms, err
}

func (f faultyStore) SaveRoom(ctx context.Context, room ledger.Room, expires time.Time) error {
	err := f.around(func() error { return f.Store.SaveRoom(ctx, room, expires) })
	return err
}

func (f faultyStore) AddGift(ctx context.Context, gift ledger.Gift, expires time.Time) error {
	err := f.around(func() error { return f.Store.AddGift(ctx, gift, expires) })
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.lost[gift.RoomID] = err != nil
	return err
}

func (f faultyStore) Gifts(ctx context.Context, roomID string, from, until time.Time) iter.Seq2[ledger.Gift, error] {
	if f.w.fault() {
		return func(yield func(ledger.Gift, error) bool) { yield(ledger.Gift{}, io.ErrUnexpectedEOF) }
	}
	return f.Store.Gifts(ctx, roomID, from, until)
}

func (f faultyStore) DropGifts(ctx context.Context, roomID string, until time.Time) error {
	return f.around(func() error { return f.Store.DropGifts(ctx, roomID, until) })
}

func (f faultyStore) SaveEnded(ctx context.Context, ended ledger.Ended) (stored ledger.Ended, err error) {
	err = f.around(func() error { stored, err = f.Store.SaveEnded(ctx, ended); return err })
	return stored, err
}

func (f faultyStore) Ended(ctx context.Context, roomID, streamID string) (ended ledger.Ended, err error) {
	err = f.around(func() error { ended, err = f.Store.Ended(ctx, roomID, streamID); return err })
	return ended, err
}

func (f faultyStore) ListEnded(ctx context.Context, query ledger.Query) (streams []ledger.Ended, err error) {
	err = f.around(func() error { streams, err = f.Store.ListEnded(ctx, query); return err })
	return streams, err
}

func (f faultyStore) MarkTaken(ctx context.Context, roomID, streamID, receiver string) error {
	return f.around(func() error { return f.Store.MarkTaken(ctx, roomID, streamID, receiver) })
}
