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
	found, after := slices.Clone(e.within(input.KeyConditionExpression, t.sorted(e.partition(input.KeyConditionExpression)))), 1
	if input.ScanIndexForward != nil && !*input.ScanIndexForward {
		after = -1
		slices.Reverse(found)
	}
	start := input.ExclusiveStartKey
	found = slices.DeleteFunc(found, func(i item) bool {
		return start != nil && byKey(i, start) != after || !e.holds(input.KeyConditionExpression, i)
	})
	return e.page(found, s.pageLimit(input.Limit), partition, input), nil
}

// sorted returns the items with a partition key, or those with any if it is empty. It keeps the result until a write, because a table
// may be large.
func (t *table) sorted(partition string) []item {
	if kept, ok := t.kept[partition]; ok {
		return kept
	}
	var found []item
	for key, stored := range t.items {
		if partition == "" || key.pk == partition {
			found = append(found, stored)
		}
	}
	slices.SortFunc(found, byKey)
	t.kept[partition] = found
	return found
}

// written forgets what sorted has kept of a partition.
func (t *table) written(partition string) {
	delete(t.kept, partition)
	delete(t.kept, "")
}

func byKey(a, b item) int {
	return cmp.Or(cmp.Compare(a["pk"].text(), b["pk"].text()), cmp.Compare(a["sk"].text(), b["sk"].text()))
}

// pageLimit returns how many items an answer may have; 0 for any number.
func (s *Server) pageLimit(asked int) int {
	if asked == 0 || s.pageSize == 0 {
		return max(asked, s.pageSize)
	}
	return min(asked, s.pageSize)
}

// page returns the first items. Like DynamoDB, it names a key to go on after whenever the limit is reached, also by the last item, and
// counts the items that the filter leaves out.
func (e *expressions) page(found []item, limit int, partition string, input *tableInput) queryOutput {
	var output queryOutput
	keys := func(i item) item {
		only := item{"pk": i["pk"], "sk": i["sk"]}
		if partition != "" {
			only[partition] = i[partition]
		}
		return only
	}
	size := 0
	for n, stored := range found {
		if size += stored.size(); size > maxPage {
			output.LastEvaluatedKey = keys(found[n-1]) // the largest item is smaller than a page
			break
		}
		if partition != "" {
			stored = keys(stored)
		}
		if input.FilterExpression == "" || e.holds(input.FilterExpression, stored) {
			output.Items = append(output.Items, e.project(input.ProjectionExpression, stored))
		}
		if n+1 == limit {
			output.LastEvaluatedKey = keys(stored)
			break
		}
	}
	output.Count = len(output.Items)
	return output
}
