package dynamodb

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// maxEnded is the size of the largest ended stream, in bytes: an item may have 400 KB, and the receivers that accept the summary are
// added later.
const maxEnded = 350 << 10

func endedKey(roomID, streamID string) itemKey { return itemKey{"ended#" + roomID, streamID} }

// SaveEnded implements ledger.Store. A stream that would be too large for DynamoDB is stored with fewer senders in each ranking, and
// with fewer kinds of gifts: 100 accounts with 100 different senders each come down to 50.
func (s *Store) SaveEnded(ctx context.Context, ended ledger.Ended) (ledger.Ended, error) {
	encoded, ended, err := encodeEnded(ended)
	if err != nil {
		return ledger.Ended{}, err
	}
	_, err = s.client().PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: encoded,
		ConditionExpression: aws.String(notStored), ExpressionAttributeValues: item{":now": number(s.now().Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if stored, ok := refused(err); ok {
		ended, err = decodeEnded(stored)
	}
	if err != nil {
		return ledger.Ended{}, s.failed(ctx, "store the ended stream", err)
	}
	// Also if the stream was stored already: the writer may have been stopped before it wrote the pointers.
	if err := s.put(ctx, pointers(ended)); err != nil {
		return ledger.Ended{}, s.failed(ctx, "list the ended stream", err)
	}
	return ended, nil
}

// Ended implements ledger.Store.
func (s *Store) Ended(ctx context.Context, roomID, streamID string) (ledger.Ended, error) {
	key := endedKey(roomID, streamID)
	found, err := s.get(ctx, []itemKey{key})
	switch {
	case err != nil:
		return ledger.Ended{}, s.failed(ctx, "read the ended stream", err)
	case !s.live(found[key]):
		return ledger.Ended{}, ledger.ErrNotFound
	}
	return decodeEnded(found[key])
}

// MarkTaken implements ledger.Store.
func (s *Store) MarkTaken(ctx context.Context, roomID, streamID, receiver string) error {
	_, err := s.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: endedKey(roomID, streamID).item(),
		UpdateExpression: aws.String("ADD taken :receiver"), ConditionExpression: aws.String("attribute_exists(pk)"),
		ExpressionAttributeValues: item{":receiver": &types.AttributeValueMemberSS{Value: []string{receiver}}},
	})
	if _, ok := refused(err); ok {
		return ledger.ErrNotFound
	}
	return s.failed(ctx, "remember the receiver", err)
}

// encodeEnded returns the item of a stream, and the stream as it is stored.
func encodeEnded(ended ledger.Ended) (item, ledger.Ended, error) {
	summary := compress(ended.Summary)
	for senders := ledger.MaxSenders; ; senders /= 2 {
		if senders < ledger.MaxSenders {
			ended = reduced(ended, senders)
		}
		rest := ended
		rest.Summary = nil // it is stored byte for byte
		record, err := json.Marshal(rest)
		if err != nil {
			return nil, ended, err
		}
		if record = compress(record); len(record)+len(summary) <= maxEnded || senders == 0 {
			encoded := endedKey(ended.RoomID, ended.StreamID).item()
			encoded["record"] = &types.AttributeValueMemberB{Value: record}
			encoded["summary"] = &types.AttributeValueMemberB{Value: summary}
			encoded["expires_at"] = number(ended.Expires.Unix())
			return encoded, ended, nil
		}
	}
}

// reduced returns a stream with at most n senders in each ranking and 100 n kinds of gifts: the first ones, which gave or brought
// most. The sums stay those of all.
func reduced(ended ledger.Ended, n int) ledger.Ended {
	senders := make([]ledger.Ranking, len(ended.Senders))
	for i, ranking := range ended.Senders {
		senders[i] = ranking.Top(n)
	}
	ended.Senders = senders
	ended.Gifts = ended.Gifts[:min(len(ended.Gifts), n*100)]
	return ended
}

func decodeEnded(stored item) (ledger.Ended, error) {
	var ended ledger.Ended
	record, recordErr := decompress(bytesOf(stored, "record"))
	summary, summaryErr := decompress(bytesOf(stored, "summary"))
	err := errors.Join(recordErr, summaryErr)
	if err == nil {
		err = json.Unmarshal(record, &ended)
	}
	if err != nil {
		key := keyOf(stored)
		return ended, fmt.Errorf("the item %s, %s in DynamoDB is not valid: %w", key.pk, key.sk, err)
	}
	ended.Summary, ended.Expires = summary, expiryOf(stored)
	if taken, ok := stored["taken"].(*types.AttributeValueMemberSS); ok {
		ended.Taken = taken.Value
	}
	return ended, nil
}

// compress cannot fail: it writes to memory.
func compress(data []byte) []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write(data)
	writer.Close()
	return packed.Bytes()
}

func decompress(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}
