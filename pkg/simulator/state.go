package simulator

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Statistic holds the totals of a room over all receivers, as get_room_stats and destroy_room report them.
//
// Source: https://cloud.tencent.com/document/product/647/132566
type Statistic struct {
	TotalViewers           int64 // entries: an account that enters N times counts N times
	TotalGiftsSent         int64 // pieces
	TotalGiftCoins         int64
	TotalUniqueGiftSenders int64
	TotalLikesReceived     int64
}

// GiftCount holds the totals of one receiver in one room, as get_gift_count reports them.
//
// Source: https://trtc.io/document/72557
type GiftCount struct {
	Sequence        int64 // how often the other numbers changed
	TotalCount      int64 // pieces
	TotalCoins      int64 // pieces × the price of the gift when it was sent
	GiftSenderCount int64 // distinct senders
}

// state holds the rooms and the prices of gifts.
type state struct {
	mu     sync.RWMutex
	rooms  map[string]*room
	prices map[string]int64 // coins, by gift
}

type room struct {
	info      RoomInfo
	created   time.Time
	statistic Statistic
	messages  int64
	senders   map[string]bool
	received  map[string]*income // by receiver
	seats     map[int64]string   // accounts, by the number of their seat
}

// errRoomUnknown does not distinguish a dissolved room from one that never existed, as at Tencent.
var errRoomUnknown = refuse(codeRoomUnknown, "the room does not exist, or is dissolved")

type income struct {
	GiftCount
	senders map[string]bool
}

// find returns a room. The caller holds the lock, also for the methods of room.
func (s *state) find(roomID string) (*room, error) {
	if found := s.rooms[roomID]; found != nil {
		return found, nil
	}
	return nil, errRoomUnknown
}

func (s *state) create(info RoomInfo, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[info.RoomID] != nil {
		return refuse(codeRoomExists, "the room id is already used")
	}
	s.rooms[info.RoomID] = &room{
		info: info, created: now, senders: map[string]bool{}, received: map[string]*income{}, seats: map[int64]string{},
	}
	return nil
}

// destroy removes a room. Nothing changes the room after that.
func (s *state) destroy(roomID string) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(roomID)
	if err == nil {
		delete(s.rooms, roomID)
	}
	return found, err
}

// view calls how with a room that it must not change.
func (s *state) view(roomID string, how func(*room)) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.find(roomID)
	if err == nil {
		how(found)
	}
	return err
}

// update calls how with a room that it may change.
func (s *state) update(roomID string, how func(*room) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(roomID)
	if err != nil {
		return err
	}
	return how(found)
}

// price returns the room of a gift and the price of one piece.
func (s *state) price(sent SentGift) (*room, int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.find(sent.RoomID)
	if err != nil {
		return nil, 0, err
	}
	price, ok := s.prices[sent.GiftID]
	if !ok {
		return nil, 0, refuse(codeGiftUnknown, "the gift %q is not in the catalogue; the gifts are %s",
			sent.GiftID, strings.Join(slices.Sorted(maps.Keys(s.prices)), ", "))
	}
	return found, price, nil
}

// send adds the gift for every receiver, or returns an error and adds nothing.
func (r *room) send(sent SentGift, price int64) error {
	receivers := int64(len(sent.Receivers))
	value, ok1 := product(sent.Count, price)
	pieces, ok2 := product(sent.Count, receivers)
	coins, ok3 := product(value, receivers)
	gifts, ok4 := sum(r.statistic.TotalGiftsSent, pieces)
	total, ok5 := sum(r.statistic.TotalGiftCoins, coins)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 { // no receiver has more than the room
		return refuse(codeParameter, "Count is too large: the totals of the room would exceed 64 bits")
	}
	r.statistic.TotalGiftsSent, r.statistic.TotalGiftCoins = gifts, total
	r.senders[sent.Sender] = true
	r.statistic.TotalUniqueGiftSenders = int64(len(r.senders))
	for _, receiver := range sent.Receivers {
		got := r.received[receiver]
		if got == nil {
			got = &income{senders: map[string]bool{}}
			r.received[receiver] = got
		}
		got.senders[sent.Sender] = true
		got.Sequence++
		got.TotalCount += sent.Count
		got.TotalCoins += value
		got.GiftSenderCount = int64(len(got.senders))
	}
	return nil
}

// product multiplies two numbers that are not negative.
func product(a, b int64) (int64, bool) {
	if a != 0 && b > math.MaxInt64/a {
		return 0, false
	}
	return a * b, true
}

// sum adds two numbers that are not negative.
func sum(a, b int64) (int64, bool) {
	if a > math.MaxInt64-b {
		return 0, false
	}
	return a + b, true
}

// snapshot copies a room.
func (r *room) snapshot() Room {
	copied := Room{
		RoomInfo: r.info, CreatedAt: r.created, Statistic: r.statistic, TotalMsgCount: r.messages,
		Received: map[string]GiftCount{}, Seats: maps.Clone(r.seats),
	}
	copied.Category = slices.Clone(r.info.Category)
	for receiver, got := range r.received {
		copied.Received[receiver] = got.GiftCount
	}
	return copied
}

// snapshots copies all rooms, in the order of their ids.
func (s *state) snapshots() []Room {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rooms := make([]Room, 0, len(s.rooms))
	for _, id := range slices.Sorted(maps.Keys(s.rooms)) {
		rooms = append(rooms, s.rooms[id].snapshot())
	}
	return rooms
}
