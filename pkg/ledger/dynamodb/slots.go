package dynamodb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/giftstats/giftstats/pkg/ledger"
)

// slotsKey is the key of the item of the shared rate. It has one attribute, free_us: the end of the slots that are taken.
var slotsKey = itemKey{"rate#shared", "slots"}

// slotAttempts is how often other instances may be faster. It happens only to the first ones after a pause.
const slotAttempts = 4

// ReserveSlots implements ledger.Store. It makes one write while slots are in use, and two after a pause. The clocks of the instances
// should agree.
func (s *Store) ReserveSlots(ctx context.Context, n int, apart, within time.Duration) (time.Time, bool, error) {
	const doing = "reserve slots of the shared rate"
	length := time.Duration(n) * apart
	for range slotAttempts {
		now := s.now()
		stored, taken, err := s.updateSlots(ctx, "ADD free_us :length", "free_us BETWEEN :now AND :latest", item{
			":length": number(length.Microseconds()), ":now": number(now.UnixMicro()), ":latest": number(now.Add(within).UnixMicro()),
		})
		if err != nil {
			return time.Time{}, false, s.failed(ctx, doing, err)
		}
		microseconds, found := numberOf(stored, "free_us")
		free := time.UnixMicro(microseconds)
		if taken || found && free.After(now) && free.Sub(now) <= ledger.MaxSlotsAhead {
			return free, taken, nil
		}
		_, taken, err = s.updateSlots(ctx, "SET free_us = :end", "attribute_not_exists(pk) OR NOT free_us BETWEEN :now AND :most", item{
			":end": number(now.Add(length).UnixMicro()), ":now": number(now.UnixMicro()),
			":most": number(now.Add(ledger.MaxSlotsAhead).UnixMicro()),
		})
		if err != nil || taken {
			return now, taken, s.failed(ctx, doing, err)
		}
	}
	return time.Time{}, false, s.failed(ctx, doing, errors.New("other instances were always faster"))
}

// updateSlots changes the item of the shared rate if it meets the condition, and returns it as it was before.
func (s *Store) updateSlots(ctx context.Context, update, condition string, values item) (before item, met bool, err error) {
	answer, err := s.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: slotsKey.item(), UpdateExpression: &update, ConditionExpression: aws.String(condition),
		ExpressionAttributeValues: values, ReturnValues: types.ReturnValueUpdatedOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if stored, ok := refused(err); ok {
		return stored, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return answer.Attributes, true, nil
}
