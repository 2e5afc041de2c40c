package app_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestGiftStatsInEveryForm(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.forms(t, w.app.Handler, func(name string, form eventtest.Form, f function) {
		t.Run(name, func(t *testing.T) {
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(fixture.Sample())))
			if err != nil {
				t.Fatal(err)
			}
			answer := eventtest.Read(t, payload)
			if answer.Status != 200 || answer.Header["content-type"] != "application/json" {
				t.Fatalf("answer = %+v, want 200 and JSON", answer)
			}
			var got giftstats.Stats
			if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
				t.Fatal(err)
			}
			if got.TotalCount != 1 || got.TotalCoins != 1 || got.GiftSenderCount != 1 {
				t.Errorf("%d gifts, %d coins and %d senders, want one of each", got.TotalCount, got.TotalCoins, got.GiftSenderCount)
			}
			if got.Sequence == nil || *got.Sequence != 1 {
				t.Errorf("sequence = %v, want 1", got.Sequence)
			}
			if got.UpstreamRequestID == "" {
				t.Error("upstream_request_id is missing")
			}
		})
	})
}

func TestRotationNeedsNoRestart(t *testing.T) {
	w := newWorld(t, worldConfig{})
	if got := w.ask(fixture.Sample()).Code; got != 200 {
		t.Fatalf("before the rotation: status %d, want 200", got)
	}
	if err := w.engine.SetSecretKey(anotherKey); err != nil {
		t.Fatal(err)
	}
	w.store.set(anotherKey, nil)
	var callers sync.WaitGroup
	for range 8 { // with more wrong signatures at once, the simulator blocks the app
		callers.Go(func() {
			if got := w.ask(fixture.Sample()).Code; got != 200 {
				t.Errorf("after the rotation: status %d, want 200", got)
			}
		})
	}
	callers.Wait()
}

func TestPrefetch(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.app.Prefetch(t.Context())
	if got := w.ask(fixture.Sample()); got.Code != 200 {
		t.Errorf("status = %d, want 200: %s", got.Code, got.Body)
	}
}
