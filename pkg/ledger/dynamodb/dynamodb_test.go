package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

const table = "giftstats"

// start starts a cloud with an empty table.
func start(t *testing.T) *awsapi.Server {
	t.Helper()
	cloud := awsapi.New(awsapi.Config{})
	t.Cleanup(cloud.Close)
	cloud.CreateTable(table, map[string]string{"open": "open"})
	return cloud
}

func newStore(t *testing.T, cloud *awsapi.Server, now func() time.Time) *dynamodb.Store {
	t.Helper()
	return withEnvironment(t, cloud.Lookup, now)
}

func withEnvironment(t *testing.T, lookup func(string) string, now func() time.Time) *dynamodb.Store {
	t.Helper()
	store, err := dynamodb.New(dynamodb.Config{Table: table, Environment: awsenv.New(lookup), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestStore(t *testing.T) {
	for name, prepare := range map[string]func(*awsapi.Server){
		"whole answers":   func(*awsapi.Server) {},
		"small pages":     func(cloud *awsapi.Server) { cloud.LimitPages(3) },
		"busy partitions": func(cloud *awsapi.Server) { cloud.LimitBatches(7) },
		"lost answers":    loseAnswers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledgertest.Test(t, func(t *testing.T, now func() time.Time) ledger.Store {
				cloud := start(t)
				prepare(cloud)
				return withEnvironment(t, func(name string) string {
					if name == "AWS_MAX_ATTEMPTS" {
						return "10" // of concurrent calls, one may be hit by all faults that the test has prepared
					}
					return cloud.Lookup(name)
				}, now)
			})
		})
	}
}

// loseAnswers lets two calls of each kind be carried out without an answer. There are no more of them, because the SDK makes three
// attempts, and one of several concurrent callers may get all of the faults. Calls to delete a room are left out: see
// TestLostAnswerToADeletion.
func loseAnswers(cloud *awsapi.Server) {
	for _, action := range []string{"PutItem", "UpdateItem", "GetItem", "Query", "BatchGetItem", "BatchWriteItem"} {
		for range 2 {
			cloud.Misbehave(awsapi.Fault{Action: action, Skip: 1, Lost: true})
		}
	}
}

func TestNew(t *testing.T) {
	region := map[string]string{"AWS_REGION": "eu-west-1"}
	for _, test := range []struct {
		name        string
		config      dynamodb.Config
		environment map[string]string
		want        string // part of the error; "" for none
	}{
		{name: "complete", config: dynamodb.Config{Table: table, Now: time.Now}, environment: region},
		{name: "no table", config: dynamodb.Config{Now: time.Now}, environment: region, want: "the table's name is missing"},
		{name: "no clock", config: dynamodb.Config{Table: table}, environment: region, want: "a clock is required"},
		{name: "no region", config: dynamodb.Config{Table: table, Now: time.Now}, want: "set AWS_REGION"},
		{
			name: "open endpoint", config: dynamodb.Config{Table: table, Now: time.Now, Endpoint: "http://dynamodb.example"}, environment: region,
			want: "must start with https://",
		},
		{
			name: "open endpoint in a variable", config: dynamodb.Config{Table: table, Now: time.Now},
			environment: map[string]string{"AWS_REGION": "x", "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.example"},
			want:        "AWS_ENDPOINT_URL_DYNAMODB must start with https://",
		},
		{
			name: "adaptive retries", config: dynamodb.Config{Table: table, Now: time.Now},
			environment: map[string]string{"AWS_REGION": "x", "AWS_RETRY_MODE": "adaptive"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.config.Environment = awsenv.New(func(name string) string { return test.environment[name] })
			_, err := dynamodb.New(test.config)
			if got := fmt.Sprint(err); !strings.Contains(got, test.want) || test.want == "" && err != nil {
				t.Errorf("New returned %v, want %q", err, test.want)
			}
		})
	}
}

func ExampleNew() {
	cloud := awsapi.New(awsapi.Config{})
	defer cloud.Close()
	cloud.CreateTable("giftstats", map[string]string{"open": "open"})
	_, err := dynamodb.New(dynamodb.Config{
		Table:       "giftstats",
		Environment: awsenv.New(cloud.Lookup), // os.Getenv in a function
		Now:         time.Now,
	})
	fmt.Println(err)
	// Output: <nil>
}
