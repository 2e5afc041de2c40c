package awsapi

import (
	"cmp"
	"slices"
)

type queryOutput struct {
	Items            []item
	Count            int
	LastEvaluatedKey item `json:",omitempty"`
}

func (s *Server) query(t *table, input *tableInput, e *expressions) (any, *failure) {
	partition, indexed := t.indexes[input.IndexName]
	switch {
	case input.IndexName != "" && !indexed:
		return nil, invalid("The table does not have the specified index: " + input.IndexName)
	case indexed && input.ConsistentRead:
		return nil, invalid("Consistent reads are not supported on global secondary indexes")
	}
	var found []item
	asked := e.partition(input.KeyConditionExpression)
	for key, stored := range t.items {
		if asked != "" && key.pk != asked { // a table may be large
			continue
		}
		if e.holds(input.KeyConditionExpression, stored) {
			found = append(found, stored)
		}
	}
	order := func(a, b item) int {
		return cmp.Or(cmp.Compare(a["pk"].text(), b["pk"].text()), cmp.Compare(a["sk"].text(), b["sk"].text()))
	}
	if input.ScanIndexForward != nil && !*input.ScanIndexForward {
		forward := order
		order = func(a, b item) int { return forward(b, a) }
	}
	slices.SortFunc(found, order)
	if start := input.ExclusiveStartKey; start != nil {
		found = slices.DeleteFunc(found, func(i item) bool { return order(i, start) <= 0 })
	}
	return e.page(found, s.pageLimit(input.Limit), partition, input.ProjectionExpression), nil
}

// pageLimit returns how many items an answer may have; 0 for any number.
func (s *Server) pageLimit(asked int) int {
	if asked == 0 || s.pageSize == 0 {
		return max(asked, s.pageSize)
	}
	return min(asked, s.pageSize)
}

// page returns the first items. Like DynamoDB, it names a key to go on after whenever a limit is reached.
func (e *expressions) page(found []item, limit int, partition, projection string) queryOutput {
	var output queryOutput
	keys := func(i item) item {
		only := item{"pk": i["pk"], "sk": i["sk"]}
		if partition != "" {
			only[partition] = i[partition]
		}
		return only
	}
	if most := fitting(found); most > 0 && (limit == 0 || most < limit) {
		limit = most
	}
	if limit > 0 && len(found) >= limit {
		found = found[:limit]
		output.LastEvaluatedKey = keys(found[limit-1])
	}
	for _, stored := range found {
		if partition != "" {
			stored = keys(stored)
		}
		output.Items = append(output.Items, e.project(projection, stored))
	}
	output.Count = len(output.Items)
	return output
}

// fitting returns how many items an answer has when it reaches its largest size; 0 if it does not.
func fitting(found []item) int {
	size := 0
	for n, stored := range found {
		if size += stored.size(); size > maxPage {
			return n + 1
		}
	}
	return 0
}
