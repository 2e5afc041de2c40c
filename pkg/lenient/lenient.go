// Package lenient decodes JSON values whose type Tencent's pages and samples disagree on: numbers that are sometimes strings,
// and ids that are sometimes numbers.
//
// Null leaves a value as it is. Errors do not quote the JSON, which may hold what must not be logged.
package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// Int is a JSON integer, or a string that holds one.
type Int struct {
	Value int64
	Known bool // false if the field is missing or null
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Int) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	value, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	if err != nil {
		return errors.New("not a 64-bit integer")
	}
	*n = Int{Value: value, Known: true}
	return nil
}

// IsCount reports whether the number is known and not negative.
func (n Int) IsCount() bool { return n.Known && n.Value >= 0 }

// Text is a JSON string, or an integer, all of whose digits are kept: some samples show ids beyond 2^53 as numbers.
type Text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Text) UnmarshalJSON(raw []byte) error {
	switch {
	case string(raw) == "null":
		return nil
	case len(raw) > 0 && raw[0] == '"':
		return json.Unmarshal(raw, (*string)(t))
	case strings.Trim(string(raw), "-0123456789") != "":
		return errors.New("neither a string nor an integer")
	}
	*t = Text(raw)
	return nil
}
