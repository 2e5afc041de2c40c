package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"github.com/giftstats/giftstats/pkg/ledger"
)

const (
	endedAtOnce    = 100  // an ended stream has up to some ten kilobytes
	pointersAtOnce = 1000 // a pointer has about a hundred bytes
	takenField     = "taken:"
)

// saveEnded stores a record unless there is one that has not expired at ARGV[1], and returns all fields.
const saveEnded = `
local expires = redis.call('HGET', KEYS[1], 'expires')
if not expires or tonumber(expires) <= tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'record', ARGV[2], 'expires', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return redis.call('HGETALL', KEYS[1])`

// SaveEnded implements ledger.Store. The record is written first and the pointers to it afterwards, also if the record was there
// before: this completes an earlier call that broke off.
func (s *Store) SaveEnded(ctx context.Context, ended ledger.Ended) (ledger.Ended, error) {
	record, err := json.Marshal(ended)
	if err != nil {
		return ledger.Ended{}, err
	}
	reply, err := s.one(ctx, eval(
		saveEnded, endedKey(ended.RoomID, ended.StreamID), milliseconds(s.config.Now()), string(record),
		milliseconds(ended.Expires), s.timeToLive(ended.Expires),
	))
	if err != nil {
		return ledger.Ended{}, err
	}
	stored, err := s.decodeEnded(reply)
	if err != nil {
		return ledger.Ended{}, err
	}
	return stored, s.addPointers(ctx, stored)
}

// addPointer adds a member, and removes up to ten of the oldest members if they have expired: a member ends with its expiry.
const addPointer = `
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, 9)) do
  if tonumber(string.match(member, '%d+$')) <= tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], member) end
end
redis.call('ZADD', KEYS[1], 0, ARGV[2])` + keepKey

func (s *Store) addPointers(ctx context.Context, ended ledger.Ended) error {
	pointer := place(ended.Position()) + milliseconds(ended.Expires)
	keys := []string{allEndedKey, endedInKey(ended.RoomID)}
	for _, account := range ended.Accounts {
		keys = append(keys, endedWithKey(account))
	}
	commands := make([]command, len(keys))
	for i, key := range keys {
		commands[i] = eval(addPointer, key, milliseconds(s.config.Now()), pointer, s.timeToLive(ended.Expires))
	}
	_, err := s.do(ctx, commands)
	return err
}

// place returns the beginning of a pointer. Pointers sort like positions, the other way round: neither id contains a control character.
func place(p ledger.Position) string {
	return sortable(p.EndedAt) + p.RoomID + fieldEnd + p.StreamID + fieldEnd
}

// decodeEnded reads all fields of an ended stream. It returns ErrNotFound if there are none, or if the stream has expired.
func (s *Store) decodeEnded(reply any) (ledger.Ended, error) {
	fields, err := redigo.StringMap(reply, nil)
	if err != nil {
		return ledger.Ended{}, fmt.Errorf("redis: unexpected answer: %w", err)
	}
	if s.isOver(fields["expires"]) {
		return ledger.Ended{}, ledger.ErrNotFound
	}
	var ended ledger.Ended
	if err := json.Unmarshal([]byte(fields["record"]), &ended); err != nil {
		return ledger.Ended{}, fmt.Errorf("redis: the record of an ended stream: %w", err)
	}
	expires, err := strconv.ParseInt(fields["expires"], 10, 64)
	ended.Expires = time.UnixMilli(expires).UTC()
	for field := range fields {
		if receiver, ok := strings.CutPrefix(field, takenField); ok {
			ended.Taken = append(ended.Taken, receiver)
		}
	}
	slices.Sort(ended.Taken)
	return ended, err
}

func readEnded(room, stream string) command {
	return newCommand("HGETALL", endedKey(room, stream))
}

// Ended implements ledger.Store.
func (s *Store) Ended(ctx context.Context, roomID, streamID string) (ledger.Ended, error) {
	reply, err := s.one(ctx, readEnded(roomID, streamID))
	if err != nil {
		return ledger.Ended{}, err
	}
	return s.decodeEnded(reply)
}

// ListEnded implements ledger.Store.
func (s *Store) ListEnded(ctx context.Context, query ledger.Query) ([]ledger.Ended, error) {
	newest, oldest := "("+sortable(query.To), "["+sortable(query.From)
	if query.After != nil {
		newest = min(newest, "("+place(*query.After))
	}
	var found []ledger.Ended
	for len(found) < query.Limit {
		atOnce := min(query.Limit-len(found), endedAtOnce)
		size := atOnce
		if query.Account != "" && query.RoomID != "" {
			size = pointersAtOnce // some of them are to other rooms
		}
		pointers, err := s.pointers(ctx, query, newest, oldest, size)
		if err != nil {
			return nil, err
		}
		last := len(pointers) < size
		if !last {
			newest = "(" + pointers[size-1]
		}
		if found, err = s.collect(ctx, query, found, inRoom(pointers, query.RoomID), atOnce); err != nil {
			return nil, err
		}
		if last {
			break
		}
	}
	return found[:min(query.Limit, len(found))], nil
}

// collect adds the streams that pointers point to, until there are enough. It reads some at once.
func (s *Store) collect(
	ctx context.Context, query ledger.Query, found []ledger.Ended, pointers []string, atOnce int,
) ([]ledger.Ended, error) {
	for some := range slices.Chunk(pointers, atOnce) {
		streams, err := s.follow(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, ended := range streams {
			if query.Includes(ended) {
				found = append(found, ended)
			}
		}
		if len(found) >= query.Limit {
			break
		}
	}
	return found, nil
}

// pointers reads a page of the list that a query needs, newest first. The list of an account comes before that of a room: each pointer
// names its room, so nothing is read of the others, and a caller cannot choose an account that has many.
func (s *Store) pointers(ctx context.Context, query ledger.Query, newest, oldest string, size int) ([]string, error) {
	list := allEndedKey
	switch {
	case query.Account != "":
		list = endedWithKey(query.Account)
	case query.RoomID != "":
		list = endedInKey(query.RoomID)
	}
	return redigo.Strings(s.one(ctx, newCommand("ZREVRANGEBYLEX", list, newest, oldest, "LIMIT", 0, size)))
}

// inRoom returns the pointers to streams of a room, or all if roomID is empty.
func inRoom(pointers []string, roomID string) []string {
	return slices.DeleteFunc(pointers, func(pointer string) bool {
		return roomID != "" && !strings.HasPrefix(pointer[min(timeWidth, len(pointer)):], roomID+fieldEnd)
	})
}

// follow reads the streams that pointers point to, without those that have expired.
func (s *Store) follow(ctx context.Context, pointers []string) ([]ledger.Ended, error) {
	var commands []command
	for _, pointer := range pointers {
		fields := strings.Split(pointer[timeWidth:], fieldEnd)
		if len(fields) != 3 {
			return nil, errors.New("redis: a pointer to an ended stream is not readable")
		}
		if !s.isOver(fields[2]) {
			commands = append(commands, readEnded(fields[0], fields[1]))
		}
	}
	if len(commands) == 0 {
		return nil, nil
	}
	replies, err := s.do(ctx, commands)
	if err != nil {
		return nil, err
	}
	var streams []ledger.Ended
	for _, reply := range replies {
		ended, err := s.decodeEnded(reply)
		if errors.Is(err, ledger.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		streams = append(streams, ended)
	}
	return streams, nil
}

const markTaken = `
if redis.call('HEXISTS', KEYS[1], 'record') == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], '')
return 1`

// MarkTaken implements ledger.Store.
func (s *Store) MarkTaken(ctx context.Context, roomID, streamID, receiver string) error {
	marked, err := redigo.Bool(s.one(ctx, eval(markTaken, endedKey(roomID, streamID), takenField+receiver)))
	if err == nil && !marked {
		return ledger.ErrNotFound
	}
	return err
}
