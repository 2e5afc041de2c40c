package awsapi

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits of DynamoDB.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxItem       = 400 << 10 // bytes
	maxBatchGet   = 100       // keys
	maxBatchWrite = 25        // items
	maxPage       = 1 << 20   // bytes of an answer of Query
)

// item is a stored item, or its key: attributes by name.
type item map[string]attribute

// attribute is a value: a string, a number, bytes or a set of strings.
type attribute struct {
	S  *string  `json:",omitempty"`
	N  *string  `json:",omitempty"`
	B  *[]byte  `json:",omitempty"`
	SS []string `json:",omitempty"`
}

func (a attribute) text() string {
	if a.S == nil {
		return ""
	}
	return *a.S
}

func (a attribute) size() int {
	size := len(a.text())
	if a.N != nil {
		size += len(*a.N)
	}
	if a.B != nil {
		size += len(*a.B)
	}
	for _, element := range a.SS {
		size += len(element)
	}
	return size
}

func (i item) size() int {
	size := 0
	for name, value := range i {
		size += len(name) + value.size()
	}
	return size
}

type tableKey struct{ pk, sk string }

// table has the string keys pk and sk.
type table struct {
	items   map[tableKey]item
	indexes map[string]string // partition keys by name; their sort key is pk, and they hold the keys only
	kept    map[string][]item // results of sorted
}

// CreateTable creates a DynamoDB table with the string keys pk and sk. Its indexes have the given partition keys and the sort key pk,
// and hold keys only.
func (s *Server) CreateTable(name string, indexes map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[name] = &table{map[tableKey]item{}, maps.Clone(indexes), map[string][]item{}}
}

// LimitPages sets how many items an answer of Query has at most; 0 removes the limit.
func (s *Server) LimitPages(items int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageSize = items
}

// LimitBatches sets how many entries of a batch call to DynamoDB are processed at most, as when a table is throttled: none if entries
// is negative; 0 removes the limit.
func (s *Server) LimitBatches(entries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batchSize = entries
}

// Items returns how many items a table has whose partition key begins with a prefix.
func (s *Server) Items(name, prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for key := range s.tables[name].items {
		if strings.HasPrefix(key.pk, prefix) {
			count++
		}
	}
	return count
}

// tableInput is the input of the calls for one item, and of Query.
type tableInput struct {
	TableName string
	Item, Key item

	ConditionExpression, UpdateExpression                          string
	KeyConditionExpression, FilterExpression, ProjectionExpression string
	ExpressionAttributeNames                                       map[string]string
	ExpressionAttributeValues                                      item

	ReturnValues                        string
	ReturnValuesOnConditionCheckFailure string
	ConsistentRead                      bool
	IndexName                           string
	ScanIndexForward                    *bool
	Limit                               int
	ExclusiveStartKey                   item
}

func (s *Server) tableOperations() map[string]operation {
	operations := map[string]operation{}
	for name, serve := range map[string]func(*table, *tableInput, *expressions) (any, *failure){
		"PutItem": putItem, "GetItem": getItem, "DeleteItem": deleteItem, "UpdateItem": updateItem, "Query": s.query,
	} {
		operations["DynamoDB_20120810."+name] = operation{"dynamodb", name, "application/x-amz-json-1.0", func(body []byte) (any, *failure) {
			var input tableInput
			if failed := decode(body, &input); failed != nil {
				return nil, failed
			}
			t := s.tables[input.TableName]
			if t == nil {
				return nil, noTable()
			}
			expressions := newExpressions(&input)
			answer, failed := serve(t, &input, expressions)
			return answer, cmp.Or(expressions.failure(), failed)
		}}
	}
	for name, serve := range map[string]func(body []byte) (any, *failure){"BatchGetItem": s.batchGetItem, "BatchWriteItem": s.batchWriteItem} {
		operations["DynamoDB_20120810."+name] = operation{"dynamodb", name, "application/x-amz-json-1.0", serve}
	}
	return operations
}

func noTable() *failure {
	return &failure{status: 400, code: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", message: "Requested resource not found"}
}

func invalid(message string) *failure {
	return &failure{status: 400, code: "com.amazon.coral.validate#ValidationException", message: message}
}

// keyOf reads the key of an item; whole says that the item must contain only the key.
func keyOf(i item, whole bool) (tableKey, *failure) {
	key := tableKey{i["pk"].text(), i["sk"].text()}
	if key.pk == "" || key.sk == "" || len(key.pk) > 2048 || len(key.sk) > 1024 || whole && len(i) != 2 {
		return key, invalid("The provided key element does not match the schema")
	}
	return key, nil
}

// check returns a failure unless the stored item meets the condition of the call.
func check(stored item, input *tableInput, e *expressions) *failure {
	if input.ConditionExpression == "" || e.holds(input.ConditionExpression, stored) {
		return nil
	}
	failed := &failure{
		status: 400, code: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", message: "The conditional request failed",
	}
	if input.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
		failed.item = stored
	}
	return failed
}

// store checks the size of an item and stores it.
func (t *table) store(i item) *failure {
	key, failed := keyOf(i, false)
	if failed != nil {
		return failed
	}
	if i.size() > maxItem {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	t.items[key] = i
	t.written(key.pk)
	return nil
}

func putItem(t *table, input *tableInput, e *expressions) (any, *failure) {
	key, failed := keyOf(input.Item, false)
	if failed == nil {
		failed = check(t.items[key], input, e)
	}
	if failed != nil || e.err != "" {
		return nil, failed
	}
	return struct{}{}, t.store(input.Item)
}

func getItem(t *table, input *tableInput, e *expressions) (any, *failure) {
	key, failed := keyOf(input.Key, true)
	if failed != nil {
		return nil, failed
	}
	if stored := t.items[key]; stored != nil {
		return map[string]item{"Item": e.project(input.ProjectionExpression, stored)}, nil
	}
	return struct{}{}, nil
}

func deleteItem(t *table, input *tableInput, e *expressions) (any, *failure) {
	key, failed := keyOf(input.Key, true)
	if failed == nil {
		failed = check(t.items[key], input, e)
	}
	if failed != nil || e.err != "" {
		return nil, failed
	}
	delete(t.items, key)
	t.written(key.pk)
	return struct{}{}, nil
}

// updateItem knows two updates of one attribute: ADD name :value, of elements to a set or of a number, and SET name = :value.
func updateItem(t *table, input *tableInput, e *expressions) (any, *failure) {
	key, failed := keyOf(input.Key, true)
	if failed == nil {
		failed = check(t.items[key], input, e)
	}
	if failed != nil || e.err != "" {
		return nil, failed
	}
	words := strings.Fields(strings.ReplaceAll(input.UpdateExpression, " = ", " "))
	if len(words) != 3 || words[0] != "ADD" && words[0] != "SET" {
		return nil, invalid("Invalid UpdateExpression: the fake knows only ADD and SET of one attribute")
	}
	updated := maps.Clone(t.items[key])
	if updated == nil {
		updated = maps.Clone(input.Key)
	}
	name, value := e.name(words[1]), e.value(words[2])
	before, was := updated[name]
	switch {
	case words[0] == "SET":
		updated[name] = value
	case value.N != nil:
		updated[name] = sum(before, value)
	default:
		set := slices.Concat(before.SS, value.SS)
		slices.Sort(set)
		updated[name] = attribute{SS: slices.Compact(set)}
	}
	var answer struct {
		Attributes item `json:",omitempty"`
	}
	if was && input.ReturnValues == "UPDATED_OLD" {
		answer.Attributes = item{name: before}
	}
	if e.err != "" {
		return nil, nil
	}
	return answer, t.store(updated)
}

// sum adds two whole numbers. A missing one is 0.
func sum(a, b attribute) attribute {
	total := int64(0)
	for _, part := range []attribute{a, b} {
		if part.N != nil {
			n, _ := strconv.ParseInt(*part.N, 10, 64)
			total += n
		}
	}
	text := strconv.FormatInt(total, 10)
	return attribute{N: &text}
}
