// Package dynamodb keeps the ledger in a table of Amazon DynamoDB.
//
// The table has the string keys pk and sk, its time to live in expires_at (Unix seconds), and a sparse index named open with the
// partition key open and the sort key pk, which holds the keys only:
//
//	pk                     sk                      what
//	room#ROOM              room                    the open streams of a room; in the index open
//	gifts#ROOM#SHARD       MILLISECONDS#ID         one gift
//	ended#ROOM             STREAM                  an ended stream
//	list#all               POSITION                a pointer to an ended stream
//	list#room#ROOM         POSITION                the same, by room
//	list#account#ACCOUNT   POSITION                the same, by account
//	lease#NAME             lease                   a lease
//	rate#shared            slots                   the end of the slots of the shared rate that are taken
//
// DynamoDB deletes expired items late, so every read leaves them out by its own clock. Every write may be repeated: the SDK does it
// when an answer is lost.
//
// Errors name the table, the error code of AWS and what to change. They hold nothing of the credentials.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/ledger"
)

const (
	firstDelay = 25 * time.Millisecond // upper bound of the wait before the second attempt; it doubles with each further one
	shards     = 8                     // partitions that a hot room's gifts, and the list of open rooms, are spread over
)

// Config of a [Store]. Table and Now are required.
type Config struct {
	Table       string
	Endpoint    string // default: AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, the region's own
	Environment awsenv.Environment
	Now         func() time.Time
}

// Store is a ledger.Store.
type Store struct {
	table       string
	environment awsenv.Environment
	now         func() time.Time
	client      func() *dynamodb.Client // made by the first call: the start of a process need not wait for it
}

var _ ledger.Store = (*Store)(nil)

// New checks the configuration. It sends nothing.
func New(config Config) (*Store, error) {
	switch {
	case config.Table == "":
		return nil, errors.New("ledger in DynamoDB: the table's name is missing")
	case config.Now == nil:
		return nil, errors.New("ledger in DynamoDB: a clock is required")
	}
	cloud, err := config.Environment.Config("DYNAMODB", config.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("ledger in DynamoDB: %w", err)
	}
	if cloud.Region == "" {
		return nil, errors.New("ledger in DynamoDB: no region is known: set AWS_REGION")
	}
	cloud.Retryer = func() aws.Retryer { return newRetryer(cloud.RetryMode) }
	client := sync.OnceValue(func() *dynamodb.Client { return dynamodb.NewFromConfig(cloud) })
	return &Store{config.Table, config.Environment, config.Now, client}, nil
}

// newRetryer returns the SDK's retryer with short waits. Those of the SDK begin at a second, which is all the time that the webhook
// of a gift has.
func newRetryer(mode aws.RetryMode) aws.Retryer {
	standard := func(options *retry.StandardOptions) {
		options.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return rand.N(firstDelay << min(attempt, 6)), nil
		})
	}
	if mode == aws.RetryModeAdaptive {
		return retry.NewAdaptiveMode(func(options *retry.AdaptiveModeOptions) {
			options.StandardOptions = append(options.StandardOptions, standard)
		})
	}
	return retry.NewStandard(standard)
}

// failed explains an error of the SDK. A nil err stays nil.
func (s *Store) failed(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s in the DynamoDB table %s: %w", doing, s.table, s.environment.Explain(ctx, err, advice))
}

// advice says what to do about the errors that a wrong set-up gives.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func advice(code string) string {
	switch code {
	case "ResourceNotFoundException":
		return "check the table's name, the region and the account"
	case "AccessDeniedException":
		return "the function's role needs this action on the table, and dynamodb:Query on its index open"
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		return "the table is throttled: check its billing mode (on-demand) and its maximum throughput"
	}
	return ""
}

// item is what DynamoDB stores: attributes by name.
type item = map[string]types.AttributeValue

// itemKey is the primary key of an item.
type itemKey struct{ pk, sk string }

func (k itemKey) item() item { return item{"pk": text(k.pk), "sk": text(k.sk)} }

func keyOf(i item) itemKey { return itemKey{textOf(i, "pk"), textOf(i, "sk")} }

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}

// textOf returns an attribute; empty if the item does not have it.
func textOf(i item, name string) string {
	value, _ := i[name].(*types.AttributeValueMemberS)
	if value == nil {
		return ""
	}
	return value.Value
}

func bytesOf(i item, name string) []byte {
	value, _ := i[name].(*types.AttributeValueMemberB)
	if value == nil {
		return nil
	}
	return value.Value
}

// numberOf returns an attribute; false if the item does not have it, or not as a whole number.
func numberOf(i item, name string) (int64, bool) {
	value, _ := i[name].(*types.AttributeValueMemberN)
	if value == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(value.Value, 10, 64)
	return n, err == nil
}

// expiryOf returns when an item expires; the zero time if it does not say so.
func expiryOf(i item) time.Time {
	seconds, ok := numberOf(i, "expires_at")
	if !ok {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// live reports whether an item is there and has not expired.
func (s *Store) live(i item) bool { return len(i) > 0 && expiryOf(i).After(s.now()) }

// refused returns the stored item if a condition was not met.
func refused(err error) (stored item, ok bool) {
	var failure *types.ConditionalCheckFailedException
	if !errors.As(err, &failure) {
		return nil, false
	}
	return failure.Item, true
}

// shardOf spreads ids evenly over the shards.
func shardOf(id string) int {
	hash := fnv.New32a()
	hash.Write([]byte(id)) // never fails
	return int(hash.Sum32() % shards)
}
