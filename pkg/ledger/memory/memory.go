// Package memory keeps the ledger in the memory of the process, for the local server and for tests. It is lost when the process ends.
package memory

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// Store is a ledger.Store.
type Store struct {
	now func() time.Time

	mu     sync.Mutex
	writes int // makes versions
	rooms  map[string]room
	gifts  map[string]map[giftKey]gift // by room
	ended  map[endedKey]*ledger.Ended
	leases map[string]lease
	free   time.Time // end of the slots of the shared rate that are taken
}

type room struct {
	version string
	record  []byte // encoded, so that callers share nothing with the store
	expires time.Time
}

type giftKey struct {
	at int64
	id string
}

type gift struct {
	ledger.Gift
	expires time.Time
}

type endedKey struct{ room, stream string }

type lease struct {
	holder string
	until  time.Time
}

// New returns an empty store. Its clock is now, which must not be nil.
func New(now func() time.Time) *Store {
	return &Store{
		now: now, rooms: map[string]room{}, gifts: map[string]map[giftKey]gift{}, ended: map[endedKey]*ledger.Ended{}, leases: map[string]lease{},
	}
}

var _ ledger.Store = (*Store)(nil)

// Rooms implements ledger.Store.
func (s *Store) Rooms(_ context.Context, ids []string) ([]ledger.Room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rooms := make([]ledger.Room, len(ids))
	for i, id := range ids {
		stored, ok := s.rooms[id]
		if ok && stored.expires.After(s.now()) {
			if err := json.Unmarshal(stored.record, &rooms[i]); err != nil {
				return nil, err
			}
			rooms[i].Version = stored.version
		}
		rooms[i].RoomID = id
	}
	return rooms, nil
}

// SaveRoom implements ledger.Store.
func (s *Store) SaveRoom(_ context.Context, saved ledger.Room, expires time.Time) error {
	record, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.rooms[saved.RoomID]
	if ok && !stored.expires.After(s.now()) {
		stored = room{}
	}
	if stored.version != saved.Version {
		return ledger.ErrConflict
	}
	if len(saved.Streams) == 0 {
		delete(s.rooms, saved.RoomID)
		return nil
	}
	s.writes++
	s.rooms[saved.RoomID] = room{strconv.Itoa(s.writes), record, expires}
	return nil
}

// OpenRooms implements ledger.Store.
func (s *Store) OpenRooms(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, stored := range s.rooms {
		if stored.expires.After(s.now()) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// AddGift implements ledger.Store.
func (s *Store) AddGift(_ context.Context, added ledger.Gift, expires time.Time) error {
	added.Receivers = slices.Clone(added.Receivers)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gifts[added.RoomID] == nil {
		s.gifts[added.RoomID] = map[giftKey]gift{}
	}
	s.gifts[added.RoomID][giftKey{added.At.UnixMilli(), added.ID}] = gift{added, expires}
	return nil
}

// Gifts implements ledger.Store.
func (s *Store) Gifts(_ context.Context, roomID string, from, until time.Time) iter.Seq2[ledger.Gift, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []ledger.Gift
	for _, stored := range s.gifts[roomID] {
		if !stored.At.Before(from) && stored.At.Before(until) && stored.expires.After(s.now()) {
			found = append(found, stored.Gift)
		}
	}
	return func(yield func(ledger.Gift, error) bool) {
		for _, one := range found {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// DropGifts implements ledger.Store.
func (s *Store) DropGifts(_ context.Context, roomID string, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.gifts[roomID], func(_ giftKey, stored gift) bool { return !stored.At.After(until) })
	if len(s.gifts[roomID]) == 0 {
		delete(s.gifts, roomID) // a room of an ended show may never be used again
	}
	return nil
}

// SaveEnded implements ledger.Store.
func (s *Store) SaveEnded(_ context.Context, ended ledger.Ended) (ledger.Ended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := endedKey{ended.RoomID, ended.StreamID}
	if stored, ok := s.ended[key]; ok && stored.Expires.After(s.now()) {
		return clone(stored), nil
	}
	stored := clone(&ended)
	s.ended[key] = &stored
	return clone(&stored), nil
}

// Ended implements ledger.Store.
func (s *Store) Ended(_ context.Context, roomID, streamID string) (ledger.Ended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.ended[endedKey{roomID, streamID}]
	if !ok || !stored.Expires.After(s.now()) {
		return ledger.Ended{}, ledger.ErrNotFound
	}
	return clone(stored), nil
}

// ListEnded implements ledger.Store.
func (s *Store) ListEnded(_ context.Context, query ledger.Query) ([]ledger.Ended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []ledger.Ended
	for _, stored := range s.ended {
		if query.Includes(*stored) && stored.Expires.After(s.now()) {
			found = append(found, clone(stored))
		}
	}
	slices.SortFunc(found, func(a, b ledger.Ended) int {
		if a.Position().Before(b.Position()) {
			return -1
		}
		return 1
	})
	return found[:min(query.Limit, len(found))], nil
}

// MarkTaken implements ledger.Store.
func (s *Store) MarkTaken(_ context.Context, roomID, streamID, receiver string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.ended[endedKey{roomID, streamID}]
	if !ok {
		return ledger.ErrNotFound
	}
	if !slices.Contains(stored.Taken, receiver) {
		stored.Taken = append(stored.Taken, receiver)
	}
	return nil
}

// Lease implements ledger.Store.
func (s *Store) Lease(_ context.Context, name, holder string, until time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.leases[name]; ok && held.holder != holder && held.until.After(s.now()) {
		return false, nil
	}
	s.leases[name] = lease{holder, until}
	return true, nil
}

// Release implements ledger.Store.
func (s *Store) Release(_ context.Context, name, holder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[name].holder == holder {
		delete(s.leases, name)
	}
	return nil
}

// clone returns a copy that shares nothing that changes.
func clone(ended *ledger.Ended) ledger.Ended {
	copied := *ended
	copied.Accounts, copied.Taken = slices.Clone(ended.Accounts), slices.Clone(ended.Taken)
	copied.Summary = slices.Clone(ended.Summary)
	return copied
}
