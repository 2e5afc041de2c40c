package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"github.com/giftstats/giftstats/pkg/ledger"
)

const (
	roomsAtOnce = 500 // a room is a few kilobytes
	// rememberDeleted is for how long a deleted room keeps the version of the deletion, so that its repetition is recognised.
	rememberDeleted = time.Minute
	versionWidth    = 26 // of rand.Text
	// clockSkew is how far apart the clocks of two processes may be at most when one removes what has expired for the other.
	clockSkew = 24 * time.Hour
)

// Rooms implements ledger.Store.
func (s *Store) Rooms(ctx context.Context, ids []string) ([]ledger.Room, error) {
	rooms := make([]ledger.Room, 0, len(ids))
	for chunk := range slices.Chunk(ids, roomsAtOnce) {
		commands := make([]command, len(chunk))
		for i, id := range chunk {
			commands[i] = newCommand("HMGET", roomKey(id), "version", "expires", "record")
		}
		replies, err := s.do(ctx, commands)
		if err != nil {
			return nil, err
		}
		for i, reply := range replies {
			room, err := s.decodeRoom(chunk[i], reply)
			if err != nil {
				return nil, err
			}
			rooms = append(rooms, room)
		}
	}
	return rooms, nil
}

func (s *Store) decodeRoom(id string, reply any) (ledger.Room, error) {
	fields, err := redigo.Strings(reply, nil) // a missing field is ""
	if err != nil || len(fields) != 3 {
		return ledger.Room{}, fmt.Errorf("redis: unexpected answer for the room %q: %w", id, err)
	}
	var room ledger.Room
	if !s.isOver(fields[1]) {
		if err := json.Unmarshal([]byte(fields[2]), &room); err != nil {
			return ledger.Room{}, fmt.Errorf("redis: the record of the room %q: %w", id, err)
		}
		room.Version = fields[0]
	}
	room.RoomID = id
	return room, nil
}

// saveRoom replaces a record if its version is ARGV[1]. The new version ARGV[2] names this write: if it is there already, the write was
// done and its answer lost. ARGV[4] is the record, empty to delete it.
const saveRoom = `
local stored = redis.call('HMGET', KEYS[1], 'version', 'expires')
if stored[1] == ARGV[2] then return 1 end
local current = ''
if stored[2] and tonumber(stored[2]) > tonumber(ARGV[3]) then current = stored[1] end
if current ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[2])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'record', ARGV[4], 'expires', ARGV[5]) end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1`

// SaveRoom implements ledger.Store.
//
// The set of open rooms lies in another slot than the room, so both cannot change together. Therefore each write of a record has a
// ticket of its own in the set, made of the new version and the room. It is added before the record is stored, and removed only when the
// record was replaced, deleted or refused; the version never returns. So every stored record has its ticket at all times, even if the
// process stops in between. A ticket that is left over costs one read of a room without streams, until it expires.
func (s *Store) SaveRoom(ctx context.Context, room ledger.Room, expires time.Time) error {
	version, deleted := rand.Text(), len(room.Streams) == 0
	var record []byte
	if deleted {
		expires = s.config.Now().Add(rememberDeleted)
	} else {
		var err error
		if record, err = json.Marshal(room); err != nil {
			return err
		}
		if err := s.addTicket(ctx, version+room.RoomID, expires); err != nil {
			return err
		}
	}
	saved, err := redigo.Bool(s.one(ctx, eval(
		saveRoom, roomKey(room.RoomID), room.Version, version, milliseconds(s.config.Now()), string(record),
		milliseconds(expires), s.timeToLive(expires),
	)))
	switch {
	case err != nil:
		return err
	case saved:
		s.removeTicket(ctx, room.Version+room.RoomID)
		return nil
	case !deleted:
		s.removeTicket(ctx, version+room.RoomID)
	}
	return ledger.ErrConflict
}

const addTicket = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])` + keepKey

func (s *Store) addTicket(ctx context.Context, ticket string, expires time.Time) error {
	over := milliseconds(s.config.Now().Add(-clockSkew))
	_, err := s.one(ctx, eval(addTicket, openKey, over, milliseconds(expires), ticket, s.timeToLive(expires)))
	return err
}

// removeTicket returns no error, because the room is as it should be, and a ticket too many does no harm.
func (s *Store) removeTicket(ctx context.Context, ticket string) {
	_, _ = s.one(ctx, newCommand("ZREM", openKey, ticket))
}

// OpenRooms implements ledger.Store.
func (s *Store) OpenRooms(ctx context.Context) ([]string, error) {
	tickets, err := redigo.Strings(s.one(ctx, newCommand("ZRANGEBYSCORE", openKey, "("+milliseconds(s.config.Now()), "+inf")))
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(tickets))
	for _, ticket := range tickets {
		if len(ticket) > versionWidth {
			ids = append(ids, strings.Clone(ticket[versionWidth:]))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
