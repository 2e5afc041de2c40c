package redis

import (
	"context"
	"time"

	"github.com/valkey-io/valkey-go"
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
	result, err := s.one(ctx, func(b valkey.Builder, k keys) valkey.Completed {
		return eval(b, takeLease, k.lease(name), holder, milliseconds(s.config.Now()), milliseconds(until), s.timeToLive(until))
	})
	if err != nil {
		return false, err
	}
	return result.AsBool()
}

// Release implements ledger.Store.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	_, err := s.one(ctx, func(b valkey.Builder, k keys) valkey.Completed {
		return eval(b, releaseLease, k.lease(name), holder)
	})
	return err
}
