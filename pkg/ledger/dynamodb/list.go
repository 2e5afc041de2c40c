package dynamodb

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// maxPage is how many ended streams are read at once.
const maxPage = 200

// pointers returns the items by which ListEnded finds a stream. One partition holds those of all streams: it takes 1,000 ends a
// second, and a partition for each day would not take more, because all ends of a moment are in one day.
func pointers(ended ledger.Ended) []item {
	partitions := map[string]bool{"list#all": true, "list#room#" + ended.RoomID: true}
	for _, account := range ended.Accounts {
		partitions["list#account#"+account] = true
	}
	var items []item
	for partition := range partitions {
		pointer := itemKey{partition, positionKey(ended.Position())}.item()
		pointer["expires_at"] = number(ended.Expires.Unix())
		items = append(items, pointer)
	}
	return items
}

// positionKey is a sort key with the order of Position.Before. A zero byte, which no id has, sorts before all that an id may have.
func positionKey(position ledger.Position) string {
	return nanoseconds(position.EndedAt) + "\x00" + position.RoomID + "\x00" + position.StreamID
}

// nanoseconds are exact from 1970 to 2262. Times beyond are equal to the nearest of these years.
func nanoseconds(t time.Time) string {
	var n int64
	switch {
	case t.After(time.Unix(0, math.MaxInt64)):
		n = math.MaxInt64
	case t.After(time.Unix(0, 0)):
		n = t.UnixNano()
	}
	return fmt.Sprintf("%019d", n)
}

// ListEnded implements ledger.Store.
func (s *Store) ListEnded(ctx context.Context, query ledger.Query) ([]ledger.Ended, error) {
	low, high := nanoseconds(query.From), nanoseconds(query.To) // the key of a stream that ended at To is above high
	atOnce := query.Limit
	if query.After != nil {
		high = min(high, positionKey(*query.After))
		atOnce++ // After itself is among the first
	}
	if low > high || query.Limit <= 0 {
		return nil, nil
	}
	atOnce = min(atOnce, maxPage)
	page := atOnce
	if query.Account != "" && query.RoomID != "" {
		page = maxPage // some of the pointers are to other rooms
	}
	var streams []ledger.Ended
	for pointers, err := range s.query(ctx, &dynamodb.QueryInput{
		KeyConditionExpression:    aws.String("pk = :pk AND sk BETWEEN :low AND :high"),
		ProjectionExpression:      aws.String("sk, expires_at"),
		ExpressionAttributeValues: item{":pk": text(partition(query)), ":low": text(low), ":high": text(high)},
		ScanIndexForward:          aws.Bool(false),
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(int32(page)),
	}) {
		if err != nil {
			return nil, s.failed(ctx, "list ended streams", err)
		}
		for some := range slices.Chunk(inRoom(pointers, query.RoomID), atOnce) {
			found, err := s.follow(ctx, some)
			if err != nil {
				return nil, err
			}
			for _, ended := range found {
				if query.Includes(ended) {
					streams = append(streams, ended)
				}
			}
			if len(streams) >= query.Limit {
				return streams[:query.Limit], nil
			}
		}
	}
	return streams, nil
}

// partition is the one that holds all pointers that a query asks for. Those of an account come before those of a room: each pointer names
// its room, so nothing is read of the others, and a caller cannot choose an account that has many.
func partition(query ledger.Query) string {
	switch {
	case query.Account != "":
		return "list#account#" + query.Account
	case query.RoomID != "":
		return "list#room#" + query.RoomID
	}
	return "list#all"
}

// inRoom returns the pointers to streams of a room, or all if roomID is empty.
func inRoom(pointers []item, roomID string) []item {
	return slices.DeleteFunc(pointers, func(pointer item) bool {
		parts := strings.Split(textOf(pointer, "sk"), "\x00")
		return roomID != "" && (len(parts) != 3 || parts[1] != roomID)
	})
}

// follow reads the streams of pointers, in their order.
func (s *Store) follow(ctx context.Context, pointers []item) ([]ledger.Ended, error) {
	var keys []itemKey
	var positions []string
	for _, pointer := range pointers {
		if parts := strings.Split(textOf(pointer, "sk"), "\x00"); s.live(pointer) && len(parts) == 3 {
			keys = append(keys, endedKey(parts[1], parts[2]))
			positions = append(positions, textOf(pointer, "sk"))
		}
	}
	stored, err := s.get(ctx, keys)
	if err != nil {
		return nil, s.failed(ctx, "read ended streams", err)
	}
	var streams []ledger.Ended
	for i, key := range keys {
		if !s.live(stored[key]) {
			continue
		}
		ended, err := decodeEnded(stored[key])
		if err != nil {
			return nil, err
		}
		// The pointer may be one of a stream that has expired and was stored again, with another time.
		if positionKey(ended.Position()) == positions[i] {
			streams = append(streams, ended)
		}
	}
	return streams, nil
}
