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

// engine answers after latency, one turn of the limiter each, and records when.
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

func queries(n int) []giftstats.Query {
	list := make([]giftstats.Query, n)
	for i := range list {
		list[i] = giftstats.Query{RoomID: "room", Account: strconv.Itoa(i)}
	}
	return list
}

func TestServiceChecksBeforeItAsks(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
		e := &engine{latency: 20 * time.Millisecond, fail: func(q giftstats.Query) error {
			switch q.Account {
			case "3":
				return &giftstats.Error{Code: giftstats.CodeRoomNotFound, Detail: "gone"}
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
			want, failed := map[int]giftstats.Code{3: giftstats.CodeRoomNotFound, 4: giftstats.CodeInternal, 5: giftstats.CodeInvalidRequest}[i]
			if failed != (result.Err != nil) || failed && !errors.Is(giftstats.AsError(result.Err), want) {
				t.Errorf("result %d: error %v, want %q", i, result.Err, want)
			}
			if !failed && result.Stats.TotalCoins != int64(i) {
				t.Errorf("result %d has the numbers of %d", i, result.Stats.TotalCoins)
			}
		}
		if e.most != 64 {
			t.Errorf("%d queries at once, want 64", e.most)
		}
	})
}

func TestBatchFillsTheLimitAndNeverExceedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{latency: 50 * time.Millisecond, limiter: giftstats.NewLimiter(200)}
		begun := time.Now()
		for i, result := range giftstats.NewService(e).GiftStatsBatch(t.Context(), queries(1000)) {
			if result.Err != nil {
				t.Fatalf("result %d: %v", i, result.Err)
			}
		}
		if took := time.Since(begun); took < 4900*time.Millisecond || took > 5100*time.Millisecond {
			t.Errorf("1,000 queries at 200/s took %v, want 5 s ± 2 %%", took)
		}
		for i := 200; i < len(e.at); i++ { // e.at is in order of time
			if e.at[i].Sub(e.at[i-200]) < time.Second+4*time.Millisecond {
				t.Fatalf("call %d came %v after call %d: more than 200 in a second, or too near to it", i, e.at[i].Sub(e.at[i-200]), i-200)
			}
		}
	})
}

func TestBatchKeepsWhatTheDeadlineLeft(t *testing.T) {
	for _, test := range []struct {
		name    string
		limiter *giftstats.Limiter
	}{{"slow upstream", nil}, {"rate limit", giftstats.NewLimiter(100)}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &engine{latency: 300 * time.Millisecond, limiter: test.limiter}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				answered, cut := 0, 0
				for _, result := range giftstats.NewService(e).GiftStatsBatch(ctx, queries(1000)) {
					switch {
					case result.Err == nil:
						answered++
					case errors.Is(giftstats.AsError(result.Err), giftstats.CodeUpstreamTimeout):
						cut++
					default:
						t.Fatalf("%v", result.Err)
					}
				}
				if answered < 50 || answered+cut != 1000 {
					t.Errorf("%d answered, %d cut off", answered, cut)
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
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := limiter.Wait(hurried)
		if !errors.Is(err, giftstats.CodeRateLimited) || giftstats.AsError(err).RetryAfter.Round(100*time.Millisecond) != 2*time.Second {
			t.Errorf("a turn after the deadline: %v, want rate_limited with 2 s", err)
		}
		if hurried.Err() != nil {
			t.Error("it waited for the deadline")
		}
		cancelled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := limiter.Wait(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled while it waited: %v", err)
		}
		if err := limiter.Wait(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
		begun := time.Now()
		if err := limiter.Wait(t.Context()); err != nil || time.Since(begun).Round(100*time.Millisecond) != time.Second {
			t.Errorf("turns were not given back: %v after %v, want 1 s", err, time.Since(begun))
		}
	})
}

func ExampleService_GiftStatsBatch() {
	service := giftstats.NewService(&engine{})
	for _, result := range service.GiftStatsBatch(context.Background(), []giftstats.Query{{RoomID: "r", Account: "7"}, {RoomID: "r"}}) {
		fmt.Println(result.Stats.TotalCoins, result.Err)
	}
	// Output:
	// 7 <nil>
	// 0 invalid_request: account is missing or empty; give 1 to 32 bytes
}
