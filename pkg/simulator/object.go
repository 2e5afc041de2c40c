package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// object is a JSON object whose members are read one by one, by their exact names: encoding/json alone would accept roomid
// for RoomId, but the API's names are case-sensitive. err keeps the first member that is missing or has a wrong type; the
// reading methods then return zero values.
type object struct {
	path    string // before the names in error texts
	members map[string]json.RawMessage
	err     error
}

var errNoObject = errors.New("not a JSON object")

// parseObject splits one JSON object, with nothing after it, into its members.
func parseObject(path string, text []byte) (*object, error) {
	o := &object{path: path}
	if start := bytes.TrimLeft(text, " \t\r\n"); len(start) == 0 || start[0] != '{' || !utf8.Valid(text) {
		return nil, errNoObject
	}
	if err := json.Unmarshal(text, &o.members); err != nil {
		return nil, errNoObject
	}
	return o, nil
}

func (o *object) has(name string) bool { return o.members[name] != nil }

// text reads a required String.
func (o *object) text(name string) string {
	return read[string](o, name, "a String", func(raw json.RawMessage) bool { return raw[0] == '"' })
}

// integer reads a required Integer of 64 bits.
func (o *object) integer(name string) int64 {
	n, err := strconv.ParseInt(string(o.members[name]), 10, 64)
	if err != nil {
		o.fail(name, "an Integer of 64 bits")
		return 0
	}
	return n
}

// flag reads a required Bool.
func (o *object) flag(name string) bool {
	return read[bool](o, name, "a Bool", func(raw json.RawMessage) bool { return raw[0] == 't' || raw[0] == 'f' })
}

// texts reads a required Array of String.
func (o *object) texts(name string) []string {
	return list(read[[]*string](o, name, "an Array of String", isArray), o, name)
}

// integers reads a required Array of Integer.
func (o *object) integers(name string) []int64 {
	return list(read[[]*int64](o, name, "an Array of Integer", isArray), o, name)
}

// object reads a required Object.
func (o *object) object(name string) *object {
	inner, err := parseObject(o.path+name+".", o.members[name])
	if err != nil {
		o.fail(name, "an Object")
		return &object{err: o.err}
	}
	return inner
}

func isArray(raw json.RawMessage) bool { return raw[0] == '[' }

func read[T any](o *object, name, kind string, fits func(json.RawMessage) bool) T {
	var value, none T
	raw := o.members[name]
	if raw == nil || !fits(raw) || json.Unmarshal(raw, &value) != nil {
		o.fail(name, kind)
		return none
	}
	return value
}

// list dereferences the pointers of a list. They distinguish null from a zero value.
func list[T any](pointers []*T, o *object, name string) []T {
	values := make([]T, 0, len(pointers))
	for _, pointer := range pointers {
		if pointer == nil {
			o.fail(name, "free of null")
			return nil
		}
		values = append(values, *pointer)
	}
	return values
}

func (o *object) fail(name, kind string) {
	switch {
	case o.err != nil:
	case !o.has(name):
		o.err = fmt.Errorf("%s%s is missing; it must be %s", o.path, name, kind)
	default:
		o.err = fmt.Errorf("%s%s must be %s", o.path, name, kind)
	}
}
