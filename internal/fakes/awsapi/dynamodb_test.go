package awsapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
)

// dynamodb sends one call to a server and returns the answer.
func dynamodb(t *testing.T, server *awsapi.Server, action, body string) reply {
	t.Helper()
	return newCall(server, "DynamoDB_20120810."+action, "dynamodb", "application/x-amz-json-1.0", body).send(t, server)
}

// withTable returns a server with the items a/1 to a/4 in a table, with n 1 to 4.
func withTable(t *testing.T) *awsapi.Server {
	t.Helper()
	server := start(t)
	server.CreateTable("t", map[string]string{"open": "open"})
	for n := 1; n <= 4; n++ {
		body := fmt.Sprintf(`{"TableName":"t","Item":{"pk":{"S":"a"},"sk":{"S":"%d"},"n":{"N":"%d"},"open":{"S":"%d"}}}`, n, n, n%2)
		if got := dynamodb(t, server, "PutItem", body); got.status != 200 {
			t.Fatalf("answer %d %v", got.status, got.body)
		}
	}
	return server
}

const (
	conditionFailed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
	validation      = "com.amazon.coral.validate#ValidationException"
)

func TestDynamoDBItems(t *testing.T) {
	t.Parallel()
	const first = `"pk":{"S":"a"},"sk":{"S":"1"}`
	for _, test := range []struct{ name, action, body, code, want string }{
		{name: "get", action: "GetItem", body: `"Key":{` + first + `}`, want: "map[Item:map[n:map[N:1] open:map[S:1] pk:map[S:a] sk:map[S:1]]]"},
		{name: "get parts", action: "GetItem", body: `"Key":{` + first + `},"ProjectionExpression":"n, x"`, want: "map[Item:map[n:map[N:1]]]"},
		{name: "get nothing", action: "GetItem", body: `"Key":{"pk":{"S":"a"},"sk":{"S":"9"}}`, want: "map[]"},
		{name: "get with half a key", action: "GetItem", body: `"Key":{"pk":{"S":"a"}}`, code: validation},
		{name: "get with more than a key", action: "GetItem", body: `"Key":{` + first + `,"n":{"N":"1"}}`, code: validation},
		{name: "put", action: "PutItem", body: `"Item":{` + first + `}`, want: "map[]"},
		{name: "put without a key", action: "PutItem", body: `"Item":{"n":{"N":"1"}}`, code: validation},
		{
			name: "put 400 KB", action: "PutItem", code: validation,
			body: `"Item":{` + first + `,"x":{"S":"` + strings.Repeat("x", 400<<10) + `"}}`,
		},
		{
			name: "put if new", action: "PutItem", code: conditionFailed,
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_not_exists(pk)"`,
		},
		{
			name: "put if old or less", action: "PutItem", want: "map[]",
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_not_exists(pk) OR n < :n",` +
				`"ExpressionAttributeValues":{":n":{"N":"10"}}`,
		},
		{
			name: "put if new, and return the old one", action: "PutItem", code: conditionFailed,
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_not_exists(pk)",` +
				`"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`,
		},
		{name: "delete", action: "DeleteItem", body: `"Key":{` + first + `},"ConditionExpression":"attribute_exists(pk)"`, want: "map[]"},
		{
			name: "delete if more", action: "DeleteItem", code: conditionFailed,
			body: `"Key":{` + first + `},"ConditionExpression":"(n > :n)","ExpressionAttributeValues":{":n":{"N":"1"}}`,
		},
		{
			name: "add to a set", action: "UpdateItem", want: "map[]",
			body: `"Key":{` + first + `},"UpdateExpression":"ADD x :x","ExpressionAttributeValues":{":x":{"SS":["b"]}}`,
		},
		{
			name: "add to a number", action: "UpdateItem", want: "map[Attributes:map[n:map[N:1]]]",
			body: `"Key":{` + first + `},"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"2"}},` +
				`"ReturnValues":"UPDATED_OLD"`,
		},
		{
			name: "add to a number that is missing", action: "UpdateItem", want: "map[]",
			body: `"Key":{` + first + `},"UpdateExpression":"ADD m :n","ExpressionAttributeValues":{":n":{"N":"2"}},` +
				`"ReturnValues":"UPDATED_OLD"`,
		},
		{
			name: "set a number", action: "UpdateItem", want: "map[Attributes:map[n:map[N:1]]]",
			body: `"Key":{` + first + `},"UpdateExpression":"SET n = :n","ExpressionAttributeValues":{":n":{"N":"2"}},` +
				`"ReturnValues":"UPDATED_OLD"`,
		},
		{
			name: "set a reserved word", action: "UpdateItem", code: validation,
			body: `"Key":{` + first + `},"UpdateExpression":"SET open = :n","ExpressionAttributeValues":{":n":{"N":"2"}}`,
		},
		{
			name: "another update", action: "UpdateItem", code: validation,
			body: `"Key":{` + first + `},"UpdateExpression":"REMOVE x"`,
		},
		{
			name: "a value that is not used", action: "PutItem", code: validation,
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":x":{"S":"b"}}`,
		},
		{
			name: "a name that is not used", action: "PutItem", code: validation,
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_exists(pk)","ExpressionAttributeNames":{"#x":"b"}`,
		},
		{name: "a value that is missing", action: "PutItem", code: validation, body: `"Item":{` + first + `},"ConditionExpression":"pk = :x"`},
		{
			name: "a reserved word", action: "PutItem", code: validation,
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_exists(open)"`,
		},
		{
			name: "a mistake", action: "PutItem", code: validation,
			body: `"Item":{` + first + `},"ConditionExpression":"attribute_exists(pk) AND"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := dynamodb(t, withTable(t), test.action, `{"TableName":"t",`+test.body+`}`)
			if got.code() != test.code || (test.code == "") != (got.status == 200) {
				t.Fatalf("answer %d %v, want %q", got.status, got.body, test.code)
			}
			if test.code == "" && fmt.Sprint(got.body) != test.want {
				t.Errorf("answer %v, want %s", got.body, test.want)
			}
			if returned := got.body["Item"] != nil; test.code != "" && returned != strings.Contains(test.body, "ALL_OLD") {
				t.Errorf("answer %v", got.body)
			}
		})
	}
	got := dynamodb(t, start(t), "GetItem", `{"TableName":"t","Key":{`+first+`}}`)
	if !strings.HasSuffix(got.code(), "ResourceNotFoundException") {
		t.Errorf("without a table: answer %d %v", got.status, got.body)
	}
}

func TestDynamoDBQuery(t *testing.T) {
	t.Parallel()
	const between = `"KeyConditionExpression":"pk = :a AND sk BETWEEN :low AND :high",`
	values := func(low, high string) string {
		return `"ExpressionAttributeValues":{":a":{"S":"a"},":low":{"S":"` + low + `"},":high":{"S":"` + high + `"}}`
	}
	for _, test := range []struct {
		name, body, code string
		pages            int
		want             string // sort keys
		more             bool
	}{
		{name: "all", body: between + values("0", "9"), want: "1234"},
		{name: "some", body: between + values("2", "3"), want: "23"},
		{name: "bounds between keys", body: between + values("15", "35"), want: "23"},
		{name: "bounds after all keys", body: between + values("5", "9"), want: ""},
		{name: "backwards", body: between + values("0", "9") + `,"ScanIndexForward":false`, want: "4321"},
		{name: "limit", body: between + values("0", "9") + `,"Limit":3`, want: "123", more: true},
		{name: "small pages", body: between + values("0", "9") + `,"Limit":3`, pages: 2, want: "12", more: true},
		{name: "limit that is just reached", body: between + values("0", "9") + `,"Limit":4`, want: "1234", more: true},
		{name: "next page", body: between + values("0", "9") + `,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"2"}}`, want: "34"},
		{
			name: "next page backwards", want: "1",
			body: between + values("0", "9") + `,"ScanIndexForward":false,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"2"}}`,
		},
		{
			name: "filter, which the limit does not look at", want: "3", more: true,
			body: strings.Replace(between+values("0", "9"), `"}}`, `"},":n":{"N":"2"}}`, 1) + `,"FilterExpression":"n > :n","Limit":3`,
		},
		{name: "bounds in the wrong order", body: between + values("3", "2"), code: validation},
		{
			name: "index", want: "13",
			body: `"IndexName":"open","KeyConditionExpression":"#o = :o","ExpressionAttributeNames":{"#o":"open"},` +
				`"ExpressionAttributeValues":{":o":{"S":"1"}}`,
		},
		{
			name: "consistent read of an index", code: validation,
			body: `"IndexName":"open","ConsistentRead":true,"KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		},
		{
			name: "no such index", code: validation,
			body: `"IndexName":"other","KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := withTable(t)
			server.LimitPages(test.pages)
			got := dynamodb(t, server, "Query", `{"TableName":"t",`+test.body+`}`)
			if got.code() != test.code {
				t.Fatalf("answer %d %v, want %q", got.status, got.body, test.code)
			}
			items, _ := got.body["Items"].([]any)
			keys := ""
			for _, item := range items {
				keys += item.(map[string]any)["sk"].(map[string]any)["S"].(string)
			}
			if keys != test.want {
				t.Errorf("items %s, want %s", keys, test.want)
			}
			if more := got.body["LastEvaluatedKey"] != nil; more != test.more {
				t.Errorf("the last key is %v", got.body["LastEvaluatedKey"])
			}
		})
	}
}

func TestDynamoDBBatches(t *testing.T) {
	t.Parallel()
	key := func(n int) string { return fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"S":"%d"}}`, n) }
	keys := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, key(i))
		}
		return strings.Join(all, ",")
	}
	for _, test := range []struct {
		name, action, body, code string
		limit                    int
		left                     int // entries that were not processed
	}{
		{name: "get", action: "BatchGetItem", body: `{"Keys":[` + keys(100) + `]}`},
		{name: "get too many", action: "BatchGetItem", body: `{"Keys":[` + keys(101) + `]}`, code: validation},
		{name: "get one twice", action: "BatchGetItem", body: `{"Keys":[` + key(1) + `,` + key(1) + `]}`, code: validation},
		{name: "get nothing", action: "BatchGetItem", body: `{"Keys":[]}`, code: validation},
		{name: "get some", action: "BatchGetItem", body: `{"Keys":[` + keys(5) + `]}`, limit: 3, left: 2},
		{name: "get none", action: "BatchGetItem", body: `{"Keys":[` + keys(5) + `]}`, limit: -1, left: 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := withTable(t)
			server.LimitBatches(test.limit)
			got := dynamodb(t, server, test.action, `{"RequestItems":{"t":`+test.body+`}}`)
			if got.code() != test.code {
				t.Fatalf("answer %d %v, want %q", got.status, got.body, test.code)
			}
			unprocessed, _ := got.body["UnprocessedKeys"].(map[string]any)
			left := 0
			if of, ok := unprocessed["t"].(map[string]any); ok {
				left = len(of["Keys"].([]any))
			}
			if left != test.left {
				t.Errorf("%d entries are left, want %d", left, test.left)
			}
		})
	}
}

func TestDynamoDBBatchWrite(t *testing.T) {
	t.Parallel()
	put := func(n int) string { return fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"b"},"sk":{"S":"%d"}}}}`, n) }
	puts := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, put(i))
		}
		return strings.Join(all, ",")
	}
	for _, test := range []struct {
		name, body, code string
		limit            int
		stored           int
	}{
		{name: "all", body: puts(25), stored: 25},
		{name: "too many", body: puts(26), code: validation},
		{name: "one twice", body: put(1) + "," + put(1), code: validation},
		{name: "some", body: puts(5), limit: 3, stored: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := withTable(t)
			server.LimitBatches(test.limit)
			got := dynamodb(t, server, "BatchWriteItem", `{"RequestItems":{"t":[`+test.body+`]}}`)
			if got.code() != test.code {
				t.Fatalf("answer %d %v, want %q", got.status, got.body, test.code)
			}
			if stored := server.Items("t", "b"); stored != test.stored {
				t.Errorf("%d items are stored, want %d", stored, test.stored)
			}
			if left := strings.Contains(fmt.Sprint(got.body["UnprocessedItems"]), "PutRequest"); left != (test.limit > 0) {
				t.Errorf("answer %v", got.body)
			}
		})
	}
}

// An answer of Query has at most 1 MB. The next one goes on after its last item, and sees what was written since.
func TestDynamoDBPages(t *testing.T) {
	t.Parallel()
	server := withTable(t)
	const query = `{"TableName":"t","KeyConditionExpression":"pk = :pk","ExpressionAttributeValues":{":pk":{"S":"b"}},` +
		`"ProjectionExpression":"sk"%s}`
	put := func(sk string) {
		body := fmt.Sprintf(`{"TableName":"t","Item":{"pk":{"S":"b"},"sk":{"S":%q},"x":{"S":%q}}}`, sk, strings.Repeat("x", 390<<10))
		if got := dynamodb(t, server, "PutItem", body); got.status != 200 {
			t.Fatalf("answer %d %v", got.status, got.body)
		}
	}
	for _, sk := range []string{"1", "2", "3"} {
		put(sk)
	}
	first := dynamodb(t, server, "Query", fmt.Sprintf(query, ""))
	want := "map[Count:2 Items:[map[sk:map[S:1]] map[sk:map[S:2]]] LastEvaluatedKey:map[pk:map[S:b] sk:map[S:2]]]"
	if got := fmt.Sprint(first.body); got != want {
		t.Errorf("first page: %s, want %s", got, want)
	}
	put("4")
	second := dynamodb(t, server, "Query", fmt.Sprintf(query, `,"ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"S":"2"}}`))
	if got, want := fmt.Sprint(second.body), "map[Count:2 Items:[map[sk:map[S:3]] map[sk:map[S:4]]]]"; got != want {
		t.Errorf("second page: %s, want %s", got, want)
	}
}
