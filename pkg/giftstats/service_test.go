package giftstats_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// engine answers after latency and records when. With a limiter, each call takes a turn first.
type engine struct {
	limiter *giftstats.Limiter
	latency time.Duration
	fail    func(giftstats.Query) error

	mu            sync.Mutex
	running, most int
	at            []time.Time
}

func (e *engine) GiftCount(ctx context.Context, query giftstats.Query) (giftstats.Stats, error) {
	e.count(1)
	defer e.count(-1)
	if e.limiter != nil {
		if err := e.limiter.Wait(ctx); err != nil {
			return giftstats.Stats{}, err
		}
	}
	e.mu.Lock()
	e.at = append(e.at, time.Now())
	e.mu.Unlock()
	select {
	case <-time.After(e.latency):
	case <-ctx.Done():
		return giftstats.Stats{}, ctx.Err()
	}
	if e.fail != nil {
		if err := e.fail(query); err != nil {
			return giftstats.Stats{}, err
		}
	}
	coins, _ := strconv.ParseInt(query.Account, 10, 64)
	return giftstats.Stats{RoomID: query.RoomID, Account: query.Account, TotalCoins: coins}, nil
}

func (e *engine) count(change int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running += change
	e.most = max(e.most, e.running)
}

func (e *engine) RoomStats(_ context.Context, roomID string) (giftstats.RoomStats, error) {
	return giftstats.RoomStats{RoomID: roomID}, nil
}

func (e *engine) RoomInfo(_ context.Context, roomID string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{RoomID: roomID, OwnerAccount: "host"}, nil
}

func (e *engine) RoomList(context.Context, string) (giftstats.RoomList, error) {
	return giftstats.RoomList{}, nil
}

func queries(n int) []giftstats.Query {
	list := make([]giftstats.Query, n)
	for i := range list {
		list[i] = giftstats.Query{RoomID: "room", Account: strconv.Itoa(i)}
	}
	return list
}

func TestServiceValidatesBeforeItAsks(t *testing.T) {
	e := &engine{}
	service := giftstats.NewService(e)
	ctx := t.Context()
	if _, err := service.GiftStats(ctx, giftstats.Query{RoomID: "r"}); !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("GiftStats without account: %v", err)
	}
	if _, err := service.RoomStats(ctx, ""); !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("RoomStats without room: %v", err)
	}
	if _, err := service.RoomInfo(ctx, "a\x00"); !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("RoomInfo with a control character: %v", err)
	}
	if len(e.at) != 0 {
		t.Errorf("the engine was asked %d times", len(e.at))
	}
	if stats, err := service.RoomStats(ctx, "r"); err != nil || stats.RoomID != "r" {
		t.Errorf("RoomStats = %v, %v", stats, err)
	}
	if info, err := service.RoomInfo(ctx, "r"); err != nil || info.OwnerAccount != "host" {
		t.Errorf("RoomInfo = %v, %v", info, err)
	}
}

func TestBatchKeepsOrderAndErrors(t *testing.T) {
	failures := map[int]giftstats.Code{3: giftstats.CodeRoomNotFound, 4: giftstats.CodeInternal, 5: giftstats.CodeInvalidRequest}
	synctest.Test(t, func(t *testing.T) {
		e := &engine{latency: 20 * time.Millisecond, fail: func(q giftstats.Query) error {
			switch q.Account {
			case "3":
				return giftstats.Errorf(giftstats.CodeRoomNotFound, "gone")
			case "4":
				panic("bug")
			}
			return nil
		}}
		list := queries(1000)
		list[5].Account = ""
		results := giftstats.NewService(e).GiftStatsBatch(t.Context(), list)
		for i, result := range results {
			if result.Query != list[i] {
				t.Fatalf("result %d is for %v, want %v", i, result.Query, list[i])
			}
			want, fails := failures[i]
			switch {
			case !fails && result.Err != nil:
				t.Errorf("result %d: error %v", i, result.Err)
			case !fails && result.Stats.TotalCoins != int64(i):
				t.Errorf("result %d has the numbers of %d", i, result.Stats.TotalCoins)
			case fails && (result.Err == nil || giftstats.AsError(result.Err).Code != want):
				t.Errorf("result %d: error %v, want %s", i, result.Err, want)
			}
		}
		if e.most != 64 {
			t.Errorf("%d queries at once, want 64", e.most)
		}
	})
}

func TestBatchSizes(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100} {
		e := &engine{}
		results := giftstats.NewService(e).GiftStatsBatch(t.Context(), queries(n))
		if len(results) != n || len(e.at) != n {
			t.Errorf("%d queries: %d results after %d calls", n, len(results), len(e.at))
		}
	}
}

func TestBatchFillsTheLimitAndNeverExceedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{latency: 50 * time.Millisecond, limiter: giftstats.NewLimiter(200)}
		start := time.Now()
		for i, result := range giftstats.NewService(e).GiftStatsBatch(t.Context(), queries(1000)) {
			if result.Err != nil {
				t.Fatalf("result %d: %v", i, result.Err)
			}
		}
		if took := time.Since(start); took < 4900*time.Millisecond || took > 5100*time.Millisecond {
			t.Errorf("1,000 queries at 200/s took %v, want 5 s ± 2 %%", took)
		}
		for i := 200; i < len(e.at); i++ { // e.at is sorted
			if gap := e.at[i].Sub(e.at[i-200]); gap < time.Second+4*time.Millisecond {
				t.Fatalf("call %d came %v after call %d: too close to 200 calls per second", i, gap, i-200)
			}
		}
	})
}

func TestBatchKeepsAnswersBeforeTheDeadline(t *testing.T) {
	for _, test := range []struct {
		name    string
		limiter *giftstats.Limiter
	}{
		{name: "slow upstream"},
		{name: "rate limit", limiter: giftstats.NewLimiter(100)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &engine{latency: 300 * time.Millisecond, limiter: test.limiter}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				answered, timedOut := 0, 0
				for _, result := range giftstats.NewService(e).GiftStatsBatch(ctx, queries(1000)) {
					switch {
					case result.Err == nil:
						answered++
					case errors.Is(giftstats.AsError(result.Err), giftstats.CodeUpstreamTimeout):
						timedOut++
					default:
						t.Fatalf("%v", result.Err)
					}
				}
				if answered < 50 || answered+timedOut != 1000 {
					t.Errorf("%d answered, %d timed out", answered, timedOut)
				}
			})
		})
	}
}

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := giftstats.NewLimiter(0.5)
		if err := limiter.Wait(t.Context()); err != nil {
			t.Fatalf("the first turn: %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := limiter.Wait(short)
		if !errors.Is(err, giftstats.CodeRateLimited) {
			t.Errorf("a turn after the deadline: %v, want rate_limited", err)
		}
		if wait := giftstats.AsError(err).RetryAfter; wait.Round(100*time.Millisecond) != 2*time.Second {
			t.Errorf("RetryAfter = %v, want 2 s", wait)
		}
		if short.Err() != nil {
			t.Error("Wait returned only at the deadline")
		}
		cancelled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		for _, when := range []string{"during", "before"} {
			if err := limiter.Wait(cancelled); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled %s Wait: %v", when, err)
			}
		}
		start := time.Now()
		if err := limiter.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start).Round(100 * time.Millisecond); took != time.Second {
			t.Errorf("the next turn came after %v, want 1 s: unused turns were not given back", took)
		}
	})
}

func ExampleService_GiftStatsBatch() {
	service := giftstats.NewService(&engine{})
	queries := []giftstats.Query{{RoomID: "r", Account: "7"}, {RoomID: "r"}}
	for _, result := range service.GiftStatsBatch(context.Background(), queries) {
		fmt.Println(result.Stats.TotalCoins, result.Err)
	}
	// Output:
	// 7 <nil>
	// 0 invalid_request: account is missing or empty; give 1 to 32 bytes
}
