//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/giftstats/giftstats/pkg/ledger"
	ledgerdynamodb "github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// The ledger in moto's DynamoDB, which reads expressions and checks reserved words as AWS does.
func TestLedgerInDynamoDB(t *testing.T) {
	cloud := newCloud(t)
	cloud.environment["AWS_ENDPOINT_URL_DYNAMODB"] = oneByOne(t, cloud.environment["AWS_ENDPOINT_URL"])
	tables := 0
	ledgertest.Test(t, func(t *testing.T, now func() time.Time) ledger.Store {
		tables++
		name := fmt.Sprintf("giftstats-%d", tables)
		cloud.createTable(t, name)
		store, err := ledgerdynamodb.New(ledgerdynamodb.Config{Table: name, Environment: cloud.from(), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

// oneByOne passes requests on one after the other, and returns its URL. A conditional update of DynamoDB is atomic, but moto checks the
// condition and writes in two steps, between which another request may write.
func oneByOne(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// createTable makes a table for the ledger, as template.yaml does.
func (c cloud) createTable(t *testing.T, name string) {
	t.Helper()
	config, err := c.from().Config("DYNAMODB", "")
	if err != nil {
		t.Fatal(err)
	}
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	var attributes []types.AttributeDefinition
	for _, name := range []string{"pk", "sk", "open"} {
		attributes = append(attributes, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	_, err = dynamodb.NewFromConfig(config).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: attributes,
		KeySchema: []types.KeySchemaElement{key("pk", types.KeyTypeHash), key("sk", types.KeyTypeRange)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("open"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema: []types.KeySchemaElement{key("open", types.KeyTypeHash), key("pk", types.KeyTypeRange)},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
