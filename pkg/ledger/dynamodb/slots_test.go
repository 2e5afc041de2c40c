package dynamodb_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

func TestSlots(t *testing.T) {
	clock := ledgertest.NewClock()
	ledgertest.TestSlotsInTime(t, newStore(t, start(t), clock.Now), clock.Set)
}

// A write costs money: there is one for each reservation, and two after a pause.
func TestSlotsWrites(t *testing.T) {
	cloud, clock := start(t), ledgertest.NewClock()
	store := newStore(t, cloud, clock.Now)
	for i, test := range []struct {
		name   string
		at     time.Duration
		taken  bool
		writes int
	}{
		{name: "the first ever", taken: true, writes: 2},
		{name: "in use", taken: true, writes: 1},
		{name: "all taken", writes: 1},
		{name: "after a pause", at: time.Minute, taken: true, writes: 2},
	} {
		clock.Set(ledgertest.Start.Add(test.at))
		before := cloud.Calls("UpdateItem")
		_, taken, err := store.ReserveSlots(t.Context(), 1, time.Second, 1500*time.Millisecond)
		if err != nil || taken != test.taken {
			t.Errorf("%d, %s: ReserveSlots returned %v, %v", i, test.name, taken, err)
		}
		if writes := cloud.Calls("UpdateItem") - before; writes != test.writes {
			t.Errorf("%s: %d writes, want %d", test.name, writes, test.writes)
		}
	}
	if items := cloud.Items(table, "rate#"); items != 1 {
		t.Errorf("%d items, want 1", items)
	}
}

// A value that is not a time of the near future does not count, and is replaced: each reservation begins behind the one before.
func TestSlotsReplaceWhatIsNotATime(t *testing.T) {
	key := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "rate#shared"}, "sk": &types.AttributeValueMemberS{Value: "slots"},
	}
	for name, value := range map[string]types.AttributeValue{
		"a text": &types.AttributeValueMemberS{Value: "soon"}, "null": &types.AttributeValueMemberNULL{Value: true},
		"before 1970": &types.AttributeValueMemberN{Value: "-1"}, "a huge number": &types.AttributeValueMemberN{Value: "1E120"},
		"nothing": nil,
	} {
		cloud, clock := start(t), ledgertest.NewClock()
		item := maps.Clone(key)
		if value != nil {
			item["free_us"] = value
		}
		config, err := awsenv.New(cloud.Lookup).Config("DynamoDB", "")
		if err == nil {
			_, err = sdk.NewFromConfig(config).PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(table), Item: item})
		}
		if err != nil {
			t.Fatal(err)
		}
		store := newStore(t, cloud, clock.Now)
		for _, want := range []time.Time{ledgertest.Start, ledgertest.Start.Add(100 * time.Millisecond)} {
			first, taken, err := store.ReserveSlots(t.Context(), 10, 10*time.Millisecond, time.Second)
			if err != nil || !taken || !first.Equal(want) {
				t.Errorf("after %s, the first slot is at %v (%v, %v), want %v", name, first, taken, err, want)
			}
		}
	}
}
