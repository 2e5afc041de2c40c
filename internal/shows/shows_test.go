// Package shows_test simulates an evening of live shows with everything going wrong that can: webhooks, the ledger, Tencent and the
// receivers of summaries. It runs in simulated time.
package shows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/streamend"
)

const (
	shows = 300
	rooms = 100 // each is used three times
	seed  = 20261125
)

// show is what really happened.
type show struct {
	room     string
	hosts    []string // the first is the owner
	start    time.Time
	end      time.Time
	gifts    []plannedGift
	given    map[string]ledger.Sum // by host
	total    ledger.Sum
	recorded bool // every gift webhook reached the ledger
	reported int  // 0: the live webhook; above: and other reports of the end
	late     int  // further reports, which may come when the next show in the room is over
	created  bool // the create webhook was acknowledged
	last     bool // the destroy webhook was acknowledged
	before   *show
}

// unseen reports whether nothing reported the show while it was live: it was shorter than the interval of the list of rooms.
func (s *show) unseen() bool {
	return !s.created && !s.last && s.reported+s.late == 0 && len(s.gifts) < 3 && s.end.Sub(s.start) < 10*time.Minute
}

// blurred reports whether nothing reported in time the moment between this show and the previous one. If the sweep also fails then, they
// count as one.
func (s *show) blurred() bool {
	return s.before != nil && !s.created && !s.before.last && s.before.reported == 0
}

type plannedGift struct {
	at   time.Time
	sent simulator.SentGift
}

// plan makes the shows of one evening. The shows of one room follow each other at least five seconds apart.
func plan(random *rand.Rand, start time.Time) []*show {
	var planned []*show
	for r := range rooms {
		at := start.Add(time.Duration(random.IntN(900)) * time.Second)
		var before *show
		for range shows / rooms {
			s := &show{room: fmt.Sprintf("room-%d", r), start: at, given: map[string]ledger.Sum{}, recorded: true, reported: random.IntN(3)}
			s.end = at.Add(time.Duration(60+random.IntN(540)) * time.Second)
			for h := range 1 + random.IntN(3) {
				s.hosts = append(s.hosts, fmt.Sprintf("host-%d-%d", r, h))
			}
			s.planGifts(random)
			s.before, before = before, s
			planned = append(planned, s)
			at = s.end.Add(time.Duration(5+random.IntN(300)) * time.Second)
		}
	}
	return planned
}

// planGifts spreads gifts over the show: none, all the time, only early, or only in the last seconds.
func (s *show) planGifts(random *rand.Rand) {
	from, to, n := 5*time.Second, s.end.Sub(s.start)-time.Second, random.IntN(60)
	switch random.IntN(4) {
	case 0:
		n = 0
	case 1:
		to = to / 3
	case 2:
		from = to - 4*time.Second
	}
	prices := []simulator.Gift{{ID: "rose"}, {ID: "car"}, {ID: "rocket"}}
	for range n {
		s.gifts = append(s.gifts, plannedGift{
			at: s.start.Add(from + time.Duration(random.Int64N(int64(to-from)))),
			sent: simulator.SentGift{
				RoomID: s.room, GiftID: prices[random.IntN(len(prices))].ID, Count: 1 + random.Int64N(5),
				Sender: fmt.Sprintf("viewer-%d", random.IntN(20)), Receivers: []string{s.hosts[random.IntN(len(s.hosts))]},
			},
		})
	}
	slices.SortFunc(s.gifts, func(a, b plannedGift) int { return a.at.Compare(b.at) })
}

// 300 shows, one or several hosts, gifts in every pattern, 20 % of the destroy webhooks and 10 % of the create webhooks lost, 20 %
// faults in ledger, upstream and delivery, redelivered and late queue messages, rooms used again. Every show gets exactly one summary.
func TestEveryShowIsPaidOnceAndRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, random)
		planned := plan(random, time.Now().Truncate(time.Second).Add(time.Minute))
		w.play(planned)
		w.settle()
		w.check(planned)
		w.checkLists(planned)
	})
}

// check compares what was delivered with what happened.
func (w *world) check(planned []*show) {
	w.t.Helper()
	exact, missed, unseen, received := 0, 0, 0, w.summaries()
	blurred, ids := map[*show]bool{}, map[string]*show{}
	for _, s := range planned {
		if s.blurred() {
			blurred[s], blurred[s.before] = true, true
		}
	}
	for _, s := range planned {
		summaries := s.about(received[s.room])
		if len(summaries) == 0 && (s.unseen() || blurred[s]) {
			unseen++
			continue
		}
		if len(summaries) != 1 {
			w.t.Errorf("%s has %d summaries: %v", s, len(summaries), summaries)
			continue
		}
		data := summaries[0].Data
		if other := ids[data.EventID]; other != nil {
			w.t.Errorf("%s and %s have the same id", s, other)
		}
		ids[data.EventID] = s
		if !blurred[s] {
			w.checkNumbers(s, data)
		}
		if data.Source == streamend.SourceSweep {
			missed++
		}
		if s.exact(data) {
			exact++
		}
	}
	for name, delivered := range w.delivered() {
		if n := len(delivered); n < len(planned)-unseen || n > len(planned) {
			w.t.Errorf("receiver %s has %d summaries, want %d to %d", name, n, len(planned)-unseen, len(planned))
		}
	}
	w.t.Logf("%d of %d shows exact, %d missed ends, %d unseen, %d blurred, %d faults",
		exact, len(planned), missed, unseen, len(blurred), w.faults.Load())
	if exact < shows/2 || missed == 0 || len(blurred)+unseen > shows/10 {
		w.t.Error("the simulation does not reach what it is for")
	}
}

func (s *show) String() string {
	return fmt.Sprintf("show in %s from %s to %s", s.room, s.start.Format(time.TimeOnly), s.end.Format(time.TimeOnly))
}

// exact reports whether every host's numbers are right to the coin.
func (s *show) exact(data streamend.Data) bool {
	got := map[string]ledger.Sum{}
	for _, earning := range data.Accounts {
		if earning.Stats == nil {
			return false
		}
		if sum := (ledger.Sum{TotalCount: earning.Stats.TotalCount, TotalCoins: earning.Stats.TotalCoins}); sum != (ledger.Sum{}) {
			got[earning.Account] = sum
		}
	}
	if len(got) != len(s.given) {
		return false
	}
	for host, sum := range s.given {
		if got[host] != sum {
			return false
		}
	}
	return true
}

func (w *world) checkNumbers(s *show, data streamend.Data) {
	w.t.Helper()
	var sum ledger.Sum
	for _, earning := range data.Accounts {
		if earning.Stats == nil {
			continue
		}
		given := s.given[earning.Account]
		if earning.Stats.TotalCount > given.TotalCount || earning.Stats.TotalCoins > given.TotalCoins {
			w.t.Errorf("%s: %s got %+v, and the summary says %+v from %s", s, earning.Account, given, *earning.Stats, earning.From)
		}
		sum.TotalCount += earning.Stats.TotalCount
		sum.TotalCoins += earning.Stats.TotalCoins
	}
	if data.RoomFrom != streamend.FromWebhook {
		return
	}
	if data.Unattributed != nil {
		sum.TotalCount += data.Unattributed.TotalCount
		sum.TotalCoins += data.Unattributed.TotalCoins
	}
	if sum != s.total {
		w.t.Errorf("%s: accounts and unattributed are %+v, the room got %+v", s, sum, s.total)
	}
	if !s.recorded {
		return
	}
	if !s.exact(data) || data.Reconciled == nil || !*data.Reconciled || !data.Complete {
		body, _ := json.Marshal(data)
		w.t.Errorf("%s: every gift was recorded, but the numbers are not proven: want %v, got %s", s, s.given, body)
	}
}

// play lets the evening pass: shows and gifts at their times, the queue every five seconds, the sweep every minute.
func (w *world) play(planned []*show) {
	type step struct {
		at time.Time
		do func()
	}
	var steps []step
	last := time.Now()
	for _, s := range planned {
		steps = append(steps, step{s.start, func() { w.begin(s) }}, step{s.end, func() { w.end(s) }})
		for _, gift := range s.gifts {
			steps = append(steps, step{gift.at, func() { w.give(s, gift.sent) }})
		}
		if s.end.After(last) {
			last = s.end
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	background, stop := context.WithCancel(w.t.Context())
	defer stop()
	w.every(background, 5*time.Second, w.processQueue)
	w.every(background, time.Minute, w.sweep)
	for _, step := range steps {
		time.Sleep(time.Until(step.at))
		step.do()
	}
	time.Sleep(10 * time.Minute)
}
