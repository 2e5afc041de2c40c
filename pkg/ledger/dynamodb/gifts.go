package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// giftRecord is a gift without what its key says. Its names are short: a write costs by the kilobyte. It is one attribute, because
// the SDK takes much longer to decode attributes than encoding/json does, and a show may have 100,000 gifts.
type giftRecord struct {
	Sender    string   `json:"s"`
	Receivers []string `json:"r,omitempty"`
	GiftID    string   `json:"g"`
	Count     int64    `json:"c"`
	Coins     int64    `json:"v"`
}

// giftPartition spreads the gifts of a room: one partition takes 1,000 writes a second, as many as a show may have gifts.
func giftPartition(roomID string, shard int) string {
	return "gifts#" + roomID + "#" + strconv.Itoa(shard)
}

// giftTime is the part of a sort key that the first gift at or after t has. Its digits last until after the year 9999.
func giftTime(t time.Time) string {
	milliseconds := t.UnixMilli()
	if t.After(time.UnixMilli(milliseconds)) {
		milliseconds++
	}
	return fmt.Sprintf("%015d", max(0, milliseconds))
}

// AddGift implements ledger.Store.
func (s *Store) AddGift(ctx context.Context, gift ledger.Gift, expires time.Time) error {
	record, err := json.Marshal(giftRecord{gift.Sender, gift.Receivers, gift.GiftID, gift.Count, gift.Coins})
	if err != nil {
		return err
	}
	at := time.UnixMilli(gift.At.UnixMilli())
	stored := itemKey{giftPartition(gift.RoomID, shardOf(gift.ID)), giftTime(at) + "#" + gift.ID}.item()
	stored["gift"] = text(string(record))
	stored["expires_at"] = number(expires.Unix())
	_, err = s.client().PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: stored})
	return s.failed(ctx, "store the gift", err)
}

// Gifts implements ledger.Store. It reads the shards concurrently.
func (s *Store) Gifts(ctx context.Context, roomID string, from, until time.Time) iter.Seq2[ledger.Gift, error] {
	return func(yield func(ledger.Gift, error) bool) {
		low, high := giftTime(from), giftTime(until)
		if low >= high {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pages, result := s.giftPages(ctx, roomID, low, high)
		defer func() {
			cancel()
			for range pages { // until all readers have returned
			}
		}()
		for page := range pages {
			for _, gift := range page {
				if !yield(gift, nil) {
					return
				}
			}
		}
		if err := <-result; err != nil {
			yield(ledger.Gift{}, err)
		}
	}
}

// giftPages sends pages of gifts until all are read or ctx is done. Then it closes pages, and the result is there.
func (s *Store) giftPages(ctx context.Context, roomID, low, high string) (pages chan []ledger.Gift, result chan error) {
	pages, result = make(chan []ledger.Gift), make(chan error, 1)
	readers, ctx := errgroup.WithContext(ctx)
	for shard := range shards {
		readers.Go(func() error {
			for items, err := range s.query(ctx, &dynamodb.QueryInput{
				KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :low AND :high"), // the key of a gift at high is above high
				// Each attribute of each item takes the SDK time to decode, so the table itself leaves out the expired gifts.
				FilterExpression:     aws.String("expires_at > :now"),
				ProjectionExpression: aws.String("sk, gift"),
				ExpressionAttributeValues: item{
					":pk": text(giftPartition(roomID, shard)), ":low": text(low), ":high": text(high), ":now": number(s.now().Unix()),
				},
				ConsistentRead: aws.Bool(true),
			}) {
				if err != nil {
					return s.failed(ctx, "read gifts", err)
				}
				page, err := decodeGifts(roomID, items)
				if err != nil {
					return err
				}
				select {
				case pages <- page:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	go func() {
		result <- readers.Wait()
		close(pages)
	}()
	return pages, result
}

func decodeGifts(roomID string, items []item) ([]ledger.Gift, error) {
	gifts := make([]ledger.Gift, 0, len(items))
	for _, stored := range items {
		at, id, _ := strings.Cut(textOf(stored, "sk"), "#")
		milliseconds, err := strconv.ParseInt(at, 10, 64)
		var record giftRecord
		if err == nil {
			err = json.Unmarshal([]byte(textOf(stored, "gift")), &record)
		}
		if err != nil {
			return nil, fmt.Errorf("the gift %q of the room %q in DynamoDB is not valid: %w", id, roomID, err)
		}
		gifts = append(gifts, ledger.Gift{
			ID: id, RoomID: roomID, Sender: record.Sender, Receivers: record.Receivers,
			GiftID: record.GiftID, Count: record.Count, Coins: record.Coins, At: time.UnixMilli(milliseconds).UTC(),
		})
	}
	return gifts, nil
}

// DropGifts implements ledger.Store. The gifts expire by themselves: deletions at the end of their time are free, and others cost as
// much as writes.
func (s *Store) DropGifts(context.Context, string, time.Time) error { return nil }
