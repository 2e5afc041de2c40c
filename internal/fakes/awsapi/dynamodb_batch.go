package awsapi

// batchKeys is what BatchGetItem asks of one table.
type batchKeys struct {
	Keys           []item
	ConsistentRead bool
}

func (s *Server) batchGetItem(body []byte) (any, *failure) {
	var input struct{ RequestItems map[string]batchKeys }
	if failed := decode(body, &input); failed != nil {
		return nil, failed
	}
	output := struct {
		Responses       map[string][]item
		UnprocessedKeys map[string]batchKeys
	}{map[string][]item{}, map[string]batchKeys{}}
	for name, asked := range input.RequestItems {
		t := s.tables[name]
		if t == nil {
			return nil, noTable()
		}
		keys, failed := distinct(asked.Keys, maxBatchGet, true)
		if failed != nil {
			return nil, failed
		}
		left := s.unprocessed(len(keys))
		for _, key := range keys[left:] {
			if stored := t.items[key]; stored != nil {
				output.Responses[name] = append(output.Responses[name], stored)
			}
		}
		if left > 0 {
			output.UnprocessedKeys[name] = batchKeys{asked.Keys[:left], asked.ConsistentRead}
		}
	}
	return output, nil
}

// writeRequest is one entry of BatchWriteItem. The fake knows no others.
type writeRequest struct{ PutRequest struct{ Item item } }

func (s *Server) batchWriteItem(body []byte) (any, *failure) {
	var input struct{ RequestItems map[string][]writeRequest }
	if failed := decode(body, &input); failed != nil {
		return nil, failed
	}
	output := struct{ UnprocessedItems map[string][]writeRequest }{map[string][]writeRequest{}}
	for name, requests := range input.RequestItems {
		t := s.tables[name]
		if t == nil {
			return nil, noTable()
		}
		items := make([]item, len(requests))
		for i, request := range requests {
			items[i] = request.PutRequest.Item
		}
		if _, failed := distinct(items, maxBatchWrite, false); failed != nil {
			return nil, failed
		}
		left := s.unprocessed(len(items))
		for _, stored := range items[left:] {
			if failed := t.store(stored); failed != nil {
				return nil, failed
			}
		}
		if left > 0 {
			output.UnprocessedItems[name] = requests[:left]
		}
	}
	return output, nil
}

// unprocessed returns how many of n entries are not to be processed.
func (s *Server) unprocessed(n int) int {
	if s.batchSize == 0 {
		return 0
	}
	return max(0, n-max(0, s.batchSize))
}

// distinct reads the keys of a batch, which must not repeat.
func distinct(items []item, limit int, whole bool) ([]tableKey, *failure) {
	if len(items) == 0 || len(items) > limit {
		return nil, invalid("Too many items requested for the batch call, or none")
	}
	seen := map[tableKey]bool{}
	var keys []tableKey
	for _, i := range items {
		key, failed := keyOf(i, whole)
		if failed != nil {
			return nil, failed
		}
		if seen[key] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys, nil
}
