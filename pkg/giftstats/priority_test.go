package giftstats_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

func TestSingleRequestsComeBeforeBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{latency: 50 * time.Millisecond, limiter: giftstats.NewLimiter(200)}
		service := giftstats.NewService(e)
		var requests sync.WaitGroup
		requests.Go(func() {
			for i, result := range service.GiftStatsBatch(t.Context(), queries(1000)) {
				if result.Err != nil {
					t.Fatalf("query %d of the batch: %v", i, result.Err)
				}
			}
		})
		for range 20 {
			time.Sleep(200 * time.Millisecond)
			started := time.Now()
			if _, err := service.GiftStats(t.Context(), giftstats.Query{RoomID: "room", Account: "7"}); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(started) - e.latency; waited > interval {
				t.Errorf("a single request waited %v while a batch was in progress, want at most one turn", waited)
			}
		}
		requests.Wait()
		if len(e.at) != 1020 {
			t.Errorf("%d calls, want 1,020", len(e.at))
		}
	})
}

func TestSingleRequestsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(1)
		wantTurnAtOnce(t, limiter)
		turns := make(chan int, 4)
		var callers sync.WaitGroup
		for i, ctx := range []context.Context{
			giftstats.InBatch(t.Context()), t.Context(), giftstats.InBatch(t.Context()), t.Context(),
		} {
			callers.Go(func() {
				if err := limiter.Wait(ctx); err != nil {
					t.Error(err)
				}
				turns <- i
			})
			synctest.Wait()
		}
		for _, want := range []int{1, 3, 0, 2} {
			if got := <-turns; got != want {
				t.Errorf("a turn went to caller %d, want %d", got, want)
			}
		}
		callers.Wait()
	})
}

// The estimate of a single request does not count the queries of a batch, which come later.
func TestBatchDoesNotRefuseSingleRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(1)
		batch, cancel := context.WithCancel(giftstats.InBatch(t.Context()))
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() { limiter.Wait(batch) })
		}
		synctest.Wait()
		soon, stop := context.WithTimeout(t.Context(), 2*time.Second)
		defer stop()
		if err := limiter.Wait(soon); err != nil {
			t.Errorf("a single request: %v", err)
		}
		if err := limiter.Wait(giftstats.InBatch(soon)); !errors.Is(err, giftstats.ErrNoTurn) {
			t.Errorf("a query behind 60 others: %v, want %v", err, giftstats.ErrNoTurn)
		}
		cancel()
		callers.Wait()
	})
}

// The estimate of a query counts the single requests that come before it, so that a batch without a chance is refused at once.
func TestBatchCountsTheSingleRequestsBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(1)
		single, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() { limiter.Wait(single) })
		}
		synctest.Wait()
		soon, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		started := time.Now()
		if err := limiter.Wait(giftstats.InBatch(soon)); !errors.Is(err, giftstats.ErrNoTurn) || time.Since(started) > 0 {
			t.Errorf("a query behind 9 single requests: %v after %v, want %v at once", err, time.Since(started), giftstats.ErrNoTurn)
		}
		cancel()
		callers.Wait()
	})
}

func TestBatchWithoutAnyTurn(t *testing.T) {
	for _, test := range []struct {
		name     string
		deadline time.Duration
		answered int
		want     giftstats.Code // of the other queries
	}{
		{name: "not even one", deadline: 5 * time.Second, answered: 0, want: giftstats.CodeRateLimited},
		{name: "one of them", deadline: 15 * time.Second, answered: 1, want: giftstats.CodeUpstreamTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &engine{limiter: giftstats.NewLimiter(0.1)}
				wantTurnAtOnce(t, e.limiter)
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				started, answered := time.Now(), 0
				for i, result := range giftstats.NewService(e).GiftStatsBatch(ctx, queries(3)) {
					if result.Err == nil {
						answered++
					} else if got := giftstats.AsError(result.Err).Code; got != test.want {
						t.Errorf("query %d: %v, want %s", i, result.Err, test.want)
					}
				}
				if answered != test.answered {
					t.Errorf("%d queries were answered, want %d", answered, test.answered)
				}
				if took := time.Since(started); answered == 0 && took > 0 {
					t.Errorf("the refusal took %v", took)
				}
			})
		})
	}
}
