package redis

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"github.com/giftstats/giftstats/pkg/ledger"
)

const giftsAtOnce = 5000 // about half a megabyte

// The separators in a gift's member. Ids and accounts contain no control characters.
const (
	fieldEnd    = "\x00"
	receiverEnd = "\x01"
	afterAll    = "\xff" // sorts after everything in UTF-8
)

// addGift adds the member ARGV[3], unless there is one between ARGV[1] and ARGV[2]: one with the same time and id.
const addGift = `
if #redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, 1) == 0 then redis.call('ZADD', KEYS[1], 0, ARGV[3]) end` + keepKey

// AddGift implements ledger.Store.
func (s *Store) AddGift(ctx context.Context, gift ledger.Gift, expires time.Time) error {
	names := append([]string{gift.ID, gift.Sender}, gift.Receivers...)
	if strings.ContainsAny(strings.Join(names, ""), fieldEnd+receiverEnd) {
		return errors.New("redis: the gift has a control character in its id or in an account")
	}
	name, member := encodeGift(gift, expires)
	_, err := s.one(ctx, eval(addGift, giftsKey(gift.RoomID), "["+name, "("+name+afterAll, member, s.timeToLive(expires)))
	return err
}

// encodeGift returns the member for a gift, and its beginning, which names the gift.
func encodeGift(gift ledger.Gift, expires time.Time) (name, member string) {
	name = sortable(gift.At) + gift.ID + fieldEnd
	return name, name + strings.Join([]string{
		milliseconds(expires), strconv.FormatInt(gift.Count, 10), strconv.FormatInt(gift.Coins, 10), gift.Sender,
		strings.Join(gift.Receivers, receiverEnd), gift.GiftID,
	}, fieldEnd)
}

// Gifts implements ledger.Store.
func (s *Store) Gifts(ctx context.Context, roomID string, from, until time.Time) iter.Seq2[ledger.Gift, error] {
	return func(yield func(ledger.Gift, error) bool) {
		first, last := "["+sortable(from), "("+sortable(until)
		for {
			members, err := s.giftPage(ctx, roomID, first, last)
			if err != nil {
				yield(ledger.Gift{}, err)
				return
			}
			for _, member := range members {
				gift, expires, err := decodeGift(roomID, member)
				if err == nil && s.isOver(expires) {
					continue
				}
				if !yield(gift, err) {
					return
				}
			}
			if len(members) < giftsAtOnce {
				return
			}
			first = "(" + members[len(members)-1]
		}
	}
}

func (s *Store) giftPage(ctx context.Context, roomID, first, last string) ([]string, error) {
	return redigo.Strings(s.one(ctx, newCommand("ZRANGEBYLEX", giftsKey(roomID), first, last, "LIMIT", 0, giftsAtOnce)))
}

func decodeGift(roomID, member string) (gift ledger.Gift, expires string, err error) {
	fields := strings.SplitN(member, fieldEnd, 7)
	if len(fields) != 7 || len(fields[0]) < timeWidth {
		return ledger.Gift{}, "", fmt.Errorf("redis: a gift in the room %q is not readable", roomID)
	}
	at, badTime := parseSortable(fields[0])
	count, badCount := strconv.ParseInt(fields[2], 10, 64)
	coins, badCoins := strconv.ParseInt(fields[3], 10, 64)
	var receivers []string
	if fields[5] != "" {
		receivers = strings.Split(fields[5], receiverEnd)
	}
	return ledger.Gift{
		ID: fields[0][timeWidth:], RoomID: roomID, Sender: fields[4], Receivers: receivers, GiftID: fields[6], Count: count, Coins: coins, At: at,
	}, fields[1], errors.Join(badTime, badCount, badCoins)
}

// DropGifts implements ledger.Store.
func (s *Store) DropGifts(ctx context.Context, roomID string, until time.Time) error {
	_, err := s.one(ctx, newCommand("ZREMRANGEBYLEX", giftsKey(roomID), "-", "("+sortable(until)+afterAll))
	return err
}
