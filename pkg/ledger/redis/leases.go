package redis

import (
	"context"
	"time"

	redigo "github.com/gomodule/redigo/redis"
)

// takeLease gives the lease to ARGV[1], unless at ARGV[2] another holder has it.
const takeLease = `
local held = redis.call('HMGET', KEYS[1], 'holder', 'until')
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`

const releaseLease = `
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('DEL', KEYS[1]) end`

// Lease implements ledger.Store.
func (s *Store) Lease(ctx context.Context, name, holder string, until time.Time) (bool, error) {
	return redigo.Bool(s.one(ctx, eval(
		takeLease, leaseKey(name), holder, milliseconds(s.config.Now()), milliseconds(until), s.timeToLive(until),
	)))
}

// Release implements ledger.Store.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	_, err := s.one(ctx, eval(releaseLease, leaseKey(name), holder))
	return err
}
