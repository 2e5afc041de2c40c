package redis

import (
	"context"
	"errors"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// reserveSlots takes slots of ARGV[1] microseconds in all, unless the first is more than ARGV[2] ahead. A value that is more than ARGV[3]
// ahead does not count, and neither does one that is not a number: Lua reads "nan" as a number that is neither before nor after any other.
// It returns whether the slots are taken, and how far ahead the first one is by the server's clock.
const reserveSlots = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local free = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if not (free >= now and free <= now + tonumber(ARGV[3])) then free = now end
if free > now + tonumber(ARGV[2]) then return {0, free - now} end
redis.call('SET', KEYS[1], string.format('%.0f', free + tonumber(ARGV[1])), 'EX', 600)
return {1, free - now}`

// ReserveSlots implements ledger.Store, with the clock of the server. The time on the way back makes slots a little later.
func (s *Store) ReserveSlots(ctx context.Context, n int, apart, within time.Duration) (time.Time, bool, error) {
	length := time.Duration(n) * apart
	reply, err := redigo.Int64s(s.one(ctx, eval(
		reserveSlots, rateKey, length.Microseconds(), within.Microseconds(), ledger.MaxSlotsAhead.Microseconds(),
	)))
	if err == nil && len(reply) != 2 {
		err = errors.New("redis: unexpected answer to a reservation of slots")
	}
	if err != nil {
		return time.Time{}, false, err
	}
	return s.config.Now().Add(time.Duration(reply[1]) * time.Microsecond), reply[0] == 1, nil
}
