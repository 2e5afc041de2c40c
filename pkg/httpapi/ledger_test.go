package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// watchedStore counts what is read of a store, and fails with err.
type watchedStore struct {
	ledger.Store
	rooms, ended atomic.Int64
	mostEnded    atomic.Int64 // ended streams that one call asked for
	foundEnded   atomic.Int64 // ended streams that all calls returned
	err          error
}

func (s *watchedStore) Rooms(ctx context.Context, ids []string) ([]ledger.Room, error) {
	s.rooms.Add(1)
	if s.err != nil {
		return nil, s.err
	}
	return s.Store.Rooms(ctx, ids)
}

func (s *watchedStore) ListEnded(ctx context.Context, query ledger.Query) ([]ledger.Ended, error) {
	s.ended.Add(1)
	s.mostEnded.Store(max(s.mostEnded.Load(), int64(query.Limit)))
	if s.err != nil {
		return nil, s.err
	}
	streams, err := s.Store.ListEnded(ctx, query)
	s.foundEnded.Add(int64(len(streams)))
	return streams, err
}

// memories is a ledger in memory whose clock shows now.
type memories struct {
	t      testing.TB
	store  *watchedStore
	ledger *ledger.Ledger
}

func newLedger(t testing.TB) *memories {
	t.Helper()
	clock := func() time.Time { return now }
	store := &watchedStore{Store: memory.New(clock)}
	l, err := ledger.New(ledger.Config{Store: store, Retention: 9600 * time.Hour, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return &memories{t: t, store: store, ledger: l}
}

// withLedger lets a handler use the ledger and its clock.
func withLedger(m *memories) func(*httpapi.Config) {
	return func(c *httpapi.Config) { c.Ledger, c.Now = m.ledger, func() time.Time { return now } }
}

// must fails the test if a change of the ledger failed.
func (m *memories) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// earned returns the final numbers of an account.
func earned(room, account string, count, coins int64) streamend.Earning {
	return streamend.Earning{Account: account, From: streamend.FromSnapshot, AsOf: now.Add(-2 * time.Hour), Stats: &giftstats.Stats{
		RoomID: room, Account: account, TotalCount: count, TotalCoins: coins, GiftSenderCount: 1, FetchedAt: now.Add(-2 * time.Hour),
	}}
}

// unknown returns the entry of an account whose numbers are not known.
func unknown(account string) streamend.Earning {
	details := problem.Of(giftstats.Errorf(giftstats.CodeRoomNotFound, "room does not exist"), "")
	return streamend.Earning{Account: account, Problem: &details}
}

// end remembers a stream that started an hour before it ended, and in which carol gave one gift worth ten coins to each account.
func (m *memories) end(room string, endedAt time.Time, earnings ...streamend.Earning) ledger.Ended {
	m.t.Helper()
	return m.endBecause("1", room, endedAt, earnings...)
}

// endBecause is like end, with another reason.
func (m *memories) endBecause(reason, room string, endedAt time.Time, earnings ...streamend.Earning) ledger.Ended {
	m.t.Helper()
	started, no := endedAt.Add(-time.Hour), false
	gift := ledger.Sum{TotalCount: 1, TotalCoins: 10}
	total := ledger.Sum{TotalCount: int64(len(earnings)), TotalCoins: 10 * int64(len(earnings))}
	summary := streamend.Summary{Type: streamend.SummaryType, Timestamp: endedAt, Data: streamend.Data{
		EventID: "event-" + room, RoomID: room, StartedAt: &started, EndedAt: &endedAt, Reason: reason, Source: streamend.SourceLive,
		Room: &giftstats.RoomTotals{TotalGiftsSent: 99, TotalGiftCoins: 999}, RoomFrom: streamend.FromWebhook, Accounts: earnings,
		Reconciled: &no, Unattributed: &ledger.Sum{TotalCount: 5, TotalCoins: 55}, TopSenders: []ledger.Sender{{Account: "carol", Sum: total}},
	}}
	body, err := json.Marshal(summary)
	m.must(err)
	ended := ledger.Ended{
		RoomID: room, StreamID: fmt.Sprint(started.Unix()), StartedAt: started, EndedAt: endedAt, EventID: summary.Data.EventID, Summary: body,
		Senders: []ledger.Ranking{{Senders: []ledger.Sender{{Account: "carol", Sum: total}}, SenderCount: 1, Sum: total}},
		Gifts:   []ledger.GiftTotal{{GiftID: "rose", Sum: total}},
	}
	for _, earning := range earnings {
		ended.Accounts = append(ended.Accounts, earning.Account)
		one := ledger.Ranking{Senders: []ledger.Sender{{Account: "carol", Sum: gift}}, SenderCount: 1, Sum: gift}
		ended.Senders = append(ended.Senders, one)
	}
	_, err = m.ledger.SaveEnded(m.t.Context(), ended)
	m.must(err)
	return ended
}

// live opens a stream of a room with the owner alice.
func (m *memories) live(room string, startedAt time.Time) {
	m.t.Helper()
	m.must(m.ledger.Observe(m.t.Context(), ledger.Sighting{
		RoomID: room, At: startedAt, StartedAt: startedAt, Opens: true, Confirmed: true, Owner: "alice",
	}))
}

// snapshot remembers numbers of an account in the newest open stream of a room.
func (m *memories) snapshot(room, account string, coins int64, asOf time.Time) {
	m.t.Helper()
	m.change(room, func(stream *ledger.Stream) {
		stream.AddAccount(account, true)
		stream.AddSnapshot(giftstats.Stats{
			RoomID: room, Account: account, TotalCount: 1, TotalCoins: coins, GiftSenderCount: 1, UpstreamRequestID: "Id-0", FetchedAt: asOf,
		})
	})
}

// change changes the newest open stream of a room.
func (m *memories) change(room string, change func(*ledger.Stream)) {
	m.t.Helper()
	_, err := m.ledger.Update(m.t.Context(), room, func(r *ledger.Room) (bool, error) {
		change(&r.Streams[len(r.Streams)-1])
		return true, nil
	})
	m.must(err)
}

// gift records a gift a minute ago.
func (m *memories) gift(room, sender, receiver string, count, coins int64) {
	m.t.Helper()
	m.must(m.ledger.RecordGift(m.t.Context(), ledger.Gift{
		ID: sender + receiver, RoomID: room, Sender: sender, Receivers: []string{receiver}, GiftID: "rose", Count: count, Coins: coins,
		At: now.Add(-time.Minute),
	}))
}

// as returns the header of an app user whose UserSig is valid at the time now.
func as(t testing.TB, account string) string {
	t.Helper()
	identity := usersig.Identity{SDKAppID: 1400000000, Account: account, Key: fakeKey}
	sig, err := usersig.NewSigner(func() time.Time { return now }).Sign(identity)
	if err != nil {
		t.Fatal(err)
	}
	return basic(account, sig)
}

func TestWithoutLedger(t *testing.T) {
	const text = "no ledger is configured, so nothing is remembered; set GIFTSTATS_LEDGER"
	checkRefusals(t, []refusal{
		{name: "streams", call: get("/v1/streams"), code: giftstats.CodeNotFound, text: text},
		{name: "top senders", call: get("/v1/top-senders?room_id=r"), code: giftstats.CodeNotFound, text: text},
		{name: "streams without credentials", call: getAs("", "/v1/streams"), code: giftstats.CodeUnauthenticated, text: "missing"},
	})
}

func TestLedgerUnavailable(t *testing.T) {
	m := newLedger(t)
	m.store.err = errors.New("table not reachable")
	gone := &giftstats.Error{Code: giftstats.CodeRoomNotFound, Detail: "room does not exist"}
	h := newHandler(t, engine{gone}, document, io.Discard, withLedger(m))
	contract := openAPI(t)
	for _, target := range []string{"/v1/streams", "/v1/top-senders?room_id=r", oneAccount} {
		t.Run(target, func(t *testing.T) {
			response := send(h, get(target))
			if got := problemIn(t, response); got.Code != giftstats.CodeLedgerUnavailable || response.Code != http.StatusServiceUnavailable {
				t.Errorf("%d %s", response.Code, response.Body)
			}
			if after := response.Header().Get("Retry-After"); after != "2" {
				t.Errorf("Retry-After is %q", after)
			}
			contract.check(t, get(target).request(), response)
		})
	}
}
