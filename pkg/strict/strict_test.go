package strict_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/strict"
)

type entry struct {
	Room   string  `json:"room"`
	Reason *string `json:"reason"`
	Count  int64   `json:"count"`
}

type list struct {
	Entries []entry           `json:"entries"`
	Names   map[string]string `json:"names"`
}

func TestDecodeRefusesWhatCouldBeMisread(t *testing.T) {
	for _, test := range []struct {
		name, raw string
		want      strict.Error
	}{
		{name: "nothing", raw: " ", want: strict.Error{Fault: strict.Empty}},
		{name: "cut off", raw: `{"entries":[`, want: strict.Error{Fault: strict.Incomplete}},
		{name: "cut off in a string", raw: `{"entries":[{"room":"r`, want: strict.Error{Fault: strict.Incomplete}},
		{name: "not JSON", raw: `{"entries":room}`, want: strict.Error{Fault: strict.Malformed, Offset: 11}},
		{name: "not UTF-8", raw: "{\"names\":{\"a\":\"\xff\"}}", want: strict.Error{Fault: strict.Malformed, Offset: 15}},
		{name: "two values", raw: `{} {}`, want: strict.Error{Fault: strict.Trailing}},
		{name: "garbage after the value", raw: `{}x`, want: strict.Error{Fault: strict.Trailing}},
		{
			name: "misspelled field", raw: `{"entries":[{"rom":"r"}]}`,
			want: strict.Error{Fault: strict.Unknown, Path: "entries[0].rom", Name: "rom", Want: reflect.TypeFor[entry]()},
		},
		{
			name: "field in another case", raw: `{"Entries":[]}`,
			want: strict.Error{Fault: strict.Unknown, Path: "Entries", Name: "Entries", Want: reflect.TypeFor[list]()},
		},
		{
			name: "value replaced by a later one", raw: `{"entries":[{"room":"r","room":"s"}]}`,
			want: strict.Error{Fault: strict.Repeated, Path: "entries[0].room", Name: "room"},
		},
		{
			name: "lists merged", raw: `{"entries":[{"room":"r"}],"entries":[{"count":1}]}`,
			want: strict.Error{Fault: strict.Repeated, Path: "entries", Name: "entries"},
		},
		{
			name: "name in a map repeated, with an escape", raw: `{"names":{"a":"x","\u0061":"y"}}`,
			want: strict.Error{Fault: strict.Repeated, Path: "names.a", Name: "a"},
		},
		{
			name: "wrong type", raw: `{"entries":[{},{"count":"1"}]}`,
			want: strict.Error{Fault: strict.WrongType, Path: "entries[1].count", Name: "count", Given: "string", Want: reflect.TypeFor[int64]()},
		},
		{
			name: "fraction", raw: `{"entries":[{"count":1.5}]}`,
			want: strict.Error{Fault: strict.WrongType, Path: "entries[0].count", Name: "count", Given: "number", Want: reflect.TypeFor[int64]()},
		},
		{
			name: "too large a number", raw: `{"entries":[{"count":9223372036854775808}]}`,
			want: strict.Error{Fault: strict.WrongType, Path: "entries[0].count", Name: "count", Given: "number", Want: reflect.TypeFor[int64]()},
		},
		{
			name: "array for an object", raw: `[]`,
			want: strict.Error{Fault: strict.WrongType, Given: "array", Want: reflect.TypeFor[list]()},
		},
		{
			name: "null for a string", raw: `{"entries":[{"room":null}]}`,
			want: strict.Error{Fault: strict.WrongType, Path: "entries[0].room", Name: "room", Given: "null", Want: reflect.TypeFor[string]()},
		},
		{
			name: "null for an object", raw: `{"entries":[null]}`,
			want: strict.Error{Fault: strict.WrongType, Path: "entries[0]", Name: "0", Given: "null", Want: reflect.TypeFor[entry]()},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := strict.Decode([]byte(test.raw), new(list), strict.NoNull())
			var got *strict.Error
			if !errors.As(err, &got) {
				t.Fatalf("error %v, want a *strict.Error", err)
			}
			if *got != test.want {
				t.Errorf("\n got %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

func TestAllowedFields(t *testing.T) {
	type embedding struct {
		entry
		Hidden string `json:"-"`
		Own    string `json:"own,omitempty"`
	}
	for _, test := range []struct {
		name  string
		raw   string
		value any
		want  string
	}{
		{name: "at the top", raw: `{"names":{},"entry":1}`, value: new(list), want: "entries names"},
		{name: "in an entry", raw: `{"entries":[{},{"rom":"r"}]}`, value: new(list), want: "room reason count"},
		{name: "embedded", raw: `{"Hidden":"x"}`, value: new(embedding), want: "room reason count own"},
		{name: "another fault", raw: `{"names":[]}`, value: new(list)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *strict.Error
			if err := strict.Decode([]byte(test.raw), test.value); !errors.As(err, &got) {
				t.Fatalf("error %v, want a *strict.Error", err)
			}
			if names := strings.Join(got.Allowed(), " "); names != test.want {
				t.Errorf("allowed are %q, want %q", names, test.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	var got list
	raw := `{"entries":[{"room":"r","reason":null,"count":9223372036854775807},{"reason":"x"}],"names":{"A":"1","a":"2"}} `
	if err := strict.Decode([]byte(raw), &got, strict.NoNull()); err != nil {
		t.Fatal(err)
	}
	reason := "x"
	want := list{Entries: []entry{{Room: "r", Count: 1<<63 - 1}, {Reason: &reason}}, Names: map[string]string{"A": "1", "a": "2"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := strict.Decode([]byte(`{"entries":[{"room":null}]}`), &got); err != nil {
		t.Errorf("without NoNull, null is refused: %v", err)
	}
}

func ExampleDecode() {
	var value struct {
		Room string `json:"room"`
	}
	for _, raw := range []string{`{"room":"r"}`, `{"ROOM":"r"}`, `{"room":"r","room":"s"}`} {
		fmt.Println(strict.Decode([]byte(raw), &value))
	}
	// Output:
	// <nil>
	// unknown field
	// repeated field
}

// What is accepted is what encoding/json reads from it as well, and no error repeats the JSON.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"entries":[{"room":"r","reason":null,"count":1}],"names":{"a":"b"}}`, `{"entries":[{"room":"r","room":"s"}]}`, `{"Entries":[]}`,
		`{"names":{"\u0061":"","a":""}}`, `[]`, `null`, `{} {}`, `{"entries":[null,{"count":1e3}]}`, "{\"names\":{\"\xff\":\"\"}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got, want list
		if err := strict.Decode(raw, &got, strict.NoNull()); err != nil {
			var known *strict.Error
			if !errors.As(err, &known) {
				t.Fatalf("error %T", err)
			}
			if text := err.Error(); len(raw) > 8 && strings.Contains(text, string(raw)) {
				t.Fatalf("the error %q repeats the JSON", text)
			}
			return
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("encoding/json refuses what is accepted: %v", err)
		}
		if one, other := fmt.Sprintf("%+v", flat(got)), fmt.Sprintf("%+v", flat(want)); one != other {
			t.Fatalf("read %s, but encoding/json reads %s", one, other)
		}
	})
}

// flat returns the fields without pointers.
func flat(l list) []any {
	values := []any{l.Names}
	for _, e := range l.Entries {
		values = append(values, e.Room, e.Count)
		if e.Reason != nil {
			values = append(values, *e.Reason)
		}
	}
	return values
}
