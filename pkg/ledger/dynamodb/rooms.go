package dynamodb

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/ledger"
)

const roomPrefix = "room#"

func roomKey(id string) itemKey { return itemKey{roomPrefix + id, "room"} }

// Rooms implements ledger.Store.
func (s *Store) Rooms(ctx context.Context, ids []string) ([]ledger.Room, error) {
	keys := make([]itemKey, len(ids))
	for i, id := range ids {
		keys[i] = roomKey(id)
	}
	found, err := s.get(ctx, keys)
	if err != nil {
		return nil, s.failed(ctx, "read rooms", err)
	}
	rooms := make([]ledger.Room, len(ids))
	for i, id := range ids {
		if rooms[i], err = s.decodeRoom(id, found[keys[i]]); err != nil {
			return nil, err
		}
	}
	return rooms, nil
}

func (s *Store) decodeRoom(id string, stored item) (ledger.Room, error) {
	var room ledger.Room
	if s.live(stored) {
		if err := json.Unmarshal([]byte(textOf(stored, "record")), &room); err != nil {
			return ledger.Room{}, fmt.Errorf("the record of the room %q in DynamoDB is not valid: %w", id, err)
		}
		room.Version = textOf(stored, "version")
	}
	room.RoomID = id
	return room, nil
}

// SaveRoom implements ledger.Store. A record stays far below the 400 KB that an item may have: 100 accounts with three snapshots
// each are less than 100 KB.
func (s *Store) SaveRoom(ctx context.Context, room ledger.Room, expires time.Time) error {
	condition, values := s.unchanged(room.Version)
	if len(room.Streams) == 0 {
		return s.deleteRoom(ctx, room.RoomID, condition, values)
	}
	record, err := json.Marshal(room)
	if err != nil {
		return err
	}
	version := rand.Text()
	stored := roomKey(room.RoomID).item()
	stored["record"] = text(string(record))
	stored["version"] = text(version)
	stored["open"] = text(strconv.Itoa(shardOf(room.RoomID)))
	stored["expires_at"] = number(expires.Unix())
	_, err = s.client().PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: stored, ConditionExpression: &condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if other, ok := refused(err); ok {
		if textOf(other, "version") == version {
			return nil // the SDK repeated a write whose answer was lost
		}
		return ledger.ErrConflict
	}
	return s.failed(ctx, "store the room", err)
}

// unchanged is the condition that the stored record still has a version. An expired record counts as not stored.
func (s *Store) unchanged(version string) (condition string, values item) {
	now := number(s.now().Unix())
	if version == "" {
		return notStored, item{":now": now}
	}
	return "version = :version AND expires_at > :now", item{":version": text(version), ":now": now}
}

const notStored = "attribute_not_exists(pk) OR expires_at <= :now"

// deleteRoom deletes a record. If the answer is lost and the SDK repeats the call, the result is a conflict. The caller reads the
// record again then, and finds that it is deleted.
func (s *Store) deleteRoom(ctx context.Context, id, condition string, values item) error {
	_, err := s.client().DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: roomKey(id).item(), ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	if _, ok := refused(err); ok {
		return ledger.ErrConflict
	}
	return s.failed(ctx, "delete the room", err)
}

// OpenRooms implements ledger.Store. Expired rooms are among the ids until DynamoDB deletes them; Rooms leaves them out.
func (s *Store) OpenRooms(ctx context.Context) ([]string, error) {
	found := make([][]string, shards)
	group, ctx := errgroup.WithContext(ctx)
	for shard := range shards {
		group.Go(func() error {
			for page, err := range s.query(ctx, &dynamodb.QueryInput{
				IndexName:                 aws.String("open"),
				KeyConditionExpression:    aws.String("#open = :shard"),
				ExpressionAttributeNames:  map[string]string{"#open": "open"}, // a reserved word
				ExpressionAttributeValues: item{":shard": text(strconv.Itoa(shard))},
			}) {
				if err != nil {
					return s.failed(ctx, "list open rooms", err)
				}
				for _, stored := range page {
					found[shard] = append(found[shard], strings.TrimPrefix(textOf(stored, "pk"), roomPrefix))
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}
