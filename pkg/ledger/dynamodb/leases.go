package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func leaseKey(name string) itemKey { return itemKey{"lease#" + name, "lease"} }

// Lease implements ledger.Store.
func (s *Store) Lease(ctx context.Context, name, holder string, until time.Time) (bool, error) {
	lease := leaseKey(name).item()
	lease["holder"] = text(holder)
	lease["until_ms"] = number(until.UnixMilli()) // expires_at has whole seconds only
	lease["expires_at"] = number(until.Unix() + 1)
	_, err := s.client().PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: lease,
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR holder = :holder OR until_ms <= :now"),
		ExpressionAttributeValues: item{":holder": text(holder), ":now": number(s.now().UnixMilli())},
	})
	if _, ok := refused(err); ok {
		return false, nil
	}
	return err == nil, s.failed(ctx, "take the lease "+name, err)
}

// Release implements ledger.Store.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	_, err := s.client().DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: leaseKey(name).item(),
		ConditionExpression: aws.String("holder = :holder"), ExpressionAttributeValues: item{":holder": text(holder)},
	})
	if _, ok := refused(err); ok {
		return nil
	}
	return s.failed(ctx, "release the lease "+name, err)
}
