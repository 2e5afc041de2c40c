package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/simulator"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func refused(t testing.TB, err error, code int) {
	t.Helper()
	var refusal *simulator.Error
	if !errors.As(err, &refusal) || refusal.Code != code || refusal.Info == "" {
		t.Errorf("error %v, want code %d", err, code)
	}
}

// model is the state in the most naive form: all that was sent, added up when somebody asks.
type model map[string][]simulator.SentGift // by room

var prices = map[string]int64{"rose": 1, "car": 100, "rocket": 1000}

func (m model) giftCount(room, receiver string) simulator.GiftCount {
	var count simulator.GiftCount
	senders := map[string]bool{}
	for _, sent := range m[room] {
		for _, to := range sent.Receivers {
			if to == receiver {
				count.Sequence++
				count.TotalCount += sent.Count
				count.TotalCoins += sent.Count * prices[sent.GiftID]
				senders[sent.Sender] = true
			}
		}
	}
	count.GiftSenderCount = int64(len(senders))
	return count
}

func (m model) statistic(room string) simulator.Statistic {
	var total simulator.Statistic
	senders := map[string]bool{}
	for _, sent := range m[room] {
		for range sent.Receivers {
			total.TotalGiftsSent += sent.Count
			total.TotalGiftCoins += sent.Count * prices[sent.GiftID]
		}
		senders[sent.Sender] = true
	}
	total.TotalUniqueGiftSenders = int64(len(senders))
	return total
}

func TestLedgerAgreesWithANaiveModel(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, seed))
			a, m := newApp(t, unlimited), model{}
			for range 400 {
				room := fmt.Sprint("room", random.IntN(3))
				_, exists := m[room]
				switch action := random.IntN(20); {
				case action == 0:
					a.compareDestroyed(t, m, room)
				case action < 3:
					check(t, a.call(t, "create_room", fmt.Sprintf(`{"RoomInfo":{"RoomId":%q,"RoomType":"Live"}}`, room)), pick(exists, 100003, 0), "")
					if !exists {
						m[room] = []simulator.SentGift{}
					}
				case action < 12:
					sent := randomGift(random, room)
					body, _ := json.Marshal(map[string]any{"RoomId": room, "GiftId": sent.GiftID, "Count": sent.Count,
						"From_Account": sent.Sender, "ReceiverList_Account": sent.Receivers})
					check(t, a.call(t, "send_gift", string(body)), pick(exists, 0, 100004), "")
					if exists {
						m[room] = append(m[room], sent)
					}
				default:
					a.compare(t, m, room, fmt.Sprint("account", random.IntN(5)))
				}
			}
		})
	}
}

func pick(condition bool, yes, no int) int {
	if condition {
		return yes
	}
	return no
}

func randomGift(random *rand.Rand, room string) simulator.SentGift {
	sent := simulator.SentGift{
		RoomID: room, GiftID: []string{"rose", "car", "rocket"}[random.IntN(3)],
		Count: 1 + random.Int64N(99), Sender: fmt.Sprint("account", random.IntN(5)),
	}
	for _, n := range random.Perm(5)[:1+random.IntN(3)] {
		sent.Receivers = append(sent.Receivers, fmt.Sprint("account", n))
	}
	return sent
}

// compare asks over HTTP and by method.
func (a *app) compare(t *testing.T, m model, room, account string) {
	t.Helper()
	count := a.call(t, "get_gift_count", fmt.Sprintf(`{"RoomId":%q,"From_Account":%q}`, room, account))
	stats := a.call(t, "get_room_stats", fmt.Sprintf(`{"RoomId":%q}`, room))
	snapshot, err := a.Room(room)
	if _, exists := m[room]; !exists {
		check(t, count, 100004, "")
		check(t, stats, 100004, "")
		refused(t, err, 100004)
		return
	}
	var gotCount simulator.GiftCount
	var gotStats simulator.Statistic
	must(t, json.Unmarshal(count.Response, &gotCount))
	must(t, json.Unmarshal(stats.Response, &gotStats))
	if want := m.giftCount(room, account); gotCount != want || snapshot.Received[account] != want {
		t.Fatalf("%s of %s: %+v and %+v, want %+v", account, room, gotCount, snapshot.Received[account], want)
	}
	if want := m.statistic(room); gotStats != want || snapshot.Statistic != want {
		t.Fatalf("%s: %+v and %+v, want %+v", room, gotStats, snapshot.Statistic, want)
	}
	var pieces, coins int64
	for _, received := range snapshot.Received {
		pieces, coins = pieces+received.TotalCount, coins+received.TotalCoins
	}
	if pieces != gotStats.TotalGiftsSent || coins != gotStats.TotalGiftCoins {
		t.Fatalf("the receivers of %s have %d pieces and %d coins together, the room has %+v", room, pieces, coins, gotStats)
	}
}

func (a *app) compareDestroyed(t *testing.T, m model, room string) {
	t.Helper()
	dissolved, err := a.DestroyRoom(t.Context(), room)
	if _, exists := m[room]; !exists {
		refused(t, err, 100004)
		return
	}
	if want := m.statistic(room); err != nil || dissolved.Statistic != want || dissolved.Webhook != nil {
		t.Fatalf("DestroyRoom = %+v, %v; want %+v", dissolved, err, want)
	}
	delete(m, room)
}
