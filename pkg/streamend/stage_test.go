package streamend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// at returns the time some seconds after the start of the tests.
func at(seconds float64) time.Time {
	return ledgertest.Start.Add(time.Duration(seconds * float64(time.Second)))
}

// tencent answers about the rooms that are live. Others are gone.
type tencent struct {
	now    func() time.Time
	before func() // is called before each answer about a room

	mu     sync.Mutex
	rooms  map[string]liveRoom
	listed []string            // ids, two on each page
	stale  map[string]liveRoom // rooms that are listed although they are gone
	asked  []string            // what was asked, in order
	fail   func(question string) error
}

type liveRoom struct {
	created time.Time
	owner   string
	given   map[string]ledger.Sum // by account; others are not known
	totals  ledger.Sum
}

// ask records a question and returns the room that it is about.
func (t *tencent) ask(question, roomID string) (liveRoom, error) {
	if t.before != nil {
		t.before()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, question)
	if t.fail != nil {
		if err := t.fail(question); err != nil {
			return liveRoom{}, err
		}
	}
	room, live := t.rooms[roomID]
	if !live {
		return liveRoom{}, giftstats.Errorf(giftstats.CodeRoomNotFound, "gone")
	}
	return room, nil
}

func (t *tencent) GiftCount(_ context.Context, q giftstats.Query) (giftstats.Stats, error) {
	room, err := t.ask("count "+q.RoomID+" "+q.Account, q.RoomID)
	if err != nil {
		return giftstats.Stats{}, err
	}
	given, known := room.given[q.Account]
	if !known {
		return giftstats.Stats{}, giftstats.Errorf(giftstats.CodeAccountNotFound, "no such account")
	}
	return giftstats.Stats{
		RoomID: q.RoomID, Account: q.Account, TotalCount: given.TotalCount, TotalCoins: given.TotalCoins, FetchedAt: t.now(),
	}, nil
}

func (t *tencent) RoomStats(_ context.Context, roomID string) (giftstats.RoomStats, error) {
	room, err := t.ask("totals "+roomID, roomID)
	totals := giftstats.RoomTotals{TotalGiftsSent: room.totals.TotalCount, TotalGiftCoins: room.totals.TotalCoins}
	return giftstats.RoomStats{RoomID: roomID, RoomTotals: totals, FetchedAt: t.now()}, err
}

func (t *tencent) RoomInfo(_ context.Context, roomID string) (giftstats.RoomInfo, error) {
	room, err := t.ask("info "+roomID, roomID)
	return giftstats.RoomInfo{RoomID: roomID, OwnerAccount: room.owner, CreatedAt: room.created}, err
}

func (t *tencent) RoomList(_ context.Context, next string) (giftstats.RoomList, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, "list "+next)
	if t.fail != nil {
		if err := t.fail("list"); err != nil {
			return giftstats.RoomList{}, err
		}
	}
	var page giftstats.RoomList
	from := max(slices.Index(t.listed, next), 0)
	for _, id := range t.listed[from:min(from+2, len(t.listed))] {
		room, live := t.rooms[id]
		if !live {
			room = t.stale[id]
		}
		page.Rooms = append(page.Rooms, giftstats.RoomInfo{RoomID: id, OwnerAccount: room.owner, CreatedAt: room.created})
	}
	if from+2 < len(t.listed) {
		page.Next = t.listed[from+2]
	}
	return page, nil
}

// open makes a room live.
func (t *tencent) open(id string, room liveRoom) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rooms[id] = room
}

func (t *tencent) dissolve(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rooms, id)
}

// questions returns what was asked since the last call.
func (t *tencent) questions() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := t.asked
	t.asked = nil
	return asked
}

// inbox is a receiver that keeps the messages it has accepted.
type inbox struct {
	mu       sync.Mutex
	messages []delivery.Message
	fail     func() error
}

func (b *inbox) Deliver(_ context.Context, m delivery.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(); err != nil {
			return err
		}
	}
	b.messages = append(b.messages, m)
	return nil
}

// stage is a processor with everything around it.
type stage struct {
	t        *testing.T
	clock    interface{ Now() time.Time }
	tencent  *tencent
	store    ledger.Store
	one, two *inbox
	log      io.Writer
	settle   time.Duration
}

// newStage returns a stage whose clock the test moves.
func newStage(t *testing.T) (*stage, *ledgertest.Clock) {
	clock := ledgertest.NewClock()
	return stageAt(t, clock), clock
}

func stageAt(t *testing.T, clock interface{ Now() time.Time }) *stage {
	return &stage{
		t: t, clock: clock, tencent: &tencent{now: clock.Now, rooms: map[string]liveRoom{}}, store: memory.New(clock.Now),
		one: &inbox{}, two: &inbox{}, log: io.Discard,
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ledger returns that of a new instance.
func (s *stage) ledger() *ledger.Ledger {
	s.t.Helper()
	l, err := ledger.New(ledger.Config{Store: s.store, Retention: 24 * time.Hour, Now: s.clock.Now})
	s.must(err)
	return l
}

// processor returns that of a new instance.
func (s *stage) processor() *streamend.Processor {
	s.t.Helper()
	return newProcessor(s.t, streamend.Config{
		Service:   giftstats.NewService(s.tencent),
		Receivers: []delivery.Receiver{{Name: "one", Deliverer: s.one}, {Name: "two", Deliverer: s.two}},
		Ledger:    s.ledger(), Settle: s.settle, Now: s.clock.Now, Logger: slog.New(slog.NewJSONHandler(s.log, nil)),
	})
}

// create is the webhook of a new room of alice.
func (s *stage) create(room string, created time.Time) {
	s.t.Helper()
	s.must(s.ledger().Observe(s.t.Context(), ledger.Sighting{
		RoomID: room, At: created, StartedAt: created, Opens: true, Confirmed: true, Owner: "alice",
	}))
}

// give records a gift of ten coins to an account.
func (s *stage) give(room, account string, sent time.Time) {
	s.t.Helper()
	s.must(s.ledger().RecordGift(s.t.Context(), ledger.Gift{
		ID: account + sent.String(), RoomID: room, Sender: "carol", Receivers: []string{account}, GiftID: "rose", Count: 1, Coins: 10, At: sent,
	}))
}

func (s *stage) process(event streamend.Event) error {
	s.t.Helper()
	return s.processor().Process(s.t.Context(), event)
}

func (s *stage) openRooms() []string {
	s.t.Helper()
	rooms, err := s.ledger().OpenRooms(s.t.Context())
	s.must(err)
	return rooms
}

// summaries returns what a receiver has accepted.
func (s *stage) summaries(b *inbox) []streamend.Summary {
	s.t.Helper()
	var summaries []streamend.Summary
	for _, message := range b.messages {
		var summary streamend.Summary
		s.must(json.Unmarshal(message.Body, &summary))
		if summary.Data.EventID != message.ID {
			s.t.Errorf("the message has the id %s and the summary %s", message.ID, summary.Data.EventID)
		}
		summaries = append(summaries, summary)
	}
	return summaries
}

// wantOnce checks that both receivers have accepted the same bytes once.
func (s *stage) wantOnce() streamend.Data {
	s.t.Helper()
	for name, b := range map[string]*inbox{"one": s.one, "two": s.two} {
		if len(b.messages) != 1 {
			s.t.Fatalf("receiver %s has accepted %d messages, want 1", name, len(b.messages))
		}
	}
	if one, two := string(s.one.messages[0].Body), string(s.two.messages[0].Body); one != two {
		s.t.Errorf("the receivers have\n%s\nand\n%s", one, two)
	}
	return s.summaries(s.one)[0].Data
}

// paid returns the entries of a summary in short.
func paid(data streamend.Data) string {
	var text string
	for _, earning := range data.Accounts {
		if earning.Stats == nil {
			text += fmt.Sprintf("%s: %s; ", earning.Account, earning.Problem.Code)
			continue
		}
		text += fmt.Sprintf("%s: %d from %s; ", earning.Account, earning.Stats.TotalCoins, earning.From)
	}
	return text
}
