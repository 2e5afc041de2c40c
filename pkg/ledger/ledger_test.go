package ledger_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
)

func TestNew(t *testing.T) {
	store, now := memory.New(time.Now), time.Now
	for _, test := range []struct {
		name   string
		config ledger.Config
		valid  bool
	}{
		{name: "complete", config: ledger.Config{Store: store, Retention: 1, Now: now}, valid: true},
		{name: "no store", config: ledger.Config{Retention: 1, Now: now}},
		{name: "no clock", config: ledger.Config{Store: store, Retention: 1}},
		{name: "no retention", config: ledger.Config{Store: store, Now: now}},
	} {
		if _, err := ledger.New(test.config); (err == nil) != test.valid {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Tencent does not send a webhook again: what it reports is tried three times.
func TestWebhooksAreRecordedDespiteFailures(t *testing.T) {
	gift := ledger.Gift{ID: "g-1", RoomID: "r", Sender: "carol", Receivers: []string{"bob"}, GiftID: "rose", Count: 1, Coins: 10, At: at(1)}
	for _, test := range []struct {
		name string
		fail func(call string, n int) error
		lost bool
	}{
		{name: "no failure", fail: first(0, "", nil)},
		{name: "two failed reads", fail: first(2, "Rooms", errStore)},
		{name: "two failed writes", fail: first(2, "SaveRoom", errStore)},
		{name: "two gifts stored, whose answers are lost", fail: first(2, "AddGift", errStore)},
		{name: "three failed reads", fail: first(3, "Rooms", errStore), lost: true},
		{name: "three failed writes", fail: first(3, "SaveRoom", errStore), lost: true},
		{name: "three gifts stored, whose answers are lost", fail: first(3, "AddGift", errStore), lost: true},
		{name: "19 conflicts", fail: first(19, "SaveRoom", ledger.ErrConflict)},
		{name: "conflicts without end", fail: first(1000, "SaveRoom", ledger.ErrConflict), lost: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBook(t)
				b.store.reset(test.fail)
				switch err := b.RecordGift(t.Context(), gift); {
				case test.lost:
					wantUnavailable(t, err)
				case err != nil:
					t.Fatal(err)
				default:
					b.store.reset(nil)
					b.wantRoom("seen 1s:  owns; bob")
				}
				b.store.reset(nil)
				room := ledger.Room{RoomID: "r", Streams: []ledger.Stream{{ID: "1"}}}
				sums, err := b.Tally(t.Context(), room, "1")
				b.must(err)
				if sum, _ := sums.Received("bob"); sum != (ledger.Sum{TotalCount: 1, TotalCoins: 10}) {
					t.Errorf("bob received %+v, want one gift", sum)
				}
			})
		})
	}
}

// A gift costs one write. Its room and receivers are reported again after a minute, or at once if that failed.
func TestGiftsReportTheirRoomOnceAMinute(t *testing.T) {
	b := newBook(t)
	send := func(id string, receivers ...string) int {
		t.Helper()
		b.store.reset(nil)
		b.must(b.RecordGift(t.Context(), ledger.Gift{ID: id, RoomID: "r", Sender: "carol", Receivers: receivers, At: b.clock.Now()}))
		if b.store.count("AddGift") != 1 {
			t.Errorf("gift %s was written %d times", id, b.store.count("AddGift"))
		}
		return b.store.count("Rooms")
	}
	for _, step := range []struct {
		name  string
		after time.Duration
		to    []string
		reads int
	}{
		{name: "first gift", to: []string{"bob"}, reads: 1},
		{name: "second gift", after: 59 * time.Second, to: []string{"bob"}, reads: 0},
		{name: "to nobody", to: nil, reads: 0},
		{name: "another receiver too", to: []string{"bob", "dan"}, reads: 1},
		{name: "the other receiver again", to: []string{"dan"}, reads: 0},
		{name: "a minute later", after: time.Minute, to: []string{"bob"}, reads: 1},
	} {
		b.clock.Advance(step.after)
		if reads := send(step.name, step.to...); reads != step.reads {
			t.Errorf("%s: %d reads of the room, want %d", step.name, reads, step.reads)
		}
	}
	b.clock.Advance(time.Hour)
	synctest.Test(t, func(t *testing.T) {
		b.store.reset(first(3, "SaveRoom", errStore))
		late := ledger.Gift{ID: "unlucky", RoomID: "r", Receivers: []string{"eve"}, At: b.clock.Now()}
		wantUnavailable(t, b.RecordGift(t.Context(), late))
	})
	if send("after a failure", "eve") == 0 {
		t.Error("a receiver that could not be recorded is not reported again: eve would not be paid")
	}
}

// Every change is made to the newest record.
func TestUpdateSeesTheNewestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t)
		b.create(0)
		calls := 0
		_, err := b.Update(t.Context(), "r", func(room *ledger.Room) (bool, error) {
			if calls++; calls == 1 { // another instance is faster
				if err := b.instance().Observe(t.Context(), ledger.Sighting{RoomID: "r", At: at(1), Seated: []string{"bob"}}); err != nil {
					return false, err
				}
			}
			room.Streams[0].AddAccount("carol", true)
			return true, nil
		})
		b.must(err)
		b.wantRoom("since 0s: alice owns; alice, bob(seat), carol")
		if calls != 2 {
			t.Errorf("the change was made %d times, want 2", calls)
		}
	})
}

func TestUpdateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t)
		b.create(0)
		always := func(*ledger.Room) (bool, error) { return true, nil }
		b.store.reset(first(1000, "SaveRoom", ledger.ErrConflict))
		_, err := b.Update(t.Context(), "r", always)
		wantUnavailable(t, err)
		if n := b.store.count("SaveRoom"); n != 3*20 {
			t.Errorf("%d attempts, want three times 20", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		started := time.Now()
		if _, err := b.Update(ctx, "r", always); !errors.Is(err, context.Canceled) || !errors.Is(err, giftstats.CodeLedgerUnavailable) {
			t.Errorf("after its context ended, Update returned %v", err)
		}
		if waited := time.Since(started); waited > 0 {
			t.Errorf("Update waited %v after its context had ended", waited)
		}
		stop := errors.New("stop")
		if _, err := b.Update(t.Context(), "r", func(*ledger.Room) (bool, error) { return true, stop }); !errors.Is(err, stop) {
			t.Errorf("the error of the change became %v", err)
		}
	})
}

// The first of two errors of a store that already has a code keeps it.
func TestErrorsKeepTheirCode(t *testing.T) {
	b := newBook(t)
	own := giftstats.Errorf(giftstats.CodeLedgerUnavailable, "own")
	b.store.reset(first(1, "Rooms", own))
	if _, err := b.Room(t.Context(), "r"); giftstats.AsError(err) != own {
		t.Errorf("the error of the store became %v", err)
	}
}
