package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// object is a JSON object whose fields are taken one by one, so that a mistake is named by its field. The decoder's own
// errors are not used: they quote the value.
type object struct {
	prefix string
	fields map[string]json.RawMessage
}

func objectFields(prefix string, raw []byte) (object, error) {
	o := object{prefix: prefix}
	if err := json.Unmarshal(raw, &o.fields); err != nil || o.fields == nil {
		if prefix == "" {
			return o, errors.New("the secret begins like a JSON object but is none: look for a missing quote, comma or brace")
		}
		return o, errors.New("must be an object")
	}
	return o, nil
}

// required takes the field out of the object; it must be there and not be empty.
func (o object) required(name string, parse func(json.RawMessage) error) error {
	if value, ok := o.fields[name]; !ok || string(value) == "null" || string(value) == `""` {
		delete(o.fields, name)
		return fmt.Errorf("%s%s is missing", o.prefix, name)
	}
	return o.optional(name, parse)
}

// optional takes the field out of the object; absent, null and "" mean that it is not set.
func (o object) optional(name string, parse func(json.RawMessage) error) error {
	value, ok := o.fields[name]
	delete(o.fields, name)
	if !ok || string(value) == "null" || string(value) == `""` {
		return nil
	}
	if err := parse(value); err != nil {
		return fmt.Errorf("%s%s: %w", o.prefix, name, err)
	}
	return nil
}

// plain reports whether a name cannot be a key put in the wrong place: it is short, and has letters and underscores only.
func plain(name string) bool {
	return len(name) <= 24 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// unknown names what is left in the object: a typing mistake would otherwise silently switch something off.
func (o object) unknown() error {
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if !plain(name) {
			name = "(a name not shown here)"
		}
		mistakes = append(mistakes, fmt.Errorf("%s%s is no field of the secret document", o.prefix, name))
	}
	return errors.Join(mistakes...)
}
