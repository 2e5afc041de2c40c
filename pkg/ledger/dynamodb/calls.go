package dynamodb

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/pkg/retry"
)

// Limits of the batch calls.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
)

const (
	batchAttempts   = 6 // without any progress
	batchDelay      = 25 * time.Millisecond
	parallelBatches = 4 // batches that are read concurrently
)

// get reads items, as they are after all writes that have returned before. Keys may repeat. What is not stored is not in the result.
func (s *Store) get(ctx context.Context, keys []itemKey) (map[itemKey]item, error) {
	unique := map[itemKey]bool{} // a batch with a key twice is refused
	for _, key := range keys {
		unique[key] = true
	}
	found := make(map[itemKey]item, len(unique))
	if len(unique) == 1 {
		answer, err := s.client().GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: keys[0].item(), ConsistentRead: aws.Bool(true)})
		if err != nil {
			return nil, err
		}
		found[keys[0]] = answer.Item
		return found, nil
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelBatches)
	for batch := range slices.Chunk(slices.Collect(maps.Keys(unique)), maxBatchGet) {
		group.Go(func() error {
			items, err := s.getBatch(ctx, batch)
			mu.Lock()
			defer mu.Unlock()
			for _, stored := range items {
				found[keyOf(stored)] = stored
			}
			return err
		})
	}
	return found, group.Wait()
}

func (s *Store) getBatch(ctx context.Context, batch []itemKey) ([]item, error) {
	pending := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, key := range batch {
		pending.Keys = append(pending.Keys, key.item())
	}
	var found []item
	err := untilProcessed(ctx, len(batch), func() (int, error) {
		answer, err := s.client().BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: pending},
		})
		if err != nil {
			return 0, err
		}
		found = append(found, answer.Responses[s.table]...)
		pending = answer.UnprocessedKeys[s.table]
		return len(pending.Keys), nil
	})
	return found, err
}

// put stores items. All of them have different keys.
func (s *Store) put(ctx context.Context, items []item) error {
	for batch := range slices.Chunk(items, maxBatchWrite) {
		var pending []types.WriteRequest
		for _, stored := range batch {
			pending = append(pending, types.WriteRequest{PutRequest: &types.PutRequest{Item: stored}})
		}
		err := untilProcessed(ctx, len(batch), func() (int, error) {
			answer, err := s.client().BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{s.table: pending},
			})
			if err != nil {
				return 0, err
			}
			pending = answer.UnprocessedItems[s.table]
			return len(pending), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// untilProcessed makes a call until DynamoDB has processed all of it. The call returns how many entries are left.
func untilProcessed(ctx context.Context, n int, call func() (left int, err error)) error {
	backOff := retry.Backoff{First: batchDelay}
	for attempt := 1; ; attempt++ {
		left, err := call()
		if left == 0 || err != nil {
			return err
		}
		if left < n {
			n, attempt = left, 1
		}
		if attempt == batchAttempts || !backOff.Wait(ctx, attempt, 0, 0) {
			return fmt.Errorf("%d entries of a batch were not processed: the table is throttled", left)
		}
	}
}

// query yields the pages of a query.
func (s *Store) query(ctx context.Context, input *dynamodb.QueryInput) iter.Seq2[[]item, error] {
	input.TableName = &s.table
	return func(yield func([]item, error) bool) {
		for {
			answer, err := s.client().Query(ctx, input)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(answer.Items, nil) || len(answer.LastEvaluatedKey) == 0 {
				return
			}
			input.ExclusiveStartKey = answer.LastEvaluatedKey
		}
	}
}
