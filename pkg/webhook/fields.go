package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// text reads a string, also as a number, whose digits are kept: ids are numbers beyond 2^53 in some samples.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	switch {
	case string(raw) == "null":
		return nil
	case raw[0] == '"':
		return json.Unmarshal(raw, (*string)(t))
	case strings.Trim(string(raw), "-0123456789") != "":
		return errors.New("neither a string nor an integer")
	}
	*t = text(raw)
	return nil
}

// number reads an integer, also as a numeric string.
type number int64

func (n *number) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	parsed, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	if err != nil {
		return errors.New("no integer of 64 bits")
	}
	*n = number(parsed)
	return nil
}

// readBody decodes a body into the fields of a webhook.
func readBody(body []byte, fields any) error {
	if err := json.Unmarshal(body, fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return giftstats.Invalid("the webhook's body is no JSON: see byte %d", syntax.Offset)
		}
		return giftstats.Invalid("a field of the webhook's body has another type than documented")
	}
	return nil
}
