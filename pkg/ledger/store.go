package ledger

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrConflict is returned by SaveRoom when the stored record is no longer the one that was read.
var ErrConflict = errors.New("the record was changed by another writer")

// ErrNotFound is returned by Ended when no such stream has ended, or when it is no longer remembered.
var ErrNotFound = errors.New("no such ended stream")

// MaxSlotsAhead is the farthest that slots can be reserved ahead. A reservation beyond it comes from a wrong clock, and does not count.
const MaxSlotsAhead = time.Minute

// Store keeps records. Package ledgertest tests what each method must guarantee. An expired record must not be returned, even if it has not
// been deleted yet.
type Store interface {
	// Rooms returns one record for each id, in the order of ids; a Room without Version and Streams where nothing is stored. It
	// sees every write that has returned before.
	Rooms(ctx context.Context, ids []string) ([]Room, error)
	// SaveRoom stores a room if the stored record still has room.Version, else it returns ErrConflict. A room without streams is
	// deleted. The new record gets another version.
	SaveRoom(ctx context.Context, room Room, expires time.Time) error
	// OpenRooms lists the ids of the rooms with streams, in any order. A room saved less than a second ago may be missing.
	OpenRooms(ctx context.Context) ([]string, error)

	// AddGift stores a gift. Storing one with the same room, time and id again changes nothing.
	AddGift(ctx context.Context, gift Gift, expires time.Time) error
	// Gifts yields the gifts of a room with from <= At < until, in any order.
	Gifts(ctx context.Context, roomID string, from, until time.Time) iter.Seq2[Gift, error]
	// DropGifts removes the gifts of a room with At <= until. A store in which they cost nothing may leave them to expire.
	DropGifts(ctx context.Context, roomID string, until time.Time) error

	// SaveEnded stores an ended stream, unless one with its RoomID and StreamID is stored already, and returns the stored one. It
	// can be found by ListEnded afterwards, also if an earlier SaveEnded broke off halfway.
	SaveEnded(ctx context.Context, ended Ended) (Ended, error)
	// Ended returns an ended stream, or ErrNotFound.
	Ended(ctx context.Context, roomID, streamID string) (Ended, error)
	// ListEnded returns at most query.Limit ended streams, newest first.
	ListEnded(ctx context.Context, query Query) ([]Ended, error)
	// MarkTaken adds a receiver to the Taken of an ended stream.
	MarkTaken(ctx context.Context, roomID, streamID, receiver string) error

	// Lease takes a lease for holder until a time, if it is free, or expired, or the holder's own.
	Lease(ctx context.Context, name, holder string, until time.Time) (bool, error)
	// Release ends a lease if it is the holder's.
	Release(ctx context.Context, name, holder string) error

	// ReserveSlots takes n slots of the shared rate: moments that are apart from each other. It returns the time of the first one, which
	// is not before the end of all slots taken earlier, and not in the past. If it is more than within ahead, none is taken. A repeated
	// write only wastes slots.
	ReserveSlots(ctx context.Context, n int, apart, within time.Duration) (first time.Time, taken bool, err error)
}
